"""The trials of a search on standard error: a line when one ends, and on a terminal a live line below them."""

import sys
import time
from collections.abc import Mapping
from typing import Any

from tagger.cli.progress import LiveLine
from tagger.cli.training.notes import Notes
from tagger.reporting.trials import TrialResult
from tagger.running.tuning.study import TuneListener

STEPS = 1000  # of the live line


class TuneProgress(Notes, TuneListener):
    """Shows the trials of a search on standard error."""

    def __init__(self) -> None:
        super().__init__()
        self._of, self._made, self._begun, self._name = 0, 0, 0.0, ""

    def began(self, number: int, of: int, values: Mapping[str, Any]) -> None:
        """Open the live line."""
        self._of, self._begun = of, time.perf_counter()
        self._name = f"trial {number} of {of}"
        self._line = LiveLine(self._name, STEPS) if sys.stderr.isatty() else None

    def stepped(self, share: float) -> None:
        """Update the live line."""
        if self._line is not None:
            self._line.update(self._name, round(share * STEPS))

    def ended(self, trial: TrialResult, best: float | None) -> None:
        """Print the score of a trial, and the time left if the others take as long as those before."""
        self._stop()
        self._made += 1
        elapsed = time.perf_counter() - self._started
        left = max(0, self._of - trial.number) * elapsed / self._made
        score = "no score" if trial.score is None else f"dev {trial.score:.4f}"
        state = "" if trial.state == "finished" else f" ({trial.state})"
        state += f": {trial.error}" if trial.error else ""
        highest = "" if best is None else f"; best {best:.4f}"
        took = time.perf_counter() - self._begun
        self._print(
            f"[{trial.number}/{self._of}] {score}{state}{highest}; took {took:.0f} s; at most {left / 60:.0f} min left"
        )
