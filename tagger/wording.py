"""How names, counts, lines and tables look in a message."""

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from unicodedata import east_asian_width

WIDEST = 40  # columns of a terminal: a longer name gets a line of its own, so that the figures stay on the screen
RULE = re.compile(r"^[A-Z][a-z]+ should ")
VALID = re.compile(r"\ba valid ([a-z]+)(, .*)?$")
NAMES_OF_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "dictionary": "a table",
    "integer": "a whole number",
    "list": "a list",
    "number": "a number",
    "object": "an object",
    "string": "text",
    "tuple": "a list",
}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def shorten(value: object, width: int = 60) -> str:
    """Return a line or another value as an error shows it: only the start of a long one."""
    if isinstance(value, str):
        return repr(value if len(value) <= width else value[: width - 3] + "...")
    try:
        text = repr(value)
    except ValueError:  # Python writes out no integer of more than 4,300 digits
        return "a number of thousands of digits"
    except RecursionError:
        return "values inside values, too deep to show"
    return text if len(text) <= width else text[: width - 3] + "..."


def quoted(names: Iterable[str]) -> str:
    """Return names of keys or values as an error shows them."""
    return ", ".join(f"`{name}`" for name in names)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 sentence`, `2 sentences`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def shown_bytes(number: float) -> str:
    """Return a number of bytes in the largest unit of which there is at least one: `0 bytes`, `3.4 kB`, `20.0 GB`."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= size:
            return f"{number / size:,.1f} {unit}"
    return counted(int(number), "byte")


def plain_rule(message: str) -> str:
    """Return a message of pydantic in plain words: `must be true or false` for `Input should be a valid boolean`."""
    message = RULE.sub("must ", message.removeprefix("Value error, "))
    return VALID.sub(lambda found: NAMES_OF_TYPES.get(found[1], found[1]), message)


def visible(text: str) -> str:
    """Return the text with control characters written as `\\r` or `\\x1b`; tabs and line breaks stay."""
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


def table_lines(rows: Iterable[Sequence[str] | None], *, narrowest: int = 0) -> list[str]:
    """Return the lines of a table: names on the left, figures aligned on the right, two spaces between columns.

    Args:
        rows: The cells of each row, the name first; None for a line of dashes.
        narrowest: Smallest width of a column of figures.
    """
    rows = list(rows)
    names, *columns = zip_longest(*filter(None, rows), fillvalue="")
    first = max((width for name in names if (width := _width(name)) <= WIDEST), default=0)
    widths = [max(narrowest, *map(_width, cells)) for cells in columns]
    lines = []
    for row in rows:
        if row is None:
            lines.append("-" * (first + sum(2 + width for width in widths)))
            continue
        name, *cells = row
        if _width(name) > first:
            lines.append(name)
            name = ""
        figures = (" " * (2 + width - _width(cell)) + cell for cell, width in zip(cells, widths, strict=False))
        lines.append(name + " " * (first - _width(name)) + "".join(figures))
    return lines


def _width(text: str) -> int:
    """Return the columns of a terminal that a text takes; a Chinese or Japanese character takes two."""
    return len(text) + sum(east_asian_width(char) in "WF" for char in text)


def spoken(seconds: float) -> str:
    """Return a duration in seconds, or in minutes or hours if it is long."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
