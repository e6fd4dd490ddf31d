"""The likely layout of texts with a label whose header says nothing, as options that read them."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tagger.formats.columns.fields import MOST, NAMES
from tagger.formats.texts.rows import DELIMITERS, QUOTED, split_rows

FEW = 5  # rows that show that a first one is a header


class Likely(NamedTuple):
    """Fields between delimiters, one of which looks like a text and another like its label.

    Args:
        delimiter: What separates the fields, as an option names it.
        columns: What each field is: `text`, `label` or `_`.
        header: Whether the first line may name the columns.
        said: How many rows have as many fields, in words.
        alike: Their share.
    """

    delimiter: str
    columns: tuple[str, ...]
    header: bool
    said: str
    alike: float

    def __str__(self) -> str:
        """Return the options."""
        header = " --header 1" if self.header else ""
        return f"--format labelled --delimiter {self.delimiter} --columns {','.join(self.columns)}{header}"


def likely_texts(lines: Sequence[str]) -> Likely | None:
    """Return how lines that are not blank hold texts with a label; None if no delimiter makes them alike."""
    found = [likely for delimiter in DELIMITERS if (likely := _between(lines, delimiter)) is not None]
    return max(found, key=lambda likely: likely.alike, default=None)


def _between(lines: Sequence[str], delimiter: str) -> Likely | None:
    """Return the same for one delimiter."""
    rows = [fields for _, fields in split_rows(lines, delimiter, '"' if delimiter in QUOTED else "")]
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
    alike = [row for row in rows if len(row) == width]
    found = _columns(alike) if width > 1 and len(alike) >= MOST * len(rows) else None
    if found is None:
        return None
    columns = tuple({found[0]: "text", found[1]: "label"}.get(i, "_") for i in range(width))
    said = f"{width} fields between {NAMES[delimiter]}s in {len(alike)} of {len(rows)} rows"
    option = "'|'" if delimiter == "|" else NAMES[delimiter]
    return Likely(option, columns, _has_header(rows, found[1]), said, len(alike) / len(rows))


def _columns(rows: Sequence[Sequence[str]]) -> tuple[int, int] | None:
    """Return the columns of the texts, which have the most words, and of the labels, which come again most often."""
    columns = list(zip(*rows[1:], strict=True)) if len(rows) > 1 else []
    words = [sum(len(value.split()) for value in column) for column in columns]
    if not words or max(words) <= len(rows):
        return None
    text = words.index(max(words))
    distinct = {i: len({*column}) for i, column in enumerate(columns) if i != text and any(map(str.strip, column))}
    several = [i for i, number in distinct.items() if number > 1] or [*distinct]
    return (text, min(several, key=lambda i: distinct[i])) if several else None


def _has_header(rows: Sequence[Sequence[str]], label: int) -> bool:
    """Whether the label of the first row occurs in no other, and the others come again."""
    values = [row[label].strip() for row in rows if len(row) > label]
    again = 2 * len({*values[1:]}) <= len(values) - 1
    return len(values) >= FEW and values[0] not in values[1:] and again
