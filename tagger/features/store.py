"""A store on disk: arrays of numbers by key, such as the features of the tokens of a passage.

`values.bin` has the rows of all arrays, one after another. They are only ever appended, and a reader maps the file into
memory. `index.sqlite` says for each key where its rows are, with their checksum. A key is added once its rows are
written, so a process that is killed leaves at most rows without a key. SQLite keeps apart processes that write at once.
"""

import os
import re
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.packed import ranges

VALUES, INDEX = "values.bin", "index.sqlite"
WAITS = 60.0  # seconds for another process to end its writing, which takes less than one
TABLES = """
    CREATE TABLE IF NOT EXISTS form (dtype TEXT NOT NULL, width INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS arrays (key BLOB PRIMARY KEY, start INTEGER, length INTEGER, checksum INTEGER)
        WITHOUT ROWID;
"""


DTYPES = r"[<>](f[248]|[iu][248])|\|[iu]1"  # of numbers, as numpy spells them
FIND = "SELECT start, length, checksum FROM arrays WHERE key = ?"


class DamagedError(Exception):
    """A store cannot be read any more."""


class Place(NamedTuple):
    """Where the rows of an array are, and their checksum."""

    start: int
    length: int
    checksum: int


class StoredRows:
    """Rows of a store, which are read when they are asked for.

    Args:
        values: All rows of the store, as they are in its file, of shape (stored, k).
        positions: Which of them these rows are, of shape (rows,).
    """

    def __init__(self, values: NDArray[Any], positions: NDArray[np.int64]) -> None:
        self._values, self._positions = values, positions

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self._values.dtype

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows, and of numbers in each."""
        return len(self._positions), self._values.shape[1]

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, rows: NDArray[np.int64], /) -> NDArray[Any]:
        """Return some of the rows."""
        return self._values[self._positions[rows]]


class Store:
    """The store in a folder, which must exist; its files are created if missing.

    Args:
        folder: The folder.

    Raises:
        DamagedError: Its files are no store.
        sqlite3.OperationalError: The folder cannot be written, or its disk is full.
    """

    def __init__(self, folder: Path) -> None:
        self._values_file, self._index_file = folder / VALUES, folder / INDEX
        self._sound: set[tuple[bytes, Place]] = set()  # whose checksum was compared
        with self._index() as index:
            begun = index.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not begun and self._values_file.exists():
                raise DamagedError("its index is empty")
            index.executescript(TABLES)

    @staticmethod
    def delete(folder: Path) -> None:
        """Delete the files of the store in a folder. Rows that are in use are still read from them."""
        for path in (folder / VALUES, *folder.glob(f"{INDEX}*")):
            path.unlink(missing_ok=True)

    def find(self, lengths: Mapping[bytes, int]) -> tuple[dict[bytes, Place], int]:
        """Return where the arrays of keys are, and how many of them are damaged; these are not among those returned.

        Args:
            lengths: The number of rows of each array by its key.

        Raises:
            DamagedError: The index cannot be read.
        """
        with self._index() as index:
            found = {key: Place(*row) for key in lengths for row in index.execute(FIND, (key,))}
            values = self._values(index)
        sound = {key: place for key, place in found.items() if self._is_sound(key, place, lengths[key], values)}
        return sound, len(found) - len(sound)

    def rows(self, places: Sequence[Place]) -> StoredRows | None:
        """Return the rows of arrays, one array after another; None if the store is empty.

        Raises:
            DamagedError: The index cannot be read, or the file has become shorter since they were found.
        """
        with self._index() as index:
            values = self._values(index)
        starts, lengths = (np.array([place[i] for place in places], np.int64) for i in (0, 1))
        if values is not None and max(starts + lengths, default=0) > len(values):
            raise DamagedError("its values were cut off")
        return None if values is None else StoredRows(values, ranges(starts, lengths))

    def append(self, lengths: Mapping[bytes, int], values: NDArray[Any]) -> None:
        """Add arrays, or replace them.

        Args:
            lengths: The number of rows of each array by its key.
            values: The rows, one array after another, of shape (rows, k).

        Raises:
            DamagedError: The index cannot be read, or says that rows have another form than these.
            OSError: The disk is full, or the file cannot be written.
        """
        form = values.dtype.str, values.shape[1]
        with self._index() as index:
            index.execute("BEGIN IMMEDIATE")
            if (kept := _form(index)) is None:
                index.execute("INSERT INTO form VALUES (?, ?)", form)
            elif kept != form:
                raise DamagedError(f"its rows have the form {kept}, not {form}")
            start, added = self._write(values), []
            for key, length in lengths.items():
                added.append((key, start, length, _checksum(key, values[:length])))
                start, values = start + length, values[length:]
            index.executemany("INSERT OR REPLACE INTO arrays VALUES (?, ?, ?, ?)", added)
            index.execute("COMMIT")

    def _write(self, values: NDArray[Any]) -> int:
        """Write rows at the end of the file, and return the position of the first."""
        width = values.shape[1] * values.itemsize
        with self._values_file.open("ab", buffering=0) as stream:
            end = stream.seek(0, os.SEEK_END)
            start: int = -(-end // width)  # behind a row that a killed process did not finish
            left = memoryview(bytes(start * width - end) + np.ascontiguousarray(values).tobytes())
            try:
                while left:
                    left = left[stream.write(left) :]
            except OSError:  # such as a full disk, which needs the room
                with suppress(OSError):
                    stream.truncate(end)
                raise
        return start

    def _values(self, index: sqlite3.Connection) -> NDArray[Any] | None:
        """Return all rows that are in the file, mapped into memory; None if there are none."""
        if (form := _form(index)) is None or not self._values_file.exists():
            return None
        dtype, width = np.dtype(form[0]), form[1]
        rows = self._values_file.stat().st_size // (dtype.itemsize * width)
        return np.asarray(np.memmap(self._values_file, dtype, "r", shape=(rows, width))) if rows else None

    def _is_sound(self, key: bytes, place: Place, length: int, values: NDArray[Any] | None) -> bool:
        if not all(isinstance(number, int) for number in place):
            return False
        end = place.start + place.length
        if values is None or place.length != length or not 0 <= place.start <= end <= len(values):
            return False
        if (key, place) not in self._sound and _checksum(key, values[place.start : end]) == place.checksum:
            self._sound.add((key, place))
        return (key, place) in self._sound

    @contextmanager
    def _index(self) -> Iterator[sqlite3.Connection]:
        """Open the index."""
        with closing(sqlite3.connect(self._index_file, timeout=WAITS, isolation_level=None)) as index:
            try:
                yield index
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                    raise
                raise DamagedError(str(error)) from None  # SQLITE_ERROR: of a table with other columns


def _form(index: sqlite3.Connection) -> tuple[str, int] | None:
    """Return the type of the numbers of a store, and how many a row has; None if it is empty."""
    found = index.execute("SELECT dtype, width FROM form").fetchone()
    if found is None:
        return None
    dtype, width = found
    if not (isinstance(dtype, str) and re.fullmatch(DTYPES, dtype) and isinstance(width, int) and width > 0):
        raise DamagedError(f"its rows have the form {found}")
    return dtype, width


def _checksum(key: bytes, values: NDArray[Any]) -> int:
    """Return the checksum of the rows of a key."""
    return zlib.crc32(np.ascontiguousarray(values).data, zlib.crc32(key))


def count(folder: Path) -> tuple[int, int] | None:
    """Return the number of arrays in a store, and of their rows; None if it cannot be read."""
    try:
        with closing(
            sqlite3.connect(f"{(folder / INDEX).absolute().as_uri()}?mode=ro", uri=True, timeout=WAITS)
        ) as index:
            arrays, rows = index.execute("SELECT count(*), coalesce(sum(length), 0) FROM arrays").fetchone()
    except sqlite3.Error:
        return None
    return arrays, rows
