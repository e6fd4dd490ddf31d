"""Text and choices as a picture shows them: control characters visible, long words shortened, one layer of several."""

import unicodedata
from collections.abc import Iterable, Sequence

from tagger.errors import DataError, TaggerError
from tagger.text.sentence import Sentence

LINE_ENDS = "\t\n\r"


def visible(text: str, *, keep: str = "") -> str:
    """The text with `\\x00` for NUL and the like for other control characters, but for those to `keep`.

    What no file can hold, such as a lone surrogate, is shown as the replacement character.
    """
    return "".join(char if char in keep else _sign(char) for char in text)


def _sign(char: str) -> str:
    code = ord(char)
    if unicodedata.category(char) == "Cc":
        return f"\\x{code:02x}"
    return "\ufffd" if 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE else char


def name_of(label: str) -> str:
    """A label as a picture names it; one without a visible character stands in quotes."""
    return visible(label) if label.strip() else repr(label)


def shortened(text: str, length: int) -> str:
    """The text, its middle left out if it is longer than `length`."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def percent(share: float) -> str:
    """A share of 1 in percent, short; what is not quite nothing is not rounded to it."""
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def sentences_of(given: Sentence | Iterable[Sentence]) -> tuple[Sentence, ...]:
    """The sentences that have tokens.

    Raises:
        DataError: There is none, or something else is given.
    """
    sentences = (given,) if isinstance(given, Sentence | str) else tuple(given)
    if others := [type(other).__name__ for other in sentences if not isinstance(other, Sentence)]:
        raise DataError(f"a picture must be of sentences, got {others[0]}; give it what `model.tag(text)` returns")
    found = tuple(sentence for sentence in sentences if len(sentence))
    if not found:
        raise DataError("a picture must have at least one sentence with a token, got none; give it a text")
    return found


def one_layer(layer: str | None, known: Sequence[str], *, kind: str, error: type[TaggerError], hint: str) -> str:
    """The layer that is named, or the only one there is.

    Args:
        layer: The name, if one was given.
        known: The layers that will do.
        kind: What they are.
        error: Raised where none or several will do.
        hint: What to do where there is none.
    """
    names = ", ".join(f"`{name_of(name)}`" for name in known)
    if not known:
        raise error(f"there must be a {kind}, got none; {hint}")
    if layer is None and len(known) > 1:
        raise error(f"there must be one {kind}, got {names}; name one as layer (--layer)")
    if layer is not None and layer not in known:
        raise error(f"`{name_of(layer)}` is no {kind}; there is {names}")
    return known[0] if layer is None else layer
