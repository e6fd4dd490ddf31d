"""Progress of a series of runs on standard error: how many are done, and how long the rest will take."""

import shutil
import sys
import time
from collections.abc import Sequence
from statistics import fmean

from tagger import RunListener

MOVES, LINES = 0.5, 10.0  # seconds between two reports: on a terminal, where one line changes, and elsewhere


class Progress(RunListener):
    """Reports the start, progress and end of each run. As the listener of `tagger.train`, it follows the training.

    Args:
        kinds: The kind of each run, in order; runs of one kind are expected to take equally long.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = kinds
        self.spent: list[float] = []
        self._live = sys.stderr.isatty()
        self._name, self._steps, self._share = "", 0, 0.0
        self._began = self._told = time.perf_counter()

    def begin(self, name: str) -> None:
        """Report that the next run begins."""
        self._name = name
        self._restart()
        self._tell(f"{name}: begins")

    def started(self, num_epochs: int, num_steps: int) -> None:
        """Store the number of steps of its training."""
        self._steps = num_steps

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        """Report the share of its training that is done, from time to time."""
        self._share = step / self._steps
        if time.perf_counter() - self._told > (MOVES if self._live else LINES):
            self._tell(f"{self._name}: {self._share:.0%} trained")

    def end(self, result: str = "done") -> None:
        """Report that the run has ended, with its result."""
        seconds = time.perf_counter() - self._began
        self.spent.append(seconds)
        self._restart()
        self._tell(f"{self._name}: {result}; took {spoken(seconds)}", stays=True)

    def _restart(self) -> None:
        self._began, self._share = time.perf_counter(), 0.0

    def _tell(self, said: str, *, stays: bool = False) -> None:
        number, left = len(self.spent) + (not stays), self.seconds_left()
        line = f"[{number}/{len(self.kinds)}] {said}" + ("" if left is None else f"; about {spoken(left)} left")
        if self._live and not stays:
            line = line[: shutil.get_terminal_size().columns - 1]  # a line that wraps cannot be overwritten
        sys.stderr.write(f"\r{line}\x1b[K" + "\n" * stays if self._live else f"{line}\n")
        sys.stderr.flush()
        self._told = time.perf_counter()

    def seconds_left(self) -> float | None:
        """Return how long the remaining runs will take, estimated from those that have ended; None if unknown."""
        known: dict[str, list[float]] = {}
        for kind, seconds in zip(self.kinds, self.spent, strict=False):
            known.setdefault(kind, []).append(seconds)
        each = {kind: fmean(seconds) for kind, seconds in known.items()}
        ahead, gone = self.kinds[len(self.spent) :], time.perf_counter() - self._began
        if self._share and ahead:
            each.setdefault(ahead[0], gone / self._share)
        if not each or not ahead:
            return None
        unknown = fmean(each.values())
        return max(0.0, sum(each.get(kind, unknown) for kind in ahead) - gone)


def spoken(seconds: float) -> str:
    """Return a duration in seconds, or in minutes if it is long."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
