"""The trainings of a project: when each began, and what came out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tagger.annotation.store.database import Database, to_json
from tagger.annotation.store.judgements import COUNT
from tagger.annotation.store.predictions import Prediction, insert_predictions

AFTER = 20  # judgements after which the next training begins


class Training(NamedTuple):
    """A training: after how many judgements it began, how long it took (None: not ended), and what came out."""

    judgements: int
    seconds: float | None
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Trainings:
    """The trainings in a file."""

    database: Database

    def all(self) -> list[Training]:
        """Return the trainings in the order of time."""
        rows = self.database.all("SELECT judgements, seconds, facts FROM trainings ORDER BY id")
        return [Training(number, seconds, self.database.from_json(facts or "{}")) for number, seconds, facts in rows]

    def ended(self) -> list[Training]:
        """Return the trainings that have ended, in the order of time."""
        return [training for training in self.all() if training.seconds is not None]

    def due_in(self) -> int:
        """Return how many judgements are missing before the next training begins."""
        last = [training.judgements for training in self.ended()][-1:]
        return max(0, AFTER - int(self.database.first(COUNT)[0]) + sum(last))

    def begin(self) -> int:
        """Note that a training began, and return its number."""
        with self.database.changes() as connection:
            return int(connection.execute(f"INSERT INTO trainings (judgements) {COUNT}").lastrowid or 0)

    def end(self, number: int, seconds: float, facts: Mapping[str, Any], said: Iterable[Prediction] = ()) -> None:
        """Note the result of a training, with what its model says of texts."""
        with self.database.changes() as connection:
            row = (seconds, to_json(facts), number)
            connection.execute("UPDATE trainings SET seconds = ?, facts = ? WHERE id = ?", row)
            insert_predictions(connection, said)

    def forget_unfinished(self) -> None:
        """Delete the trainings that a kill has cut short; no training may run."""
        with self.database.changes() as connection:
            connection.execute("DELETE FROM trainings WHERE seconds IS NULL")
