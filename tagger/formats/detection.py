"""What a file is, told from its lines: its format, what stands in its columns, and, by its name, which split it is.

A guess is made from the first lines and by majority, so that a broken line does not change it. A name that says a
format (`.jsonl`, `.json`, `.conllu`, with or without `.gz`) is believed: what else the file holds is then an error.
Which scheme the tags are in is told from all of them, by the audit.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tagger.errors import DataError
from tagger.formats.columns import RESERVED, is_token_line, split_fields, uses_tabs
from tagger.formats.conllu import FIELDS, NO_WORD, WORD
from tagger.formats.standoff.annotation_tools import ARRAY
from tagger.text.choices import FileFormat

SUFFIXES: dict[str, FileFormat] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".conllu": "conllu"}
SAMPLE = 5000
WIDTHS = 5  # columns that differ more are no columns
HEAD = 20  # lines in which an array of JSON shows
MOST = 0.9
HALF = 0.5
MAX_TAGS = 1000
CHUNKS = {"NP", "VP", "PP"}
SCHEME_TAG = re.compile(r"O|[BIESLU]-.+")
SPLITS = re.compile(
    r"(?P<train>train(?:ing)?|trn)(?![a-z])"
    r"|(?<![a-z])(?P<dev>dev(?:el|elopment)?|val(?:id|idate|idation)?|testa)(?![a-z])"
    r"|(?<![a-z])(?P<test>test(?:b|ing)?|tst)(?![a-z])"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are to be read: their format, and their columns where they have such."""

    format: FileFormat
    columns: tuple[str, ...] | None = None


def split_of(path: str | Path) -> str | None:
    """The split that a file name speaks of, the last if there are several; None if there is none."""
    found = [match.lastgroup for match in SPLITS.finditer(Path(path).name.lower())]
    return found[-1] if found else None


def detect_reading(lines: Sequence[str], *, where: str, format: FileFormat | None = None) -> Reading:
    """How these lines are to be read; `format` says what is known already.

    Raises:
        DataError: The lines are of no format that is known here.
    """
    format = format or detect_format(lines, where=where)
    columns = detect_columns(lines) if format == "conll" else None
    if columns and len(columns) > 1 and set(columns) <= {*RESERVED}:
        raise DataError(
            f"{where}: one of the {len(columns)} columns must hold tags, but none looks like it; name them with "
            "--columns, such as token,_,ner"
        )
    return Reading(format, columns)


def format_of_name(name: str) -> FileFormat | None:
    """The format that the name of a file says; None if it says none."""
    return SUFFIXES.get(Path(name.removesuffix(".gz")).suffix.lower())


def detect_format(lines: Sequence[str], *, where: str) -> FileFormat:
    """The format of these lines; `where` is the name of their file.

    Raises:
        DataError: They are of no format that is known here.
    """
    if named := format_of_name(where):
        return named
    if next((line for line in lines if line.strip()), "").lstrip().startswith("{"):
        return "jsonl"
    if ARRAY.match("\n".join(lines[:HEAD])):
        return "jsonl"
    rows = sample_rows(lines, tabs=True)
    comments = sum(len(row) == 1 and row[0].startswith("#") for row in rows)  # CoNLL-U needs no blank behind the `#`
    if sum(len(row) == len(FIELDS) and _is_index(row[0]) for row in rows) * 2 > len(rows) - comments:
        return "conllu"
    if sum(len(row) == 2 and " " in row[1].strip() for row in rows) * 2 > len(rows):
        return "labelled"
    rows = sample_rows(lines, tabs=divided_by_tabs(lines))
    width, count = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
    if count * 2 <= len(rows) or not width:
        raise DataError(
            f"{where}: must have the same number of columns in most lines, or be CoNLL-U, JSON lines or label TAB "
            f"text, got {_widths(lines)}; mend the lines or name it with --format"
        )
    return "conll"


def _widths(lines: Sequence[str]) -> str:
    """How many lines have how many columns, and which is the first of each, in words."""
    tabs = divided_by_tabs(lines)
    found: dict[int, list[int]] = {}
    for number, line in enumerate(lines[:SAMPLE], 1):
        if is_token_line(line):
            found.setdefault(len(split_fields(line, tabs=tabs)), []).append(number)
    if len(found) > WIDTHS:
        return 'what looks like plain text, which a recipe reads with format = "labelled" and a file a class'
    shown = [f"{width} in {len(numbers)} (the first is line {numbers[0]})" for width, numbers in found.items()]
    return f"lines of other columns: {', '.join(shown)}" if found else "no line with columns"


def divided_by_tabs(lines: Sequence[str]) -> bool:
    """Whether columns are told apart by tabs; as the reader has it, unless the first line alone speaks against them."""
    if uses_tabs(lines):
        return True
    alike = [Counter(map(len, sample_rows(lines, tabs=tabs))).most_common(1) for tabs in (False, True)]
    (blanks,), (tabs,) = alike if alike[0] else ([(0, 0)], [(0, 0)])
    return tabs[0] > 1 and tabs[1] > blanks[1]


def sample_rows(lines: Sequence[str], *, tabs: bool) -> list[list[str]]:
    """The fields of the first token lines."""
    first = islice((line for line in lines if is_token_line(line)), SAMPLE)
    return [split_fields(line, tabs=tabs) for line in first]


def detect_columns(lines: Sequence[str]) -> tuple[str, ...]:
    """What stands in the columns of these lines: `index`, `token`, `_`, and names for those with tags.

    A column whose values are tags of a scheme is `chunk` or `ner`, or named by its number if that name is taken. Of the
    others the one with the most distinct values is the token. Where there is no scheme, the last is `tags`.
    """
    rows = sample_rows(lines, tabs=divided_by_tabs(lines)) or [[""]]
    width = Counter(map(len, rows)).most_common(1)[0][0]
    columns = list(zip(*(row for row in rows if len(row) == width), strict=True))
    index = [i for i in range(width) if i == 0 < width - 1 and _share(map(_is_index, columns[i])) >= MOST]
    tags = [i for i in range(width) if i not in index and width > 1 and _share(map(_is_scheme_tag, columns[i])) > HALF]
    left = [i for i in range(width) if i not in (*index, *tags)] or [0]
    token = max(left, key=lambda i: (len(set(columns[i])), -i))
    names = ["index" if i in index else "_" for i in range(width)]
    if not tags and left[-1] != token and set(columns[left[-1]]) != {"_"} and len(set(columns[left[-1]])) <= MAX_TAGS:
        names[left[-1]] = "tags"
    for i in reversed(tags):
        types = {tag.strip()[2:] for tag in columns[i]}
        name = "chunk" if len(types & CHUNKS) > 1 else "ner"
        names[i] = name if name not in names else f"tags{i + 1}"
    names[token] = "token"
    return tuple(names)


def _is_index(value: str) -> bool:
    return bool(value == "0" or WORD.fullmatch(value) or NO_WORD.fullmatch(value))


def _is_scheme_tag(value: str) -> bool:
    return bool(SCHEME_TAG.fullmatch(value.strip()))


def _share(values: Iterable[bool]) -> float:
    found = list(values)
    return sum(found) / len(found)
