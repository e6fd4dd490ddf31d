"""How text appears in a picture: control characters made visible, long words shortened, shares in percent."""

import unicodedata

LINE_ENDS = "\t\n\r"


def visible(text: str, *, keep: str = "") -> str:
    """Return the text with control characters spelt out, such as `\\x00` for NUL, except those in `keep`.

    Characters that no file can hold, such as a lone surrogate, become the replacement character U+FFFD.
    """
    return "".join(char if char in keep else _visible_character(char) for char in text)


def _visible_character(char: str) -> str:
    code = ord(char)
    if unicodedata.category(char) == "Cc":
        return f"\\x{code:02x}"
    return "\ufffd" if 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE else char


def name_of(label: str) -> str:
    """Return a label as a picture shows it; one without a visible character is put in quotes."""
    return visible(label) if label.strip() else repr(label)


def shortened(text: str, length: int) -> str:
    """Return the text with its middle replaced by an ellipsis if it is longer than `length`."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def percent(share: float) -> str:
    """Return a share of 1 in percent without decimals; `<1%` where a share above 0 would be rounded to 0."""
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"
