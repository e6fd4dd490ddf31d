"""One SQLite file: queries, transactions, and one sentence for what goes wrong with it.

Each change is a transaction that is on the disk when the call returns, so that a killed process loses nothing. The file
is always whole by itself: there is no write-ahead log beside it. A process for the person and one for the training may
use it at the same time.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tagger.errors import DataError
from tagger.files.writing import check_place

CONNECTION: Any = {"timeout": 30.0, "isolation_level": None, "check_same_thread": False}  # waits 30 s for the other


class Database:
    """An open file, which is made if it is not there.

    Raises:
        DataError: The file is no database, or cannot be read. All methods raise it if the file cannot be read or
            written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._connection = _connected(path)
        except sqlite3.OperationalError as error:
            raise DataError(f"{path}: the file cannot be read: {error}; try again") from None
        except sqlite3.DatabaseError as error:
            raise DataError(
                f"{path}: expected a project of tagger annotate, got a file that is none: {error}"
            ) from None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def first(self, query: str, *values: Any) -> Any:
        """Return the first row that a query finds; None if there is none."""
        with self._in_one_sentence():
            return self._connection.execute(query, values).fetchone()

    def all(self, query: str, *values: Any) -> list[Any]:
        """Return all rows that a query finds."""
        with self._in_one_sentence():
            return self._connection.execute(query, values).fetchall()  # at once: an open cursor would block writers

    @contextmanager
    def changes(self) -> Iterator[sqlite3.Connection]:
        """Make all changes within the context one transaction."""
        with self._in_one_sentence():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def copy(self, path: Path) -> None:
        """Write a copy of the file."""
        path.unlink(missing_ok=True)
        with closing(Database(path)) as target, self._in_one_sentence():
            self._connection.backup(target._connection)

    def from_json(self, text: str) -> Any:
        """Return the value that a column has as JSON."""
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise self.damaged(f"invalid JSON ({error})") from None

    def damaged(self, found: str) -> DataError:
        """Return the error that the file has something that no project has."""
        return DataError(f"{self.path}: expected a whole project, got {found}; use a copy of the file")

    @contextmanager
    def _in_one_sentence(self) -> Iterator[None]:
        """Turn what goes wrong with the file within the context into one sentence."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise DataError(
                f"{self.path}: the project must be whole, readable and writable, but SQLite says: {error}; try again, "
                "or use a copy of the file"
            ) from None


def _connected(path: Path) -> sqlite3.Connection:
    connection: sqlite3.Connection = sqlite3.connect(path, **CONNECTION)
    try:
        connection.execute("PRAGMA synchronous = FULL")  # transactions end when they are on the disk
        connection.execute("PRAGMA foreign_keys = ON")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextmanager
def new_file(path: Path, advice: str) -> Iterator[Path]:
    """Yield where to write a new file, which is complete or not there: it gets its name when the context ends.

    Args:
        path: The file; there must be none.
        advice: What to do if there is one.

    Raises:
        DataError: The file is there, or cannot be written.
    """
    if path.exists():
        raise DataError(f"{path}: the file exists; {advice}")
    check_place(path)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        yield part
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)


def to_json(value: Any) -> str:
    """Return a value as a column has it."""
    return json.dumps(value, ensure_ascii=False)
