"""What a training run shows on standard error: a live line on a terminal, plain lines elsewhere."""

import sys
import time
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
    """Shows a run on standard error. Without a terminal there is a line an epoch and nothing else moves."""

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
        """A line with the seconds since the start."""
        self._stop()
        self.console.print(f"[{time.perf_counter() - self._started:6.1f} s] {message}", markup=False)

    def started(self, num_epochs: int, num_steps: int) -> None:
        """Opens the live line."""
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
        """Moves the live line."""
        if self._progress is not None:
            task = self._progress.task_ids[0]
            self._progress.update(task, completed=step, loss=loss, dev=self._dev, speed=tokens_per_second)

    def scored(self, epoch: Epoch) -> None:
        """A line for the epoch; the live line stays below it."""
        scores = "  ".join(f"{layer} {score:.4f}" for layer, score in epoch.dev.items())
        left = "" if self._progress else f"  left at most {self._left(epoch):.0f} s"
        self._dev = f"{epoch.selected:.4f}"
        mark = "  best" if epoch.best else ""
        self.console.print(
            f"epoch {epoch.epoch:3}/{self._num_epochs}  loss {epoch.loss:.4f}  dev {scores}"
            f"  {epoch.tokens_per_second:,.0f} tokens/s{left}{mark}",
            markup=False,
        )
        if self._progress is not None:
            number = min(epoch.epoch + 1, self._num_epochs)
            self._progress.update(self._progress.task_ids[0], description=f"epoch {number}/{self._num_epochs}")

    def _left(self, epoch: Epoch) -> float:
        return epoch.seconds / epoch.epoch * (self._num_epochs - epoch.epoch)

    def _stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
