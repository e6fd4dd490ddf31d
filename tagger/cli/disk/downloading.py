"""Downloads on standard error: one line per corpus, and on a terminal a live line while a download takes long."""

import sys
import time

from tagger.catalogue.download import Listener
from tagger.cli.progress import REFRESHED, SHOWN_AFTER, LiveLine
from tagger.wording import visible


class DownloadProgress(Listener):
    """Shows each corpus as a line on standard error, and a long download as a live line with the time left."""

    def __init__(self) -> None:
        self._line: LiveLine | None = None
        self._what, self._due = "", 0.0
        self._total: int | None = None

    def noted(self, message: str) -> None:
        """Print a line."""
        sys.stderr.write(f"{visible(message)}\n")

    def started(self, what: str, total: int | None) -> None:
        """Remember what is downloaded; its line appears if that takes long."""
        self._what, self._total, self._due = what, total, time.monotonic() + SHOWN_AFTER

    def advanced(self, done: int) -> None:
        """Show how much there is."""
        if not sys.stderr.isatty() or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + REFRESHED
        of = "" if self._total is None else f" of {self._total / 1e6:,.1f}"
        text = f"{self._what}: {done / 1e6:,.1f}{of} MB"
        self._line = self._line or LiveLine(text, self._total)
        self._line.update(text, done)

    def ended(self) -> None:
        """Remove the live line."""
        if self._line is not None:
            self._line.close()
            self._line = None
