"""Character spans in JSON: which values are spans, their entities, and the tokens that have offsets."""

from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

from tagger.errors import DataError
from tagger.formats.standoff.alignment import Entity, same_words
from tagger.formats.tools.annotated import shown
from tagger.text.tokenization import CharSpan
from tagger.wording import shorten

OF_SPANS = {"start", "end", "start_offset", "end_offset", "label", "labels", "text", "token_start", "token_end"}
OF_TOOLS = {"user", "created_at", "updated_at", "prob", "manual"}  # who annotated a span, and when
SCORES = ("score", "confidence", "probability")  # keys of the probability of a span


def lists(value: Any, kind: type) -> bool:
    """Whether a value is a list with an item of this type in it."""
    return isinstance(value, list) and any(isinstance(item, kind) for item in value)


def are_spans(value: Any) -> bool:
    """Whether a value is a list with a character span in it."""
    return isinstance(value, list) and any(_is_span(span) for span in value)


def _is_span(value: Any) -> bool:
    """Whether a value looks like a character span in any dialect."""
    if isinstance(value, dict):
        return ("start" in value or "start_offset" in value) and ("label" in value or "labels" in value)
    return isinstance(value, list) and len(value) == 3 and type(value[0]) is type(value[1]) is int


def reads(text: str, span: Mapping[str, Any]) -> bool:
    """Whether a span has the same words as its range of a text; true if it has no text of its own."""
    match span:
        case {"start": int(start), "end": int(end), "text": str(found)}:
            return same_words(found, text[start:end])
    return True


def entities(spans: Any, place: str) -> Iterator[Entity]:
    """Yield the entities of spans in any dialect.

    Raises:
        DataError: They are no list, or one has no start, end or type.
    """
    if not isinstance(spans, list):
        raise DataError(f"spans must be a list of [start, end, type], got {shown(spans)}")
    for span in spans:
        start, end, types, text = _parts(span)
        named = types and all(isinstance(name, str) and name.strip() for name in types)
        if type(start) is not int or type(end) is not int or not named:
            raise DataError(f"a span must have a start and an end in characters and a type, got {shown(span)}")
        words, score = text if isinstance(text, str) else None, _score(span)
        yield from (Entity(name, start, end, words, place=place, score=score) for name in types)


def _score(span: Any) -> float | None:
    """Return the number that a span has as its probability; None if it has none."""
    values = [span.get(key) for key in SCORES] if isinstance(span, dict) else []
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    try:
        return float(numbers[0]) if numbers else None
    except OverflowError:
        return inf


def _parts(span: Any) -> tuple[Any, Any, list[Any], Any]:
    """Return start, end, types and text of a span; None for what it does not have."""
    if isinstance(span, dict):
        label, labels = span.get("label"), span.get("labels")
        types = labels if isinstance(labels, list) else [label]
        start, end = span.get("start", span.get("start_offset")), span.get("end", span.get("end_offset"))
        return start, end, types, span.get("text")
    if isinstance(span, list) and len(span) == 3:
        return span[0], span[1], [span[2]], None
    return None, None, [], None


def own_tokens(tokens: Any, text: str) -> list[CharSpan]:
    """Return the offsets of the tokens of an item, as Prodigy writes them, apart from white space; none if it has none.

    Raises:
        DataError: They are not the words of the text in order.
    """
    found: list[CharSpan] = []
    end = 0
    for token in tokens if lists(tokens, dict) else ():
        first, last = _place_of_token(token, end, text)
        found += [(first, last)] if text[first:last].strip() else []
        end = last
    if found and text[end:].strip():
        raise DataError(f"`tokens` must cover all words of the text, got none for {shorten(text[end:])}; fix them")
    return found


def _place_of_token(token: Any, end: int, text: str) -> CharSpan:
    """Return the offsets of a token, with only white space between it and the `end` of the one before."""
    match token:
        case {"start": int(first), "end": int(last)} if end <= first < last <= len(text):
            if token.get("text", text[first:last]) == text[first:last] and not text[end:first].strip():
                return first, last
    raise DataError(
        "each of `tokens` must have `start` and `end` in the text, after the token before it, got "
        f"{shown(token)}; fix it, or remove `tokens`"
    )
