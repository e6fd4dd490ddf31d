"""A training of a character language model on standard error: a line per note and round, and a live line below."""

import sys
import time
from contextlib import suppress
from typing import Self

from rich.console import Console

from tagger.cli.progress import LiveLine
from tagger.cli.training.runs import spoken
from tagger.pretraining.plan import Listener, Round

PARTS = 1000  # steps of the live line


class PretrainingProgress(Listener):
    """Shows a training on standard error."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self._line: LiveLine | None = None
        self._started = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def noted(self, message: str) -> None:
        """Print a line with the seconds since the start."""
        self._stop()
        self._print(f"[{time.perf_counter() - self._started:6.1f} s] {message}")

    def stepped(self, done: float, epochs: float, perplexity: float, characters_per_second: float) -> None:
        """Update the live line."""
        if not sys.stderr.isatty():
            return
        text = f"pass {epochs:.2f}  perplexity {perplexity:.3f}  {characters_per_second:,.0f} characters/s"
        self._line = self._line or LiveLine(text, PARTS)
        self._line.update(text, done * PARTS)

    def scored(self, last: Round, done: float) -> None:
        """Print a line for the round, above the live line."""
        left = last.seconds / done * (1 - done)
        rest = f"  about {spoken(left)} left" if left and self._line is None else ""
        self._print(
            f"pass {last.epochs:6.2f}  perplexity {last.perplexity:.3f}  dev {last.dev_perplexity:.3f} "
            f"({last.dev_bits:.3f} bits)  {last.characters_per_second:,.0f} characters/s{rest}"
            f"{'  best' if last.best else ''}"
        )

    def _print(self, line: str) -> None:
        with suppress(OSError):
            self._console.print(line, markup=False)

    def _stop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
