"""Text for a terminal, which takes control characters of a file for commands."""

import re

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def visible(text: str) -> str:
    """The text with its control characters, but for tabs and line breaks, spelt out: `\\r`, `\\x1b`."""
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)
