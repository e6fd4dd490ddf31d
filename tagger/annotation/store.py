"""The file of a project: one SQLite database with texts, judgements, trainings and predictions.

Each change is a transaction that is on the disk when the call returns, so that a killed process loses nothing. The file
is always whole by itself: there is no write-ahead log beside it. A process for the person and one for the training may
use it at the same time.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tagger.annotation.judgements import Judgement, Kind
from tagger.errors import DataError
from tagger.files.writing import check_place
from tagger.formats.jsonl import sentence_from_json, sentence_to_json
from tagger.text.document import Document
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence, place_of, with_schemes
from tagger.wording import quoted

APPLICATION, VERSION = 0x7A66E201, 1  # marks the file as a project, of this version
CONNECTION: Any = {"timeout": 30.0, "isolation_level": None, "check_same_thread": False}  # waits 30 s for the other
DRAWS = 2**31
INSERT_JUDGEMENT = (
    "INSERT INTO judgements (text, kind, start, stop, type, seconds, person, time) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
TABLES = """
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE documents (id INTEGER PRIMARY KEY, name TEXT, text TEXT NOT NULL, record TEXT);
CREATE TABLE texts (
    id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents, tokens TEXT NOT NULL, offsets TEXT NOT NULL,
    meta TEXT NOT NULL, draw INTEGER NOT NULL
);
CREATE TABLE judgements (
    id INTEGER PRIMARY KEY AUTOINCREMENT, text INTEGER NOT NULL REFERENCES texts, kind TEXT NOT NULL,
    start INTEGER NOT NULL, stop INTEGER NOT NULL, type TEXT, seconds REAL NOT NULL, person TEXT NOT NULL,
    time REAL NOT NULL
);
CREATE TABLE trainings (id INTEGER PRIMARY KEY AUTOINCREMENT, judgements INTEGER NOT NULL, seconds REAL, facts TEXT);
CREATE TABLE predictions (text INTEGER PRIMARY KEY REFERENCES texts, gain REAL NOT NULL, spans TEXT NOT NULL);
CREATE TABLE gold (id INTEGER PRIMARY KEY, sentence TEXT NOT NULL);
CREATE INDEX texts_by_draw ON texts (draw);
CREATE INDEX judgements_by_text ON judgements (text);
"""
SETTINGS = ("types", "start", "seed", "gold")
FAULTS = """
SELECT 'text ' || texts.id FROM texts LEFT JOIN documents ON documents.id = texts.document
WHERE documents.id IS NULL OR json_array_length(tokens) = 0
   OR json_array_length(tokens) != json_array_length(offsets)
UNION ALL
SELECT 'judgement ' || judgements.id FROM judgements LEFT JOIN texts ON texts.id = judgements.text
WHERE texts.id IS NULL OR kind NOT IN ('tokens', 'rest', 'skip')
   OR NOT (0 <= start AND start <= stop AND stop <= json_array_length(tokens))
LIMIT 1
"""  # rows that only another program, or a damaged disk, can have written


class Text(NamedTuple):
    """A text of the project: one sentence, with a random number that decides its order and whether it is held out."""

    id: int
    sentence: Sentence
    draw: int


class Prediction(NamedTuple):
    """What a model says of a text.

    Args:
        text: The number of the text.
        gain: How much a judgement on it teaches, at least 0.
        spans: Start, end, type and probability of likely entities, which do not overlap.
    """

    text: int
    gain: float
    spans: Sequence[tuple[int, int, str, float]]


class Training(NamedTuple):
    """A training: after how many judgements it began, how long it took (None: not ended), and what came out."""

    judgements: int
    seconds: float | None
    facts: Mapping[str, Any]


class Store:
    """An open file.

    Args:
        path: The file, which `create` has made.

    Raises:
        DataError: There is no such file, or it is no project, one of another version, or damaged. All methods raise it
            if the file cannot be read or written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise DataError(f"{path}: there is no such file; make one with tagger annotate TEXTS --types TYPE,TYPE")
        self._connection: sqlite3.Connection = sqlite3.connect(self.path, **CONNECTION)
        try:
            _prepare(self._connection)
            names = ("application_id", "user_version")
            found = [self._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
        except sqlite3.OperationalError as error:
            self.close()
            raise DataError(f"{path}: the file cannot be read: {error}; try again") from None
        except sqlite3.DatabaseError as error:
            self.close()
            raise DataError(
                f"{path}: expected a project of tagger annotate, got a file that is none: {error}"
            ) from None
        if found != [APPLICATION, VERSION]:
            self.close()
            other = f"one of version {found[1]}; upgrade tagger" if found[0] == APPLICATION else "another database"
            raise DataError(f"{path}: expected a project of tagger annotate of version {VERSION}, got {other}")
        try:
            self._check()
        except DataError:
            self.close()
            raise

    def _check(self) -> None:
        """Raise DataError if the file is damaged."""
        if self._one("PRAGMA quick_check(1)")[0] != "ok":
            raise self._damaged("damaged pages")
        if row := self._one(FAULTS):
            raise self._damaged(f"an invalid {row[0]}")
        if missing := set(SETTINGS) - self.settings().keys():
            raise self._damaged(f"no setting {quoted(sorted(missing))}")

    def _damaged(self, found: str) -> DataError:
        return DataError(f"{self.path}: expected a whole project, got {found}; use a copy of the file")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn what goes wrong with the file within the context into one sentence."""
        try:
            yield
        except json.JSONDecodeError as error:
            raise self._damaged(f"invalid JSON ({error})") from None
        except sqlite3.DatabaseError as error:
            raise DataError(
                f"{self.path}: the project must be whole, readable and writable, but SQLite says: {error}; try again, "
                "or use a copy of the file"
            ) from None

    @classmethod
    def create(
        cls,
        path: str | Path,
        documents: Iterable[Document],
        settings: Mapping[str, Any],
        gold: Iterable[Sentence] = (),
        *,
        seed: int,
    ) -> "Store":
        """Make the file of a project, which is complete or not there.

        Args:
            path: The file; there must be none.
            documents: The texts. Sentences without tokens are dropped.
            settings: Anything that JSON can hold.
            gold: Sentences to score the model on.
            seed: Seed of the order of texts.

        Raises:
            DataError: The file is there, cannot be written, or there is no text, or a sequence of numbers.
        """
        path = Path(path)
        if path.exists():
            raise DataError(f"{path}: the file exists; open it with tagger annotate {path}, or choose another --output")
        check_place(path)
        part = path.with_name(f".{path.name}.part")
        part.unlink(missing_ok=True)
        connection = _connected(part)
        try:
            connection.executescript(f"BEGIN;{TABLES}")
            number = _insert_documents(connection, documents, Random(seed))
            connection.executemany("INSERT INTO settings VALUES (?, ?)", [(k, _dumped(v)) for k, v in settings.items()])
            connection.executemany("INSERT INTO gold (sentence) VALUES (?)", [(_as_json(each),) for each in gold])
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
            connection.close()
            if not number:
                raise DataError(f"{path}: expected at least one text with a word, got none")
            part.rename(path)
        finally:
            connection.close()
            part.unlink(missing_ok=True)
        return cls(path)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _one(self, query: str, *values: Any) -> Any:
        with self._reading():
            return self._connection.execute(query, values).fetchone()

    def _all(self, query: str, *values: Any) -> list[Any]:
        with self._reading():
            return self._connection.execute(query, values).fetchall()  # at once: an open cursor would block writers

    @contextmanager
    def changes(self) -> Iterator[sqlite3.Connection]:
        """Make all changes within the context one transaction."""
        with self._reading():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def settings(self) -> dict[str, Any]:
        """Return the settings."""
        with self._reading():
            return {key: json.loads(value) for key, value in self._all("SELECT key, value FROM settings")}

    def gold(self, layer: str, scheme: Scheme) -> list[Sentence]:
        """Return the sentences to score the model on, whose tags of a layer are in a scheme."""
        rows = self._all("SELECT sentence FROM gold ORDER BY id")
        with self._reading():
            return [with_schemes(sentence_from_json(json.loads(row)), {layer: scheme}) for (row,) in rows]

    # Texts

    def count_texts(self) -> int:
        """Return the number of texts."""
        return int(self._one("SELECT count(*) FROM texts")[0])

    def texts(self, ids: Iterable[int] | None = None) -> list[Text]:
        """Return texts, all or those with some numbers, in the order of their numbers."""
        query = (
            "SELECT texts.id, tokens, offsets, meta, draw, name, text, record, document FROM texts "
            "JOIN documents ON documents.id = texts.document"
        )
        if ids is not None:
            query += " WHERE texts.id IN (SELECT value FROM json_each(?))"
        rows = self._all(f"{query} ORDER BY texts.id", *([] if ids is None else [_dumped(list(ids))]))
        with self._reading():
            return [_text(row) for row in rows]

    def text(self, id: int) -> Text:
        """Return a text.

        Raises:
            DataError: There is none with this number.
        """
        found = self.texts([id])
        if not found:
            raise DataError(f"text {id}: there is no such text; they have the numbers 1 to {self.count_texts()}")
        return found[0]

    def untouched(self) -> list[tuple[int, int, float | None]]:
        """Return number, draw and gain of the texts without any judgement, in the order of draws."""
        rows: list[tuple[int, int, float | None]] = self._all(
            "SELECT texts.id, draw, gain FROM texts LEFT JOIN predictions ON predictions.text = texts.id "
            "WHERE NOT EXISTS (SELECT 1 FROM judgements WHERE judgements.text = texts.id) ORDER BY draw, texts.id"
        )
        return rows

    def add_texts(self, texts: Iterable[Text]) -> list[int]:
        """Add texts of another project, and return their numbers here."""
        documents: dict[str | None, int] = {}  # theirs to ours
        found = []
        with self.changes() as connection:
            for text in texts:
                sentence, record = text.sentence, dict(text.sentence.record or {})
                if sentence.document not in documents:
                    name = record.pop("id", None)
                    documents[sentence.document] = _insert_document(connection, name, sentence.text, record)
                document = documents[sentence.document]
                found.append(_insert_sentence(connection, document, sentence, text.draw))
        return found

    def copy(self, path: Path) -> None:
        """Write a copy of the file."""
        path.unlink(missing_ok=True)
        target = _connected(path)
        try:
            with self._reading():
                self._connection.backup(target)
        finally:
            target.close()

    # Judgements

    def judgements(self, text: int | None = None) -> list[Judgement]:
        """Return the judgements on a text, or all, in the order of time."""
        where, values = ("", ()) if text is None else (" WHERE text = ?", (text,))
        return [Judgement(*row) for row in self._all(f"SELECT * FROM judgements{where} ORDER BY id", *values)]

    def judgements_by_text(self, *, skipped: bool = False) -> dict[int, list[Judgement]]:
        """Return the judgements on each text that has some; texts that were only skipped on demand."""
        found: dict[int, list[Judgement]] = {}
        for each in self.judgements():
            found.setdefault(each.text, []).append(each)
        return {text: said for text, said in found.items() if skipped or any(each.kind != "skip" for each in said)}

    def count_judgements(self) -> int:
        """Return the number of judgements, without skipped texts."""
        return int(self._one("SELECT count(*) FROM judgements WHERE kind != 'skip'")[0])

    def judge(
        self,
        text: int,
        kind: Kind,
        start: int = 0,
        end: int = 0,
        type: str | None = None,
        *,
        seconds: float = 0.0,
        person: str = "",
    ) -> None:
        """Save a judgement."""
        row = (text, kind, start, end, type, seconds, person, time.time())
        with self.changes() as connection:
            connection.execute(INSERT_JUDGEMENT, row)

    def replace_judgements(self, found: Mapping[int, Sequence[Judgement]]) -> None:
        """Replace all judgements on some texts."""
        with self.changes() as connection:
            for text, judgements in found.items():
                connection.execute("DELETE FROM judgements WHERE text = ?", (text,))
                rows = [(text, *each[2:]) for each in judgements]
                connection.executemany(INSERT_JUDGEMENT, rows)

    def undo(self) -> int | None:
        """Delete the last judgement, and return the number of its text; None if there is none."""
        with self.changes() as connection:
            row = connection.execute("SELECT id, text FROM judgements ORDER BY id DESC LIMIT 1").fetchone()
            if row is not None:
                connection.execute("DELETE FROM judgements WHERE id = ?", row[:1])
        return None if row is None else int(row[1])

    # Trainings

    def trainings(self) -> list[Training]:
        """Return the trainings in the order of time."""
        rows = self._all("SELECT judgements, seconds, facts FROM trainings ORDER BY id")
        with self._reading():
            return [Training(number, seconds, json.loads(facts or "{}")) for number, seconds, facts in rows]

    def begin_training(self) -> int:
        """Note that a training began, and return its number."""
        with self.changes() as connection:
            query = "INSERT INTO trainings (judgements) SELECT count(*) FROM judgements WHERE kind != 'skip'"
            return int(connection.execute(query).lastrowid or 0)

    def end_training(
        self, number: int, seconds: float, facts: Mapping[str, Any], predictions: Iterable[Prediction] = ()
    ) -> None:
        """Note the result of a training, with what its model says of texts."""
        with self.changes() as connection:
            row = (seconds, _dumped(facts), number)
            connection.execute("UPDATE trainings SET seconds = ?, facts = ? WHERE id = ?", row)
            _insert_predictions(connection, predictions)

    def forget_unfinished(self) -> None:
        """Delete the trainings that a kill has cut short; no training may run."""
        with self.changes() as connection:
            connection.execute("DELETE FROM trainings WHERE seconds IS NULL")

    def add_predictions(self, predictions: Iterable[Prediction]) -> None:
        """Save what a model says of texts, in place of what was said of them before."""
        with self.changes() as connection:
            _insert_predictions(connection, predictions)

    def prediction(self, text: int) -> Prediction | None:
        """Return what a model said last of a text; None if nothing."""
        row = self._one("SELECT gain, spans FROM predictions WHERE text = ?", text)
        with self._reading():
            return None if row is None else Prediction(text, row[0], [tuple(span) for span in json.loads(row[1])])

    def has_predictions(self) -> bool:
        """Whether a model has said anything."""
        return self._one("SELECT 1 FROM predictions LIMIT 1") is not None


def _connected(path: Path) -> sqlite3.Connection:
    """Return a connection to a new file."""
    connection: sqlite3.Connection = sqlite3.connect(path, **CONNECTION)
    _prepare(connection)
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """Let transactions end when they are on the disk."""
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _insert_documents(connection: sqlite3.Connection, documents: Iterable[Document], random: Random) -> int:
    """Insert documents with their sentences, and return the number of sentences."""
    number = 0
    for document in documents:
        id = _insert_document(connection, document.id, document.text, document.record)
        for sentence in document.sentences:
            if sentence.frames is not None:
                raise DataError(f"{place_of(sentence)}: expected a text to annotate, got frames; give a file of texts")
            if sentence.tokens:
                _insert_sentence(connection, id, sentence, random.randrange(DRAWS))
                number += 1
    return number


def _insert_document(connection: sqlite3.Connection, name: Any, text: str, record: Mapping[str, Any] | None) -> int:
    row = (None if name is None else _dumped(name), text, _dumped(record) if record else None)
    done = connection.execute("INSERT INTO documents (name, text, record) VALUES (?, ?, ?)", row)
    return int(done.lastrowid or 0)


def _insert_sentence(connection: sqlite3.Connection, document: int, sentence: Sentence, draw: int) -> int:
    values = (_dumped(part) for part in (sentence.tokens, sentence.offsets, dict(sentence.meta)))
    query = "INSERT INTO texts (document, tokens, offsets, meta, draw) VALUES (?, ?, ?, ?, ?)"
    return int(connection.execute(query, (document, *values, draw)).lastrowid or 0)


def _insert_predictions(connection: sqlite3.Connection, predictions: Iterable[Prediction]) -> None:
    rows = ((each.text, each.gain, _dumped(each.spans)) for each in predictions)
    connection.executemany("INSERT OR REPLACE INTO predictions VALUES (?, ?, ?)", rows)


def _text(row: Sequence[Any]) -> Text:
    id, tokens, offsets, meta, draw, name, text, record, number = row
    known = None if name is None else json.loads(name)
    kept = {**({} if known is None else {"id": known}), **json.loads(record or "{}")}
    sentence = Sentence(
        tuple(json.loads(tokens)),
        text,
        tuple((start, end) for start, end in json.loads(offsets)),
        meta=json.loads(meta),
        document=str(number),  # ids need not be unique
        record=kept or None,
    )
    return Text(id, sentence, draw)


def _as_json(sentence: Sentence) -> str:
    return _dumped(sentence_to_json(sentence))


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
