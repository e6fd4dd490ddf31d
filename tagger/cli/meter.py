"""A line on standard error that says how far a long conversion is, where that is a terminal."""

import sys
import time
from collections.abc import Iterable, Iterator

PATIENCE = 2.0  # seconds without a word
STEP = 10_000  # lines between two looks at the clock


class Meter:
    """Counts the lines of each pass over a file, and shows the count once it takes long."""

    def __init__(self) -> None:
        self.shown = False
        self._started = time.monotonic()
        self._passes = 0

    def counted(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """The same lines, counted."""
        self._passes += 1
        for number, line in enumerate(lines, 1):
            if number % STEP == 0:
                self._show(number)
            yield line

    def _show(self, number: int) -> None:
        if sys.stderr.isatty() and time.monotonic() - self._started > PATIENCE:
            self.shown = True
            sys.stderr.write(f"\rpass {self._passes}: {number:,} lines")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self.shown:
            sys.stderr.write("\r\x1b[K")
