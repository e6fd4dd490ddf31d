"""Progress of a training run on standard error: a live line on a terminal, plain lines elsewhere.

A terminal that is closed, or a pipe whose reader has ended, does not end the training: output is then lost.
"""

import sys
import time
from contextlib import suppress
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from tagger.running.run import RunListener
from tagger.training.loop import Epoch


class _Figures(ProgressColumn):
    """Loss, best dev score and speed of the task."""

    def render(self, task: Task) -> Text:
        fields = task.fields
        return Text(f"loss {fields['loss']:.4f}  dev {fields['dev']}  {fields['speed']:,.0f} tokens/s")


class TrainingProgress(RunListener):
    """Show a run on standard error: without a terminal, one line per epoch."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self._progress: Progress | None = None
        self._started = time.perf_counter()
        self._num_epochs = 0
        self._dev = "-"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def noted(self, message: str) -> None:
        """Print a line with the seconds since the start."""
        self._stop()
        self._print(f"[{time.perf_counter() - self._started:6.1f} s] {message}")

    def started(self, num_epochs: int, num_steps: int) -> None:
        """Open the live line."""
        self._num_epochs, self._dev = num_epochs, "-"
        if not self.console.is_terminal:
            return
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            _Figures(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )
        self._progress.start()
        self._progress.add_task(f"epoch 1/{num_epochs}", total=num_steps, loss=0.0, dev="-", speed=0.0)

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        """Update the live line."""
        if self._progress is not None:
            task = self._progress.task_ids[0]
            self._progress.update(task, completed=step, loss=loss, dev=self._dev, speed=tokens_per_second)

    def scored(self, epoch: Epoch) -> None:
        """Print a line for the epoch, above the live line."""
        scores = "  ".join(f"{layer} {score:.4f}" for layer, score in epoch.dev.items())
        left = "" if self._progress else f"  left at most {self._left(epoch):.0f} s"
        self._dev = f"{epoch.selected:.4f}"
        mark = "  best" if epoch.best else ""
        self._print(
            f"epoch {epoch.epoch:3}/{self._num_epochs}  loss {epoch.loss:.4f}  dev {scores}"
            f"  {epoch.tokens_per_second:,.0f} tokens/s{left}{mark}"
        )
        if self._progress is not None:
            number = min(epoch.epoch + 1, self._num_epochs)
            self._progress.update(self._progress.task_ids[0], description=f"epoch {number}/{self._num_epochs}")

    def _left(self, epoch: Epoch) -> float:
        return epoch.seconds / epoch.epoch * (self._num_epochs - epoch.epoch)

    def _print(self, line: str) -> None:
        with suppress(OSError):
            self.console.print(line, markup=False)

    def _stop(self) -> None:
        if self._progress is not None:
            with suppress(OSError):
                self._progress.stop()
            self._progress = None
