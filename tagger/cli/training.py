"""A training run on standard error: one line per note and epoch, and on a terminal a live line below them.

A terminal that is closed, or a pipe whose reader has ended, does not end the training: output is then lost.
"""

import sys
import time
from contextlib import suppress
from typing import Self

from rich.console import Console

from tagger.cli.progress import LiveLine
from tagger.running.run import RunListener
from tagger.training.loop import Epoch


class TrainingProgress(RunListener):
    """Shows a run on standard error."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self._line: LiveLine | None = None
        self._started = time.perf_counter()
        self._num_epochs, self._epoch, self._dev = 0, 1, "-"

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
        self._num_epochs, self._epoch, self._dev = num_epochs, 1, "-"
        self._line = LiveLine(f"epoch 1/{num_epochs}", num_steps) if sys.stderr.isatty() else None

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        """Update the live line."""
        if self._line is not None:
            figures = f"loss {loss:.4f}  dev {self._dev}  {tokens_per_second:,.0f} tokens/s"
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

    def _print(self, line: str) -> None:
        with suppress(OSError):
            self._console.print(line, markup=False)

    def _stop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
