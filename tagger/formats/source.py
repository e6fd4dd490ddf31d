"""A file as every reader takes it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from tagger.files.reading import comes_once, iter_lines, read_lines


class Source(NamedTuple):
    """The lines of a file, from the start at each call.

    Args:
        where: The name of the file in messages.
        lines: Returns the lines without their ends.
        path: The file or folder, if it is on the disk.
    """

    where: str
    lines: Callable[[], Iterable[str]]
    path: Path | None = None


def source_of(path: Path, encoding: str | None = None) -> Source:
    """Return the source that a path is; a pipe, which can be read only once, is held in memory."""
    if comes_once(path):
        held = read_lines(path, encoding)
        return Source(str(path), lambda: held, path)
    return Source(str(path), lambda: iter_lines(path, encoding), path)
