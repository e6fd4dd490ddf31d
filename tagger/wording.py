"""How names, counts and lines look in a message."""

import re
from collections.abc import Iterable

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def shorten(value: object, width: int = 60) -> str:
    """Return a line or another value as an error shows it: only the start of a long one."""
    if isinstance(value, str):
        return repr(value if len(value) <= width else value[: width - 3] + "...")
    try:
        text = repr(value)
    except ValueError:  # Python writes out no integer of more than 4,300 digits
        return "a number of thousands of digits"
    return text if len(text) <= width else text[: width - 3] + "..."


def quoted(names: Iterable[str]) -> str:
    """Names of keys or values as an error shows them."""
    return ", ".join(f"`{name}`" for name in names)


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 sentence`, `2 sentences`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def visible(text: str) -> str:
    """The text with its control characters, but for tabs and line breaks, spelt out: `\\r`, `\\x1b`."""
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)
