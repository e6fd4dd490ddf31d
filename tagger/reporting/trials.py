"""The trials of a search: their values and dev scores, the best one, and which values mattered."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tagger.metrics.section import Cell, Table
from tagger.reporting.tables import markdown_lines, text_lines
from tagger.wording import counted, visible

State = Literal["finished", "pruned", "failed", "running", "waiting"]
SHOWN = 10  # trials in a text


@dataclass(frozen=True, slots=True)
class TrialResult:
    """One trial.

    Args:
        number: Its number, from 1.
        state: How it ended. A pruned one was stopped early, because its scores were below those of others.
        values: The values that were tried, by key.
        score: Its best dev score so far; None if it has none.
        epoch: The epoch of that score.
        seconds: How long it took.
        own: Whether its values are those of the recipe itself.
        error: Why it failed.
    """

    number: int
    state: State
    values: Mapping[str, Any]
    score: float | None = None
    epoch: int | None = None
    seconds: float | None = None
    own: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class TrialGroup:
    """The trials of a search.

    Args:
        name: What the recipe is called.
        trials: The trials in their order.
        importance: How much of the variance of the scores each value explains, largest first; empty if there are too
            few trials to say.
    """

    name: str
    trials: Sequence[TrialResult]
    importance: Mapping[str, float]

    @property
    def best(self) -> TrialResult | None:
        """The finished trial with the highest dev score; of equal ones the first."""
        finished = [trial for trial in self.trials if trial.state == "finished" and trial.score is not None]
        return max(finished, key=lambda trial: trial.score or 0.0, default=None)

    @property
    def ranked(self) -> list[TrialResult]:
        """The trials with a score, the best first; those that finished before those that were pruned."""
        scored = [trial for trial in self.trials if trial.score is not None]
        return sorted(scored, key=lambda trial: (trial.state != "finished", -(trial.score or 0.0)))

    def table(self, most: int | None = None) -> Table:
        """Return the trials in rows, the best first."""
        keys = list(dict.fromkeys(key for trial in self.trials for key in trial.values))
        rows = [
            (trial.number, trial.score, trial.epoch, trial.state, *(_cell(trial.values.get(key)) for key in keys))
            for trial in self.ranked[:most]
        ]
        return Table(("trial", "dev", "epoch", "state", *keys), tuple(rows))

    def importances(self) -> Table:
        """Return the importance of each value in rows."""
        return Table(("value", "share of the variance"), tuple(self.importance.items()))

    def notes(self) -> list[str]:
        """Return what the search did, one sentence each."""
        counts = Counter(trial.state for trial in self.trials)
        others = ", ".join(f"{counts[state]} {state}" for state in ("pruned", "failed", "running") if counts[state])
        notes = [f"{self.name}: {counted(len(self.trials), 'trial')}{f' ({others})' if others else ''}"]
        own = next((trial for trial in self.trials if trial.own and trial.state == "finished"), None)
        if self.best is not None:
            itself = f"the recipe itself: {own.score:.4f}" if own is not None else "the recipe itself was not tried"
            notes.append(f"best dev score {self.best.score:.4f} in trial {self.best.number}; {itself}")
            notes.append("the best of many dev scores is too high by chance; compare both recipes with several seeds")
        notes += [f"trial {trial.number} failed: {trial.error}" for trial in self.trials if trial.error]
        return notes

    def to_dict(self) -> dict[str, Any]:
        """Return the trials as JSON values."""
        keys = ("number", "state", "own", "score", "epoch", "seconds", "error", "values")
        trials = [{key: getattr(trial, key) for key in keys} for trial in self.trials]
        best = self.best.number if self.best is not None else None
        return {
            "recipe": self.name,
            "best": best,
            "importance": dict(self.importance),
            "trials": trials,
            "notes": self.notes(),
        }

    def to_text(self) -> str:
        """Return the best trials and the importance of their values as plain text."""
        head, *notes = self.notes()
        lines = [head, "", *text_lines(self.table(SHOWN))]
        if self.importance:
            lines += ["", *text_lines(self.importances())]
        return visible("\n".join([*lines, *([""] if notes else []), *notes]) + "\n")

    def to_markdown(self) -> str:
        """Return all trials and the importance of their values in Markdown."""
        head, *notes = self.notes()
        lines = [f"{head}.", "", *markdown_lines(self.table())]
        if self.importance:
            lines += ["", *markdown_lines(self.importances())]
        return "\n".join([*lines, "", *(f"{note}.  " for note in notes)]) + "\n"


def _cell(value: Any) -> Cell:
    """Return a value of a recipe as a cell: numbers that are no shares are written as they are."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
