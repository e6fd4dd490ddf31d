"""A live line on standard error that says how much of some work is done. It is removed when the work ends."""

import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from operator import length_hint
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self, TypeVar

from tagger.files.reading import raw_lines

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

T = TypeVar("T")

SHOWN_AFTER = 2.0  # seconds that work takes before its line appears: loading rich takes 0.1 s
REFRESHED = 0.5  # seconds from one change of a line to the next


def shows_colours() -> bool:
    """Whether standard output is a terminal that shows colours, and the user wants them (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class LiveLine:
    """A text, a bar and the time left, on the terminal of standard error.

    Args:
        text: The text at the start.
        total: The amount of work; None if it is unknown, and then no time left is shown.
    """

    def __init__(self, text: str, total: float | None) -> None:
        self._progress = _shown(left=bool(total))
        self._task = self._progress.add_task(text, total=total)
        self._progress.start()

    def update(self, text: str, done: float) -> None:
        """Show a text, and how much of the total is done."""
        self._progress.update(self._task, description=text, completed=done)

    def close(self) -> None:
        """Remove the line, if the terminal is still there."""
        with suppress(OSError):
            self._progress.stop()


class LiveLines:
    """A live line for all work, with the time left, and below it one for each part that is being done.

    Args:
        text: What is done of all work, in words.
        total: The number of parts.
    """

    def __init__(self, text: str, total: int) -> None:
        self._progress = _shown(left=True)
        self._all = self._progress.add_task(text, total=total)
        self._parts: dict[str, TaskID] = {}
        self._progress.start()

    def add(self, name: str) -> None:
        """Show a part."""
        self._parts[name] = self._progress.add_task(name, total=1.0)

    def describe(self, name: str, text: str) -> None:
        """Show another text for a part."""
        self._progress.update(self._parts[name], description=text)

    def update(self, name: str, share: float, *, total: float) -> None:
        """Show which share of a part is done, and how many parts in all."""
        self._progress.update(self._parts[name], completed=share)
        self._progress.update(self._all, completed=total)

    def remove(self, name: str, text: str, *, total: float) -> None:
        """Remove the line of a part that has ended, and show what is done of all work."""
        self._progress.remove_task(self._parts.pop(name))
        self._progress.update(self._all, description=text, completed=total)

    def print(self, line: str) -> None:
        """Print a line above."""
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Remove the lines, if the terminal is still there."""
        with suppress(OSError):
            self._progress.stop()


def _shown(*, left: bool) -> "Progress":
    """Return lines for the terminal of standard error, each a text, a bar and perhaps the time left."""
    from rich.console import Console  # not needed for short work
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("left"), TimeRemainingColumn()) if left else ()
    # What goes to standard output must not go to the terminal, where rich would write it by default.
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        *columns,
        console=Console(stderr=True),
        refresh_per_second=1 / REFRESHED,
        transient=True,
        redirect_stdout=False,
    )


class FileLines:
    """The lines of a file, and where in the file a line is, for the time left.

    Args:
        path: The file; it may be packed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._lines = 0

    def __iter__(self) -> Iterator[bytes]:
        for line in raw_lines(self._path, else_standard_input=True, opened=self._open):
            self._lines += 1
            yield line

    @property
    def size(self) -> int | None:
        """The bytes of the file; None if it is no regular file, such as a pipe."""
        return self._path.stat().st_size if self._path.is_file() else None

    def position(self, line: int) -> float:
        """Return about how many bytes of the file, packed or not, end with a line that was read, from 1.

        A reader may be far ahead of the line: those of some formats read the whole file first.
        """
        if self._file is None:
            return 0
        read = (self.size or 0) if self._file.closed else self._file.tell()
        return read * min(line / max(self._lines, 1), 1)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _open(self, file: BinaryIO) -> None:
        self._file = file


class Meter:
    """Shows how many items are done and how fast, if standard error is a terminal and the work takes over two seconds.

    Args:
        noun: What the items are, such as `sentences tagged`.
        hidden: Whether to show nothing.
    """

    def __init__(self, noun: str, *, hidden: bool = False) -> None:
        self._noun = noun
        self._hidden = hidden or not sys.stderr.isatty()
        self._line: LiveLine | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._line is not None:
            self._line.close()

    def counting(
        self, items: Iterable[T], *, total: float | None = None, done: Callable[[T], float] | None = None
    ) -> Iterator[T]:
        """Yield the items, and show their number and rate so far, and the time left if the amount of work is known.

        Args:
            items: The items.
            total: The amount of work. Default: the number of items, if they know it.
            done: Returns how much of the total is done with an item. Default: each item is one.
        """
        total = total or length_hint(items) or None
        started = time.perf_counter()
        due = started + SHOWN_AFTER if not self._hidden else math.inf
        for number, item in enumerate(items, 1):
            yield item
            now = time.perf_counter()
            if now > due:
                due = now + REFRESHED
                text = f"{self._noun}: {number:,}  {number / (now - started):,.0f}/s"
                self._line = self._line or LiveLine(text, total)
                self._line.update(text, done(item) if done else number)
