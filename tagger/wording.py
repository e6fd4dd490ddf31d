"""How names, counts and lines look in a message."""

import re
from collections.abc import Iterable

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def shorten(line: str, width: int = 60) -> str:
    """A line as it is shown in an error."""
    return repr(line if len(line) <= width else line[: width - 3] + "...")


def quoted(names: Iterable[str]) -> str:
    """Names of keys or values as an error shows them."""
    return ", ".join(f"`{name}`" for name in names)


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 sentence`, `2 sentences`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def visible(text: str) -> str:
    """The text with its control characters, but for tabs and line breaks, spelt out: `\\r`, `\\x1b`."""
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)
