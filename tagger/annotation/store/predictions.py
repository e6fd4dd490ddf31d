"""What the last model that read a text says of it."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tagger.annotation.store.database import Database, to_json


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


@dataclass(frozen=True)
class Predictions:
    """The predictions in a file."""

    database: Database

    def on(self, text: int) -> Prediction | None:
        """Return what a model said last of a text; None if nothing."""
        row = self.database.first("SELECT gain, spans FROM predictions WHERE text = ?", text)
        if row is None:
            return None
        return Prediction(text, row[0], [tuple(span) for span in self.database.from_json(row[1])])

    def any(self) -> bool:
        """Whether a model has said anything."""
        return self.database.first("SELECT 1 FROM predictions LIMIT 1") is not None

    def add(self, predictions: Iterable[Prediction]) -> None:
        """Save what a model says of texts, in place of what was said of them before."""
        with self.database.changes() as connection:
            insert_predictions(connection, predictions)


def insert_predictions(connection: sqlite3.Connection, predictions: Iterable[Prediction]) -> None:
    """Insert or replace predictions within a transaction."""
    rows = ((each.text, each.gain, to_json(each.spans)) for each in predictions)
    connection.executemany("INSERT OR REPLACE INTO predictions VALUES (?, ?, ?)", rows)
