"""The command `train`, and its runs on standard error: one line per note and epoch of a single run, or per run of
several, and on a terminal live lines below them.

A terminal that is closed, or a pipe whose reader has ended, does not end the training: output is then lost.
"""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from rich.console import Console

from tagger.cli.progress import LiveLine, LiveLines
from tagger.cli.training.notes import Notes
from tagger.reporting.report import Report
from tagger.reporting.run_group import RunGroup
from tagger.running.dry_run import DryRun, dry_run
from tagger.running.run import RunListener
from tagger.running.several.processes import GroupListener
from tagger.running.several.training import train_several
from tagger.running.train import train
from tagger.training.loop import Epoch
from tagger.wording import spoken


def train_once(recipe: Path, folder: Path, settings: Mapping[str, Any]) -> Report | None:
    """Make a run in a folder and show it; `settings` are arguments of `train`. Return its report, if it has one."""
    with TrainingProgress() as progress:
        return train(recipe, output=folder, listener=progress, **settings).report


def rehearse(recipe: Path, settings: Mapping[str, Any]) -> DryRun:
    """Check a run and make its first steps; `settings` are arguments of `dry_run`."""
    with TrainingProgress() as progress:
        return dry_run(recipe, listener=progress, **settings)


def train_group(
    recipe: Path, folder: Path, seeds: Sequence[int] | None, folds: int | None, jobs: int, settings: Mapping[str, Any]
) -> RunGroup:
    """Make several runs in a folder and show them; `settings` are arguments of `train_several`."""
    with GroupProgress() as progress:
        return train_several(recipe, seeds=seeds, folds=folds, jobs=jobs, output=folder, listener=progress, **settings)


class TrainingProgress(Notes, RunListener):
    """Shows a run on standard error."""

    def __init__(self) -> None:
        super().__init__()
        self._work: LiveLine | None = None
        self._num_epochs, self._epoch, self._dev, self._best = 0, 1, "-", "-"

    def advanced(self, work: str, done: int, total: int) -> None:
        """Show the work on a live line until it is done, unless there is one of epochs."""
        if self._line is None and sys.stderr.isatty():
            self._work = self._work or LiveLine(work, total)
            self._work.update(f"{work}: {done:,}", done)
        if self._line is None and done == total:
            self._stop()

    def started(self, num_epochs: int, num_steps: int) -> None:
        """Open the live line."""
        self._num_epochs, self._epoch, self._dev, self._best = num_epochs, 1, "-", "-"
        self._line = LiveLine(f"epoch 1/{num_epochs}", num_steps) if sys.stderr.isatty() else None

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        """Update the live line."""
        if self._line is not None:
            scores = f"dev {self._dev}" if self._dev == self._best else f"dev {self._dev}, best {self._best}"
            figures = f"loss {loss:.4f}  {scores}  {tokens_per_second:,.0f} tokens/s{memory_used()}"
            self._line.update(f"epoch {self._epoch}/{self._num_epochs}  {figures}", step)

    def scored(self, epoch: Epoch) -> None:
        """Print a line for the epoch, above the live line."""
        scores = "  ".join(f"{layer} {score:.4f}" for layer, score in epoch.dev.items())
        seconds_left = epoch.seconds / epoch.epoch * (self._num_epochs - epoch.epoch)
        left = "" if self._line or not seconds_left else f"  left at most {seconds_left:.0f} s"
        mark = "  best" if epoch.best else ""
        self._print(
            f"epoch {epoch.epoch:3}/{self._num_epochs}  loss {epoch.loss:.4f}  dev {scores}"
            f"  {epoch.tokens_per_second:,.0f} tokens/s{left}{mark}"
        )
        self._epoch, self._dev = min(epoch.epoch + 1, self._num_epochs), f"{epoch.selected:.4f}"
        self._best = self._dev if epoch.best else self._best

    def _stop(self) -> None:
        super()._stop()
        if self._work is not None:
            self._work.close()
            self._work = None


class GroupProgress(GroupListener):
    """Shows several runs on standard error: a line when a run ends, and on a terminal a live line for each at work.

    Notes are shown once, although each run has them, and only those up to the first epoch.
    """

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self._started = time.perf_counter()
        self._lines: LiveLines | None = None
        self._said: set[str] = set()
        self._begun: dict[str, float] = {}
        self._shares: dict[str, float] = {}
        self._of, self._ended, self._learning = 0, 0, False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._lines is not None:
            self._lines.close()

    def began(self, name: str, of: int) -> None:
        """Open a live line for the run."""
        self._of, self._begun[name], self._shares[name] = of, time.perf_counter(), 0.0
        if sys.stderr.isatty():
            self._lines = self._lines or LiveLines(self._state(), of)
            self._lines.add(name)

    def noted(self, name: str, message: str) -> None:
        """Print a note with the seconds since the start."""
        if not self._learning and message not in self._said:
            self._said.add(message)
            self._print(f"[{time.perf_counter() - self._started:6.1f} s] {name}: {message}")

    def advanced(self, name: str, work: str, done: int, total: int) -> None:
        """Show the work on the live line of the run."""
        if self._lines is not None:
            self._lines.describe(name, f"{name}  {work}: {done:,}")

    def stepped(self, name: str, share: float) -> None:
        """Update the live line."""
        self._shares[name] = share
        if self._lines is not None:
            self._lines.update(name, share, total=self._ended + sum(self._shares.values()))

    def scored(self, name: str, epoch: Epoch) -> None:
        """Show the dev score on the live line."""
        self._learning = True
        if self._lines is not None:
            self._lines.describe(name, f"{name}  epoch {epoch.epoch}  loss {epoch.loss:.4f}  dev {epoch.selected:.4f}")

    def ended(self, name: str, result: str) -> None:
        """Print the result of a run, and the time left if the others take as long as those before."""
        now = time.perf_counter()
        self._ended += 1
        self._shares.pop(name)
        done = self._ended + sum(self._shares.values())
        left = (now - self._started) / done * (self._of - done)
        rest = f"; about {spoken(left)} left" if self._ended < self._of else ""
        if self._lines is not None:
            self._lines.remove(name, self._state(), total=done)
        self._print(f"[{self._ended}/{self._of}] {name}: {result}; took {spoken(now - self._begun[name])}{rest}")

    def _state(self) -> str:
        return f"{self._ended} of {self._of} runs"

    def _print(self, line: str) -> None:
        with suppress(OSError):
            if self._lines is not None:
                self._lines.print(line)
            else:
                self._console.print(line, markup=False)


def memory_used() -> str:
    """Return the memory of this process in words, such as `  1.2 GiB`; nothing where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return ""
    return f"  {pages * os.sysconf('SC_PAGE_SIZE') / 2**30:.1f} GiB"
