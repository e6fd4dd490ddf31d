"""How the lines of a column file are divided into fields, and what the first lines of any file look like.

Blank lines and `-DOCSTART-` lines separate; a line that starts with `#` may be a comment; all others hold the fields of
a token, between tabs or between runs of blanks and tabs.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, islice

from tagger.errors import DataError

UNKNOWN_MARK = "?"  # how an unknown tag is written
RESERVED = ("token", "index", "_")
DOCUMENT = "-DOCSTART-"
BLANKS = re.compile(r"[ \t]+")
HEAD = 1000  # lines that show the format of a file
SAMPLE = 5000  # lines that show its columns


def is_document(line: str) -> bool:
    """Whether a line opens a document."""
    return line.startswith(DOCUMENT) and BLANKS.split(line, maxsplit=1)[0] == DOCUMENT


def is_token_line(line: str) -> bool:
    """Whether a line is neither blank, nor the start of a document, nor a possible comment."""
    return bool(line.strip()) and not line.startswith(("#", DOCUMENT))


def split_fields(line: str, *, tabs: bool) -> list[str]:
    """Return the fields of a line."""
    return line.split("\t") if tabs else BLANKS.split(line.strip(" \t"))


def split_head(lines: Iterable[str]) -> tuple[list[str], Iterator[str]]:
    """Return the lines up to the first that must be a token line, and an iterator over all lines."""
    head: list[str] = []
    rest = iter(lines)
    for line in rest:
        head.append(line)
        if is_token_line(line):
            break
    return head, chain(head, rest)


def first_fields(head: Sequence[str], *, tabs: bool) -> list[str] | None:
    """Return the fields of the last line of a head that may be a token line; None if there is no such line."""
    lines = (line for line in reversed(head) if line.strip() and not line.startswith(DOCUMENT))
    return next((split_fields(line, tabs=tabs) for line in lines), None)


def uses_tabs(lines: Iterable[str], num_columns: int | None = None) -> bool:
    """Whether tabs separate the columns, as the first line that must be a token line shows; without one, any line."""
    lines = list(lines)
    first = next((line for line in lines if is_token_line(line)), None)
    if first is None:
        return any("\t" in line for line in lines if line.strip())
    runs = len(BLANKS.split(first.strip(" \t")))
    return "\t" in first and (first.count("\t") + 1 == num_columns or runs != num_columns)


def separated_by_tabs(lines: Iterable[str], num_columns: int) -> bool:
    """Whether tabs separate the columns: as the first token line shows, if it has all columns, or as most lines do.

    So a broken first line does not change how the others are read.
    """
    head, lines = split_head(islice(lines, SAMPLE))
    by_first = uses_tabs(head, num_columns)
    if by_first and head[-1].count("\t") + 1 == num_columns:
        return True
    fits = Counter(
        tabs
        for line in lines
        if is_token_line(line)
        for tabs in (True, False)
        if len(split_fields(line, tabs=tabs)) == num_columns
    )
    return fits[True] > fits[False] or (fits[True] == fits[False] and by_first)


class Sample:
    """The first lines of a file, without blank lines at the end, and their fields."""

    def __init__(self, lines: Iterable[str], limit: int = SAMPLE) -> None:
        self.lines = list(islice(lines, limit))
        while self.lines and not self.lines[-1].strip():
            self.lines.pop()

    @cached_property
    def first(self) -> str:
        """The first line that is not blank; empty if there is none."""
        return next((line for line in self.lines if line.strip()), "")

    @cached_property
    def tabs(self) -> bool:
        """Whether tabs separate columns: the first token line has one, or tabs make more lines alike than blanks do."""
        if uses_tabs(self.lines):
            return True
        (tabs, num_tabs), (_, num_blanks) = (_widest(self.split(tabs=way)) for way in (True, False))
        return tabs > 1 and num_tabs > num_blanks

    @cached_property
    def rows(self) -> list[list[str]]:
        """The fields of each token line."""
        return self.split(tabs=self.tabs)

    @cached_property
    def width(self) -> tuple[int, int]:
        """The most frequent number of columns, and how many lines have it."""
        return _widest(self.rows)

    def split(self, *, tabs: bool) -> list[list[str]]:
        """Return the fields of each token line, separated in this way."""
        return [split_fields(line, tabs=tabs) for line in self.lines if is_token_line(line)]


def read_tags(fields: Iterable[str], unknown: str | None) -> tuple[str | None, ...]:
    """Return the tags in the fields of a column; None for those that are the mark of an unknown tag."""
    tags = tuple([field.strip() for field in fields])
    return tags if unknown is None else tuple([None if tag == unknown else tag for tag in tags])


class Marks:
    """Writes unknown tags as `UNKNOWN_MARK`, unless a layer also has a tag with that name."""

    def __init__(self) -> None:
        self._found: defaultdict[str, set[str | None]] = defaultdict(set)

    def written(self, layer: str, tags: Sequence[str | None]) -> list[str]:
        """Return the tags of a sentence as columns have them.

        Raises:
            DataError: The layer has both unknown tags and the tag `?`, so that they could not be told apart.
        """
        self._found[layer].update({None, UNKNOWN_MARK}.intersection(tags))
        if len(self._found[layer]) > 1:
            raise DataError(
                f"layer `{layer}` must not have the tag {UNKNOWN_MARK!r} to be written in columns, which mark unknown "
                "tags with it; rename the tag, or write jsonl"
            )
        return [UNKNOWN_MARK if tag is None else tag for tag in tags]


def _widest(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Return the most frequent number of fields, and how many rows have it."""
    return next(iter(Counter(map(len, rows)).most_common(1)), (0, 0))
