"""How far a row of runs is and how long the rest will take, on standard error."""

import shutil
import sys
import time
from collections.abc import Sequence
from statistics import fmean

from tagger import RunListener

MOVES, LINES = 0.5, 10.0  # seconds between two words: on a terminal, where one line moves, and elsewhere


class Progress(RunListener):
    """Tells of each run as it begins, goes on and ends; given to `tagger.train`, it hears how far the run is.

    Args:
        kinds: The kind of each run, in order; runs of a kind are taken to last equally long.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = kinds
        self.spent: list[float] = []
        self._live = sys.stderr.isatty()
        self._name, self._steps, self._share = "", 0, 0.0
        self._began = self._told = time.perf_counter()

    def begin(self, name: str) -> None:
        """The next run begins."""
        self._name = name
        self._restart()
        self._tell(f"{name}: begins")

    def started(self, num_epochs: int, num_steps: int) -> None:
        """Its training begins."""
        self._steps = num_steps

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        """A step of its training is made."""
        self._share = step / self._steps
        if time.perf_counter() - self._told > (MOVES if self._live else LINES):
            self._tell(f"{self._name}: {self._share:.0%} trained")

    def end(self, result: str = "done") -> None:
        """The run is over; what came of it stays on the terminal."""
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
            line = line[: shutil.get_terminal_size().columns - 1]  # of a line that wraps only the end could move
        sys.stderr.write(f"\r{line}\x1b[K" + "\n" * stays if self._live else f"{line}\n")
        sys.stderr.flush()
        self._told = time.perf_counter()

    def seconds_left(self) -> float | None:
        """What the runs not yet over will take, by those that are, or by the share done of one; None if not known."""
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
    """Seconds, or minutes where they are many."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
