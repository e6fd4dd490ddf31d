"""Where the tokens of a sentence stand in its text, as it is written beside them, held against both."""

import json
from collections.abc import Sequence
from typing import Any

from tagger.errors import DataError
from tagger.formats.columns import shorten


def checked_offsets(offsets: Any, tokens: Sequence[str], text: str) -> tuple[tuple[int, int], ...]:
    """First and past-the-last character of each token, in order; neighbours that are one word of the text share them.

    Raises:
        DataError: They are no pairs, not in order, or do not hold their tokens.
    """
    if not isinstance(offsets, list) or len(offsets) != len(tokens):
        raise DataError(
            f"`offsets` must be a list of [start, end] for each of the {len(tokens)} tokens, "
            f"got {shorten(json.dumps(offsets))}"
        )
    checked: list[tuple[int, int]] = []
    for i, (token, pair) in enumerate(zip(tokens, offsets, strict=True), 1):
        match pair:
            case [int(start), int(end)] if not any(isinstance(number, bool) for number in pair):
                checked.append((start, end))
            case _:
                raise DataError(f"`offsets` of token {i} must be [start, end], got {shorten(json.dumps(pair))}")
        before = checked[-2] if i > 1 else (0, 0)
        first = before[0] if before == (start, end) else before[1]
        if not first <= start <= end <= len(text):
            raise DataError(f"`offsets` of token {i} must lie between {first} and {len(text)} in order, got {pair}")
        shared = [start, end] in (offsets[i - 2] if i > 1 else None, offsets[i] if i < len(offsets) else None)
        if text[start:end] != token and not shared:
            raise DataError(f"`offsets` of token {i} must hold {token!r} in `text`, got {shorten(text[start:end])}")
    return tuple(checked)
