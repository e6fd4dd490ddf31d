"""What people have judged, in the order of time."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tagger.annotation.judgements import Judgement, Kind
from tagger.annotation.store.database import Database

COUNT = "SELECT count(*) FROM judgements WHERE kind != 'skip'"
INSERT = "INSERT INTO judgements (text, kind, start, stop, type, seconds, person, time) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class Judgements:
    """The judgements in a file."""

    database: Database

    def all(self) -> list[Judgement]:
        """Return all judgements in the order of time."""
        return [Judgement(*row) for row in self.database.all("SELECT * FROM judgements ORDER BY id")]

    def on(self, text: int) -> list[Judgement]:
        """Return the judgements on a text in the order of time."""
        rows = self.database.all("SELECT * FROM judgements WHERE text = ? ORDER BY id", text)
        return [Judgement(*row) for row in rows]

    def by_text(self, *, skipped: bool = False) -> dict[int, list[Judgement]]:
        """Return the judgements on each text that has some; texts that were only skipped on demand."""
        found: dict[int, list[Judgement]] = {}
        for each in self.all():
            found.setdefault(each.text, []).append(each)
        return {text: said for text, said in found.items() if skipped or any(each.kind != "skip" for each in said)}

    def count(self) -> int:
        """Return the number of judgements, without skipped texts."""
        return int(self.database.first(COUNT)[0])

    def add(
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
        with self.database.changes() as connection:
            connection.execute(INSERT, (text, kind, start, end, type, seconds, person, time.time()))

    def replace(self, found: Mapping[int, Sequence[Judgement]]) -> None:
        """Replace all judgements on some texts."""
        with self.database.changes() as connection:
            for text, judgements in found.items():
                connection.execute("DELETE FROM judgements WHERE text = ?", (text,))
                connection.executemany(INSERT, [(text, *each[2:]) for each in judgements])

    def undo(self) -> int | None:
        """Delete the last judgement, and return the number of its text; None if there is none."""
        with self.database.changes() as connection:
            row = connection.execute("SELECT id, text FROM judgements ORDER BY id DESC LIMIT 1").fetchone()
            if row is not None:
                connection.execute("DELETE FROM judgements WHERE id = ?", row[:1])
        return None if row is None else int(row[1])
