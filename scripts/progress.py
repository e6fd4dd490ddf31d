"""Progress of a series of runs on standard error: a line for each run that has ended, and a live one on a terminal."""

import sys
import time
from typing import Self

from rich import progress as rich_progress
from rich.console import Console

from tagger import RunListener


class Progress(RunListener):
    """Shows how many runs are done and the time left. As the listener of `tagger.train`, it follows the training.

    Args:
        total: Number of runs.
        trainings: Number of trainings in a run.
    """

    def __init__(self, total: int, *, trainings: int = 1) -> None:
        self._total, self._done, self._steps, self._name = total, 0, 1, ""
        self._trainings, self._training = trainings, 0
        self._started = self._began = time.perf_counter()
        self._line = rich_progress.Progress(
            rich_progress.TextColumn("{task.description}"),
            rich_progress.BarColumn(bar_width=20),
            rich_progress.TextColumn("left"),
            rich_progress.TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False, soft_wrap=True),
            transient=True,
            redirect_stdout=False,
        )
        self._task = self._line.add_task("", total=total)

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._line.start()
        return self

    def __exit__(self, *_: object) -> None:
        if sys.stderr.isatty():
            self._line.stop()

    def begin(self, name: str) -> None:
        """Show the name of the next run."""
        self._name, self._began, self._training = name, time.perf_counter(), 0
        self._line.update(self._task, description=f"[{self._done + 1}/{self._total}] {name}")

    def started(self, num_epochs: int, num_steps: int) -> None:
        """Store the number of steps of a training."""
        self._steps = num_steps
        self._training += 1

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        """Show the share of the run that is done."""
        share = (self._training - 1 + step / self._steps) / self._trainings
        self._line.update(self._task, completed=self._done + share)

    def end(self, result: str) -> None:
        """Print the result of the run, and the time left if the other runs take as long as those before."""
        now = time.perf_counter()
        self._done += 1
        self._line.update(self._task, completed=self._done)
        left = (now - self._started) / self._done * (self._total - self._done)
        rest = f"; about {spoken(left)} left" if left else ""
        place = f"[{self._done}/{self._total}] {self._name}"
        self._line.console.print(f"{place}: {result}; took {spoken(now - self._began)}{rest}", markup=False)


def spoken(seconds: float) -> str:
    """Return a duration in seconds, or in minutes if it is long."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
