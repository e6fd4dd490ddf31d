"""How the lines of a column file are divided into fields, and what the first lines of any file look like.

Blank lines and `-DOCSTART-` lines separate; a line that starts with `#` may be a comment; all others hold the fields of
a token, between tabs, between runs of blanks and tabs, or as in CSV. The first of them may name the columns.
"""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, islice, pairwise
from typing import Literal, NamedTuple

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.columns.header import is_header

UNKNOWN_MARK = "?"  # how an unknown tag is written
RESERVED = ("token", "index", "sentence", "sentence_end", "document", "start", "end", "_", "...")
DOCUMENT = "-DOCSTART-"
NEWDOC = {"newdoc", "newdoc id"}  # comments that open a document
BLANKS = re.compile(r"[ \t]+")
HEAD = 1000  # lines that show the format of a file
SAMPLE = 2000  # lines that show its columns
DELIMITERS = ",;|"  # beside tabs and blanks
MOST = 0.9
HALF = 0.5
SCHEME_TAG = re.compile(r"\s*(?:O|[BIESLU]-.*\S)\s*")
NAMES = {"\t": "tab", " ": "blanks", ",": "comma", ";": "semicolon", "|": "vertical bar"}

WORD = re.compile(r"[1-9][0-9]*")
NO_WORD = re.compile(r"[1-9][0-9]*-[1-9][0-9]*|[0-9]+\.[1-9][0-9]*")

COMMENTS = ("###", "##", "# ", "#\t")  # how comment lines start; a tweet may start with `#word`

Split = Callable[[str], list[str]]


class Form(NamedTuple):
    """How the lines of a column file are written.

    Args:
        delimiter: What separates the fields; a blank stands for runs of blanks and tabs.
        quote: What may enclose a field; empty for nothing.
        comments: How comments start; None for the rule of column files.
        header: Number of lines before the first token that name the columns.
    """

    delimiter: str
    quote: str = ""
    comments: str | None = None
    header: int = 0

    def split(self) -> Split:
        """Return the function that divides a line into its fields."""
        if self.quote or (len(self.delimiter) == 1 and self.delimiter not in "\t "):
            return _quoted(self.delimiter, self.quote)
        return _between_tabs if self.delimiter == "\t" else _between_blanks

    def __str__(self) -> str:
        """Return what is unusual about the lines, for a note."""
        parts = [f"delimiter {NAMES.get(self.delimiter, self.delimiter)}"] if self.delimiter not in "\t " else []
        parts += [f"{'one header line' if self.header == 1 else f'{self.header} header lines'}"] if self.header else []
        parts += [f"comments starting with {self.comments.strip()}"] if self.comments else []
        return ", ".join(parts)


def _between_tabs(line: str) -> list[str]:
    return line.split("\t")


def _between_blanks(line: str) -> list[str]:
    return BLANKS.split(line.strip(" \t"))


def _quoted(delimiter: str, quote: str) -> Split:
    """Return the function that divides a line of CSV; a line with a broken quote is one field."""
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE

    def split(line: str) -> list[str]:
        try:
            rows = csv.reader((line,), delimiter=delimiter, quotechar=quote or None, quoting=quoting, strict=True)
            return next(rows, [""])
        except csv.Error:
            return [line]

    return split


def is_word_number(value: str) -> bool:
    """Whether a field is the number of a word, a range or an empty node; some files count from 0."""
    return bool(value == "0" or WORD.fullmatch(value) or NO_WORD.fullmatch(value))


def is_document(line: str) -> bool:
    """Whether a line opens a document."""
    return line.startswith(DOCUMENT) and BLANKS.split(line, maxsplit=1)[0] == DOCUMENT


def is_token_line(line: str, comments: str | None = None) -> bool:
    """Whether a line is neither blank, nor the start of a document, nor a possible comment."""
    return bool(line.strip()) and not line.startswith((comments or "#", DOCUMENT))


def split_fields(line: str, *, tabs: bool) -> list[str]:
    """Return the fields of a line, between tabs or between blanks."""
    return _between_tabs(line) if tabs else _between_blanks(line)


def split_head(lines: Iterable[str], comments: str | None = None, header: int = 0) -> tuple[list[str], Iterator[str]]:
    """Return the lines up to the first that must be a token line, after a header, and an iterator over all lines."""
    head: list[str] = []
    rest = iter(lines)
    for line in rest:
        head.append(line)
        header -= is_token_line(line, comments)
        if header < 0:
            break
    return head, chain(head, rest)


def first_fields(head: Sequence[str], split: Split) -> list[str] | None:
    """Return the fields of the last line of a head that may be a token line; None if there is no such line."""
    lines = (line for line in reversed(head) if line.strip() and not line.startswith(DOCUMENT))
    return next((split(line) for line in lines), None)


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
    """The first lines of a file, without blank lines at the end, and their fields.

    Args:
        lines: The lines.
        limit: How many of them to take.
        config: Settings of reading that are given; what they do not say is detected.
    """

    def __init__(self, lines: Iterable[str], limit: int = SAMPLE, config: ReadingConfig | None = None) -> None:
        self.lines = list(islice(lines, limit))
        self.config = config or ReadingConfig.model_construct()
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
    def token_lines(self) -> list[str]:
        """The lines that hold tokens, and perhaps a header."""
        return [line for line in self.lines if is_token_line(line, self.config.comments)]

    @cached_property
    def form(self) -> Form:
        """How the lines are written: as the settings say, or as they show."""
        config = self.config
        delimiter, quote = config.delimiter, config.quote
        if delimiter is None:
            delimiter, found = self._delimiter()
            quote = found if quote is None else quote
        if quote is None:
            quote = '"' if delimiter not in "\t " else ""
        form = Form(delimiter, quote, config.comments)
        rows = [form.split()(line) for line in self.token_lines]
        form = form._replace(header=_header(rows) if config.header is None else int(config.header))
        return form if config.comments else form._replace(comments=self._comments(form))

    def _delimiter(self) -> tuple[str, str]:
        """Return what separates the columns, and what may enclose a field."""
        wanted = len([name for name in self.config.columns or () if name != "..."])
        tabs = separated_by_tabs(self.lines, wanted) if wanted else self.tabs
        blanks = self.split(tabs=False)
        if not tabs and (_widest(blanks)[0] != wanted or _ends_in_delimiter(blanks)):
            for delimiter in DELIMITERS:
                for quote in ("'", '"', "") if self._has_apostrophes(delimiter) else ('"', ""):
                    if self._is_delimited_by(Form(delimiter, quote).split()):
                        return delimiter, quote
        return ("\t" if tabs else " "), ""

    def _has_apostrophes(self, delimiter: str) -> bool:
        """Whether apostrophes enclose a column: nearly all of its fields, which no column of tokens has."""
        rows = [line.split(delimiter) for line in self.token_lines]
        first = [field.strip() for row in rows for field in (row[0], row[-1])]
        return any(
            sum(len(field) > 1 and field[0] == field[-1] == "'" for field in first[i::2]) >= MOST * len(rows)
            for i in range(2)
        )

    def _is_delimited_by(self, split: Split) -> bool:
        """Whether a delimiter makes columns of tokens and tags."""
        rows = [split(line) for line in self.token_lines]
        width, count = _widest(rows)
        if width < 2 or count < MOST * len(rows) or (self.config.columns and width != len(self.config.columns)):
            return False
        columns = list(zip(*(row for row in rows if len(row) == width), strict=True))
        tags = any(sum(map(bool, map(SCHEME_TAG.fullmatch, column))) > HALF * len(column) for column in columns)
        words = sum(" " in field.strip() for row in rows[_header(rows) :] for field in row) <= (1 - MOST) * len(rows)
        named = bool(_header(rows)) and any(map(str.strip, rows[0]))
        separate = not all(map(str.strip, self.lines))
        return tags or (words and (named or separate))

    def _comments(self, form: Form) -> str | None:
        """Return how comments start that the rule of column files would take for tokens; None if there are none.

        Such lines stand before the first token of a sentence or have another number of columns, and have values that
        no token has.
        """
        split, width = form.split(), self.width_of(form)
        hashes = [line for line in self.lines if line.startswith("#")]
        if not hashes or width < 2:
            return None
        rows = [row for row in map(split, self.token_lines[form.header :]) if len(row) == width]
        schemed = [i for i, column in enumerate(zip(*rows, strict=True)) if all(map(SCHEME_TAG.fullmatch, column))]
        may_number = not self.config.columns or self.config.columns[0] == "index"
        numbered = may_number and bool(rows) and all(row[0].strip().isdecimal() for row in rows)

        def is_token(line: str) -> bool:
            fields = split(line)
            if len(fields) != width or (numbered and not fields[0].strip().isdecimal()):
                return False
            return not line.startswith("##") or all(SCHEME_TAG.fullmatch(fields[i]) for i in schemed)

        others = [line for line in hashes if not is_token(line)]
        usual = all(line.startswith(("# ", "#\t")) or "=" in line for line in others)
        if not others or (
            usual and not self._is_inside(others, form.header) and all(len(split(line)) != width for line in others)
        ):
            return None
        for prefix in COMMENTS:
            alike = [line for line in hashes if line.startswith(prefix)]
            if len(others) > 1 and set(others) <= set(alike) and not any(map(is_token, alike)):
                return prefix
        return None

    def _is_inside(self, comments: Sequence[str], header: int) -> bool:
        """Whether a comment stands between two tokens of a sentence."""
        wanted, tokens = set(comments), set(self.token_lines[header:])
        return any(line in wanted and before in tokens for before, line in pairwise(self.lines))

    def width_of(self, form: Form) -> int:
        """Return the most frequent number of columns."""
        return _widest([form.split()(line) for line in self.token_lines[form.header :]])[0]

    @cached_property
    def rows(self) -> list[list[str]]:
        """The fields of each token line."""
        split = self.form.split()
        comments = self.form.comments or "#"
        lines = (line for line in self.lines if is_token_line(line, comments))
        return [split(line) for line in lines][self.form.header :]

    @cached_property
    def header(self) -> list[str]:
        """The fields of the header line; none if there is no header."""
        return self.form.split()(self.token_lines[0]) if self.form.header else []

    @cached_property
    def width(self) -> tuple[int, int]:
        """The most frequent number of columns, and how many lines have it."""
        return _widest(self.rows)

    def split(self, *, tabs: bool) -> list[list[str]]:
        """Return the fields of each token line, separated in this way."""
        return [split_fields(line, tabs=tabs) for line in self.token_lines]


def _ends_in_delimiter(rows: Sequence[Sequence[str]]) -> bool:
    """Whether fields between blanks end in a delimiter, as in `Ada, B-PER`: then it separates them, not the blank."""
    ends = sum(any(len(field) > 1 and field[-1] in DELIMITERS for field in row[:-1]) for row in rows)
    return bool(rows) and ends >= MOST * len(rows)


def _header(rows: Sequence[Sequence[str]]) -> int:
    """Return how many lines before the first token name the columns."""
    return int(len(rows) > 1 and len(rows[0]) == len(rows[1]) and is_header(rows[0], rows[1:]))


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
