"""The texts of a project, each with the document that it is from."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, NamedTuple

from tagger.annotation.store.database import Database, to_json
from tagger.errors import DataError
from tagger.text.document import Document
from tagger.text.sentence import Sentence, place_of

DRAWS = 2**31
TEXTS = (
    "SELECT texts.id, tokens, offsets, meta, draw, name, text, record, document FROM texts "
    "JOIN documents ON documents.id = texts.document"
)
UNTOUCHED = (
    "SELECT texts.id, draw, gain FROM texts LEFT JOIN predictions ON predictions.text = texts.id "
    "WHERE NOT EXISTS (SELECT 1 FROM judgements WHERE judgements.text = texts.id) ORDER BY draw, texts.id"
)


class Text(NamedTuple):
    """A text of the project: one sentence, with a random number that decides its order and whether it is held out."""

    id: int
    sentence: Sentence
    draw: int


class Untouched(NamedTuple):
    """A text without any judgement, with how much a judgement on it teaches; None if no model has read it."""

    id: int
    draw: int
    gain: float | None


@dataclass(frozen=True)
class Texts:
    """The texts in a file."""

    database: Database

    def count(self) -> int:
        """Return the number of texts."""
        return int(self.database.first("SELECT count(*) FROM texts")[0])

    def all(self) -> list[Text]:
        """Return all texts in the order of their numbers."""
        return [self._text(row) for row in self.database.all(f"{TEXTS} ORDER BY texts.id")]

    def some(self, ids: Iterable[int]) -> list[Text]:
        """Return the texts with some numbers, in the order of these."""
        query = f"{TEXTS} WHERE texts.id IN (SELECT value FROM json_each(?)) ORDER BY texts.id"
        return [self._text(row) for row in self.database.all(query, to_json(list(ids)))]

    def one(self, id: int) -> Text:
        """Return a text.

        Raises:
            DataError: There is none with this number.
        """
        found = self.some([id])
        if not found:
            raise DataError(f"text {id}: there is no such text; they have the numbers 1 to {self.count()}")
        return found[0]

    def untouched(self) -> list[Untouched]:
        """Return the texts without any judgement, in the order of draws."""
        return [Untouched(*row) for row in self.database.all(UNTOUCHED)]

    def add(self, texts: Iterable[Text]) -> list[int]:
        """Add texts of another project, and return their numbers here."""
        documents: dict[str | None, int] = {}  # theirs to ours
        found = []
        with self.database.changes() as connection:
            for text in texts:
                sentence, record = text.sentence, dict(text.sentence.record or {})
                if sentence.document not in documents:
                    name = record.pop("id", None)
                    documents[sentence.document] = _insert_document(connection, name, sentence.text, record)
                found.append(_insert_sentence(connection, documents[sentence.document], sentence, text.draw))
        return found

    def _text(self, row: Sequence[Any]) -> Text:
        id, tokens, offsets, meta, draw, name, text, record, number = row
        named = {} if name is None else {"id": self.database.from_json(name)}
        sentence = Sentence(
            tuple(self.database.from_json(tokens)),
            text,
            tuple((start, end) for start, end in self.database.from_json(offsets)),
            meta=self.database.from_json(meta),
            document=str(number),  # ids need not be unique
            record={**named, **self.database.from_json(record or "{}")} or None,
        )
        return Text(id, sentence, draw)


def alone(sentence: Sentence) -> Sentence:
    """Return a sentence with its own text in place of the text of its document."""
    first, last = sentence.offsets[0][0], sentence.offsets[-1][1]
    offsets = tuple((start - first, end - first) for start, end in sentence.offsets)
    return replace(sentence, text=sentence.text[first:last], offsets=offsets)


def insert_documents(connection: sqlite3.Connection, documents: Iterable[Document], seed: int) -> int:
    """Insert documents within a transaction, and return the number of their sentences with tokens.

    Raises:
        DataError: A document is a sequence of numbers.
    """
    number, random = 0, Random(seed)
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
    row = (None if name is None else to_json(name), text, to_json(record) if record else None)
    done = connection.execute("INSERT INTO documents (name, text, record) VALUES (?, ?, ?)", row)
    return int(done.lastrowid or 0)


def _insert_sentence(connection: sqlite3.Connection, document: int, sentence: Sentence, draw: int) -> int:
    values = (to_json(part) for part in (sentence.tokens, sentence.offsets, dict(sentence.meta)))
    query = "INSERT INTO texts (document, tokens, offsets, meta, draw) VALUES (?, ?, ?, ?, ?)"
    return int(connection.execute(query, (document, *values, draw)).lastrowid or 0)
