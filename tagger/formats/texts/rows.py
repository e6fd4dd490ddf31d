"""The rows of a file of labelled texts between delimiters: which fields are the label and the text.

Tabs separate the fields of a line. Commas, semicolons or vertical bars do so where a header names the text and its
label, or where a setting says so: then a field in quotes may hold them, line breaks, and quotes, which are doubled.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from tagger.formats.column_names import LABEL_COLUMNS, TEXT_COLUMNS
from tagger.formats.columns.fields import HEAD
from tagger.wording import shorten

TEXTS = (*TEXT_COLUMNS, "texts", "review", "comment", "tweet", "message", "utterance", "document", "content", "title")
LABELS = (*LABEL_COLUMNS, "class", "target", "emotion", "polarity", "topic", "tag", "stars", "rating", "score")
NUMBERS = re.compile(r"[0-9]+(?:, ?[0-9]+)*")  # one class or several, by number
DELIMITERS = ("\t", ",", ";", "|")
QUOTED = (",", ";", "|")  # delimiters of files whose fields may be in quotes
MOST = 0.9


class Row(NamedTuple):
    """A text of a file with its labels, or what is wrong with its line.

    Args:
        line: The number of its line, from 1.
        text: The text.
        labels: Its labels, as the file has them.
        others: What the file says beside these, by the name of its column.
        wrong: What is wrong; empty if nothing is.
    """

    line: int
    text: str = ""
    labels: tuple[str, ...] = ()
    others: Mapping[str, str] = {}
    wrong: str = ""


class Layout(NamedTuple):
    """How the lines of a file are divided.

    Args:
        columns: What each field is: the name of the layer, `text`, or `_`.
        delimiter: What separates the fields.
        header: The names of the columns in the first line that is not blank; none if that line is data.
    """

    columns: tuple[str, ...]
    delimiter: str = "\t"
    header: tuple[str, ...] = ()


def detect_layout(lines: Iterable[str], layer: str, columns: Sequence[str] | None = None) -> Layout:
    """Return how the lines of a file are divided.

    Args:
        lines: The first lines.
        layer: The layer of the labels.
        columns: What each field is. Default: as the header says, otherwise a label and a text, or a text and a label.
    """
    head = list(islice((line for line in lines if line.strip()), HEAD))
    for delimiter in DELIMITERS:
        rows = [fields for _, fields in split_rows(head, delimiter)]
        named = _named(rows[0], layer) if rows else None
        if named is not None and (columns is None or len(columns) == len(named)):
            return Layout(tuple(columns or named), delimiter, tuple(rows[0]))
    if columns is not None:
        return Layout(tuple(columns))
    rows = [fields for _, fields in split_rows(head, "\t")]
    swapped = bool(rows) and all(len(row) == 2 for row in rows) and _text_is_first(rows)
    return Layout(("text", layer) if swapped else (layer, "text"))


def _named(fields: Sequence[str], layer: str) -> tuple[str, ...] | None:
    """Return the columns that a header names; None if it does not name one text and one label."""
    names = [field.strip().lower() for field in fields]
    texts = [name for name in TEXTS if name in names]
    labels = [name for name in (layer.lower(), *LABELS) if name in names and name not in texts[:1]]
    if not texts or not labels or len({*names}) < len(names):
        return None
    roles = {texts[0]: "text", labels[0]: layer}
    return tuple(roles.get(name, "_") for name in names)


def _text_is_first(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the second field of rows is more of a label than the first."""
    return share_of_labels([row[1] for row in rows]) > share_of_labels([row[0] for row in rows])


def share_of_labels(values: Sequence[str]) -> float:
    """Return the share of fields that look like labels: one word, or numbers between commas."""
    likely = [bool(NUMBERS.fullmatch(value.strip())) or len(value.split()) == 1 for value in values]
    return sum(likely) / len(likely)


def split_rows(lines: Iterable[str], delimiter: str, fields: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each row, with the line where it begins; the last of `fields` keeps further tabs.

    A row that cannot be read, such as one with a field of more than 131,072 characters, is the last, and its only field
    says why.
    """
    if delimiter not in QUOTED:
        for number, line in enumerate(lines, 1):
            yield number, line.split(delimiter, fields - 1)
        return
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter)
    before = 0
    try:
        for row in reader:
            yield before + 1, row
            before = reader.line_num
    except csv.Error as error:
        yield before + 1, [str(error)]


def delimited_rows(lines: Iterable[str], layer: str, layout: Layout) -> Iterator[Row]:
    """Yield the rows of a file, but for its header."""
    columns, is_first = layout.columns, bool(layout.header)
    names = layout.header or columns
    for number, fields in split_rows(lines, layout.delimiter, len(columns)):
        if not any(map(str.strip, fields)):
            yield Row(number)
            continue
        if is_first:
            is_first = False
            continue
        values = dict(zip(columns, fields, strict=False))
        if len(fields) != len(columns) or not values[layer].strip():
            yield Row(number, wrong=f"must be {_wanted(layout, layer)}, got {shorten(layout.delimiter.join(fields))}")
            continue
        others = {name: value for name, role, value in zip(names, columns, fields, strict=True) if role == "_"}
        yield Row(number, values["text"], labels_of(values[layer]), others if layout.header else {})


def _wanted(layout: Layout, layer: str) -> str:
    """Return what a line must be, in words."""
    if layout.columns == (layer, "text") and layout.delimiter == "\t":
        return "a label, a tab and a text"
    return {"\t": " TAB "}.get(layout.delimiter, layout.delimiter).join(layout.header or layout.columns)


def labels_of(field: str) -> tuple[str, ...]:
    """Return the labels in a field: several if they are numbers between commas."""
    field = field.strip()
    return tuple(number.strip() for number in field.split(",")) if NUMBERS.fullmatch(field) else (field,)
