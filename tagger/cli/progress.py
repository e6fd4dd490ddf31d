"""A live line on standard error that says how much of some work is done. It is removed when the work ends."""

import math
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

T = TypeVar("T")

SHOWN_AFTER = 2.0  # seconds that work takes before its line appears: loading rich takes 0.1 s
REFRESHED = 0.5  # seconds from one change of a line to the next


class LiveLine:
    """A text, a bar and the time left, on the terminal of standard error.

    Args:
        text: The text at the start.
        total: The amount of work; None if it is unknown, and then no time left is shown.
    """

    def __init__(self, text: str, total: float | None) -> None:
        from rich.console import Console  # not needed for short work
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        left = (TextColumn("left"), TimeRemainingColumn()) if total else ()
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), *left)
        # What goes to standard output must not go to the terminal, where rich would write it by default.
        self._progress = Progress(
            *columns,
            console=Console(stderr=True),
            refresh_per_second=1 / REFRESHED,
            transient=True,
            redirect_stdout=False,
        )
        self._task = self._progress.add_task(text, total=total)
        self._progress.start()

    def update(self, text: str, done: float) -> None:
        """Show a text, and how much of the total is done."""
        self._progress.update(self._task, description=text, completed=done)

    def close(self) -> None:
        """Remove the line, if the terminal is still there."""
        with suppress(OSError):
            self._progress.stop()


class Meter:
    """Shows how many items are done and how fast, if standard error is a terminal and the work takes over two seconds.

    Args:
        noun: What the items are, such as `sentences tagged`.
        file: The input, for the time left; that of a pipe or of a packed file is unknown.
        hidden: Whether to show nothing.
    """

    def __init__(self, noun: str, file: str = "-", *, hidden: bool = False) -> None:
        self._noun, self._read = noun, 0
        self._size = Path(file).stat().st_size if Path(file).is_file() and not file.endswith(".gz") else None
        self._hidden = hidden or not sys.stderr.isatty()
        self._line: LiveLine | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._line is not None:
            self._line.close()

    def reading(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the lines of the input, and count their bytes."""
        for line in lines:
            self._read += len(line)
            yield line

    def counting(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items, and show their number and rate so far."""
        started = time.perf_counter()
        due = started + SHOWN_AFTER if not self._hidden else math.inf
        for done, item in enumerate(items, 1):
            yield item
            now = time.perf_counter()
            if now > due:
                due = now + REFRESHED
                text = f"{self._noun}: {done:,}  {done / (now - started):,.0f}/s"
                self._line = self._line or LiveLine(text, self._size)
                self._line.update(text, min(self._read, self._size or 0))
