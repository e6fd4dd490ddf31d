"""Lines on standard error while a training runs, and on a terminal a live line below them."""

import sys
import time
from contextlib import suppress
from typing import Self

from rich.console import Console

from tagger.cli.progress import LiveLine


class Notes:
    """Prints notes above a live line, which is removed when a note or the end comes."""

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

    def _print(self, line: str) -> None:
        with suppress(OSError):  # the terminal may be gone
            self._console.print(line, markup=False)

    def _stop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
