"""The rows of a file of labelled texts between delimiters: which fields are the label and the text.

Tabs separate the fields of a line. Commas, semicolons or vertical bars do so where a header names the text and its
label, or where a setting says so: then a field in quotes may hold them, line breaks, and quotes, which are doubled.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from tagger.config import ReadingConfig
from tagger.files.reading import MAX_LINE
from tagger.formats.column_names import LABEL_COLUMNS, TEXT_COLUMNS
from tagger.formats.columns.fields import HEAD
from tagger.formats.columns.header import FEW
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
        quote: What may enclose a field; empty for nothing.
        header: How many lines that are not blank come before the first row.
        names: The names of the columns in the last of these lines; none without a header.
    """

    columns: tuple[str, ...]
    delimiter: str = "\t"
    quote: str = ""
    header: int = 0
    names: tuple[str, ...] = ()


def detect_layout(lines: Iterable[str], layer: str, config: ReadingConfig) -> Layout:
    """Return how the lines of a file are divided: as the settings say, otherwise as the lines show.

    Without `columns`, a header names them; otherwise they are a label and a text, or a text and a label.

    Args:
        lines: The first lines.
        layer: The layer of the labels.
        config: Settings of reading that are given.
    """
    head = list(islice((line for line in lines if line.strip()), HEAD))
    for delimiter in [config.delimiter] if config.delimiter else DELIMITERS:
        layout = _with_header(head, layer, delimiter, config)
        if layout is not None:
            return layout
    skipped, delimiter = int(config.header or 0), config.delimiter or "\t"
    quote = _quote_of(delimiter, config)
    width = len(config.columns) if config.columns else 2
    rows = [fields for _, fields in split_rows(head[skipped:], delimiter, quote, width if delimiter == " " else 0)]
    swapped = bool(rows) and all(len(row) == 2 for row in rows) and _text_is_first(rows)
    columns = config.columns or (("text", layer) if swapped else (layer, "text"))
    return Layout(tuple(columns), delimiter, quote, skipped)


def _with_header(head: Sequence[str], layer: str, delimiter: str, config: ReadingConfig) -> Layout | None:
    """Return how the lines of a file with a header are divided by a delimiter; None if that makes no header."""
    skipped = 1 if config.header is None else int(config.header)
    quote = _quote_of(delimiter, config)
    rows = [fields for _, fields in split_rows(head[max(skipped - 1, 0) :], delimiter, quote)]
    if not rows or not skipped:
        return None
    named = _named(rows[0], layer) or _half_named(rows[0], rows[1:], layer)
    if config.columns is not None:
        is_header = named is not None or config.header is not None
        named = config.columns if is_header and len(rows[0]) == len(config.columns) else None
    return Layout(tuple(named), delimiter, quote, skipped, tuple(rows[0])) if named else None


def _quote_of(delimiter: str, config: ReadingConfig) -> str:
    """Return what may enclose a field."""
    if config.quote is not None:
        return config.quote
    return '"' if delimiter in QUOTED else ""


def _named(fields: Sequence[str], layer: str) -> tuple[str, ...] | None:
    """Return the columns that a header names; None if it does not name one text and one label."""
    names = [field.strip().lower() for field in fields]
    texts = [name for name in TEXTS if name in names]
    labels = [name for name in (layer.lower(), *LABELS) if name in names and name not in texts[:1]]
    if not texts or not labels or len({*names}) < len(names):
        return None
    roles = {texts[0]: "text", labels[0]: layer}
    return tuple(roles.get(name, "_") for name in names)


def _half_named(fields: Sequence[str], rows: Sequence[Sequence[str]], layer: str) -> tuple[str, ...] | None:
    """Return the two columns of a header in which only one name is known; None if these are a row.

    They are a header if both are single words, and none of the many rows has one of them.
    """
    names = [field.strip().lower() for field in fields]
    if len(names) != 2 or any(len(name.split()) != 1 for name in names) or len(rows) < FEW:
        return None
    found = [{row[i].strip().lower() for row in rows if len(row) == 2} for i in range(2)]
    if any(name in values for name, values in zip(names, found, strict=True)) or all(map(NUMBERS.fullmatch, names)):
        return None
    texts = [i for i in range(2) if sum(" " in value for value in found[i]) * 2 > len(found[i])]
    if len(texts) != 1 or len(found[1 - texts[0]]) * 2 > len(rows):
        return None
    known = names[texts[0]] in TEXTS or names[1 - texts[0]] in LABELS
    return (("text", layer) if texts == [0] else (layer, "text")) if known else None


def _text_is_first(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the second field of rows is more of a label than the first."""
    return share_of_labels([row[1] for row in rows]) > share_of_labels([row[0] for row in rows])


def share_of_labels(values: Sequence[str]) -> float:
    """Return the share of fields that look like labels: one word, or numbers between commas."""
    likely = [bool(NUMBERS.fullmatch(value.strip())) or len(value.split()) == 1 for value in values]
    return sum(likely) / len(likely)


def split_rows(lines: Iterable[str], delimiter: str, quote: str, fields: int = 0) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each row, with the line where it begins; without quotes, the last of `fields` keeps the rest.

    A row that cannot be read, such as one with a field of more than 131,072 characters, is the last, and its only field
    says why.
    """
    if not quote:
        for number, line in enumerate(lines, 1):
            yield number, line.split(delimiter, fields - 1)
        return
    csv.field_size_limit(MAX_LINE)  # the limit of a line everywhere
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, quotechar=quote)
    before = 0
    try:
        for row in reader:
            yield before + 1, row
            before = reader.line_num
    except csv.Error as error:
        yield before + 1, [str(error)]


def delimited_rows(lines: Iterable[str], layer: str, layout: Layout) -> Iterator[Row]:
    """Yield the rows of a file, but for its header."""
    columns, skipped = layout.columns, layout.header
    names = layout.names or columns
    for number, fields in split_rows(lines, layout.delimiter, layout.quote, len(columns)):
        if not any(map(str.strip, fields)):
            yield Row(number)
            continue
        if skipped:
            skipped -= 1
            continue
        values = dict(zip(columns, fields, strict=False))
        if len(fields) != len(columns) or not values[layer].strip():
            yield Row(number, wrong=f"must be {_wanted(layout, layer)}, got {shorten(layout.delimiter.join(fields))}")
            continue
        others = {name: value for name, role, value in zip(names, columns, fields, strict=True) if role == "_"}
        yield Row(number, values["text"], labels_of(values[layer]), others if layout.names else {})


def _wanted(layout: Layout, layer: str) -> str:
    """Return what a line must be, in words."""
    if layout.columns == (layer, "text") and layout.delimiter == "\t":
        return "a label, a tab and a text"
    return {"\t": " TAB "}.get(layout.delimiter, layout.delimiter).join(layout.names or layout.columns)


def labels_of(field: str) -> tuple[str, ...]:
    """Return the labels in a field: several if they are numbers between commas."""
    field = field.strip()
    return tuple(number.strip() for number in field.split(",")) if NUMBERS.fullmatch(field) else (field,)
