"""Which keys of a JSON object are layers, and which are ignored.

Tags are in the tables `tags` and `labels`, as `tagger tag` writes them, or in lists under keys of their own, as in rows
of Hugging Face datasets: `ner_tags` is the layer `ner`. A list whose key does not say that it holds tags is a layer
only if it has one string (or null, where the tag is unknown) per token in every line that has the key. What
`tagger tag` writes has keys of the input too, such as its gold; a line with all tables of a result has its layers in
these alone.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tagger.errors import DataError
from tagger.formats.column_names import (
    DOCUMENT,
    LABEL_COLUMNS,
    META,
    NO_LAYERS,
    TEXT_COLUMNS,
    TOKEN_COLUMNS,
    layer_name,
)
from tagger.formats.tally import Tally
from tagger.text.frames import Frames, frames_of
from tagger.text.records import PROBABILITIES, is_result

TABLES = ("tags", "labels")
FRAMES = "frames"
STEPS = "steps"
OF_TAGS = re.compile(r"(?:.+_)?(?:tags?|labels?)")


def own_layers(
    row: Mapping[str, Any], num_tokens: int, tally: Tally, tabled: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the layers under keys of the object itself, and the keys that are ignored, which are counted.

    Args:
        row: The object.
        num_tokens: The number of its tokens.
        tally: Counts the keys that are ignored.
        tabled: The layers in its tables, with the key of the table.

    Raises:
        DataError: Tags are numbers, whose names the object does not have, or a layer is given twice.
    """
    written = is_result(row)
    has_table = any(row.get(key) and isinstance(row[key], dict) for key in TABLES)
    places = {layer: f"{table}.{layer}" for layer, table in (tabled or {}).items()}
    layers: dict[str, Any] = {}
    unread: dict[str, Any] = {}
    for key, value in row.items():
        if value is None or _is_known(key, value, row):
            continue
        if tally.probabilities and key in PROBABILITIES and isinstance(value, dict):
            continue
        name = layer_name(key)
        named = not written and (_speaks_of_tags(key, value) or (key in LABEL_COLUMNS and is_class(value)))
        guessed = not named and key not in NO_LAYERS and _has_string_a_token(key, value, num_tokens)
        if written or not (named or (guessed and (name in places or not has_table))):
            unread[key] = value
            continue
        if name in places:
            raise DataError(
                f"layer `{name}` must be given once, got it in two places, `{places[name]}` and `{key}`; remove one of "
                "them"
            )
        places[name] = key
        layers[name] = value if isinstance(value, list) else str(value)
        if guessed:
            tally.guessed[key] = name
    tally.unread.update(unread.keys())
    return layers, unread


def _is_known(key: str, value: Any, row: Mapping[str, Any]) -> bool:
    """Whether a key has a meaning of its own."""
    if key in TABLES:
        return not value or not isinstance(value, (list, str))
    if key in ("words", "sentence"):
        return key in (token_key(row), text_key(row))
    if key == "spans":
        tags = row.get("tags")
        return isinstance(value, dict) and value.keys() <= (tags.keys() if isinstance(tags, dict) else set())
    if key == "values":
        return isinstance(value, dict)
    if key == DOCUMENT:
        return isinstance(value, str)
    if key == FRAMES:
        return frames_in(row) is not None
    if key == STEPS:
        return has_steps(row)
    return key in ("tokens", "text", "offsets") or (key == META and comments(value) is not None)


def _speaks_of_tags(key: str, value: Any) -> bool:
    """Whether a value is a list of tags, judging by its key.

    Raises:
        DataError: They are numbers.
    """
    if not isinstance(value, list) or not OF_TAGS.fullmatch(key):
        return False
    refuse_numbers(key, value)
    return True


def refuse_numbers(name: str, value: Sequence[Any]) -> None:
    """Refuse tags that are numbers, because their names are unknown.

    Raises:
        DataError: A tag is a number.
    """
    numbers = [tag for tag in value if isinstance(tag, int)]
    if numbers:
        raise DataError(
            f"`{name}` must be a list of strings, got numbers such as {numbers[0]}, and the names of the tags are "
            "missing; write the names, or read the dataset that has them with load_dataset (`dataset` in a recipe)"
        )


def is_class(value: Any) -> bool:
    """Whether a value can be the class of a sentence: a number, or a text that is not blank."""
    return isinstance(value, int) or (isinstance(value, str) and bool(value.strip()))


def _has_string_a_token(key: str, value: Any, num_tokens: int) -> bool:
    """Whether a value is a list of as many strings as there are tokens, under a key without a meaning of its own."""
    if key in (*TOKEN_COLUMNS, *TEXT_COLUMNS, META, DOCUMENT) or not isinstance(value, list):
        return False
    known = [tag for tag in value if tag is not None]
    return len(value) == num_tokens and bool(known) and all(isinstance(tag, str) and tag.strip() for tag in known)


def frames_in(row: Mapping[str, Any]) -> Frames | None:
    """Return the numbers of each step of a record: a list of them for each step, or a list of all steps for each name.

    A list of single numbers is one for each step if the record has neither tokens nor a text. Values of other forms
    under the key are no frames.

    Raises:
        DataError: There are not the same numbers in each step.
    """
    value = row.get(FRAMES)
    if isinstance(value, dict) and value and all(_are_numbers(column) for column in value.values()):
        lengths = {len(column) for column in value.values()}
        if len(lengths) > 1:
            raise DataError(f"`{FRAMES}` must have as many steps under each name, got {sorted(lengths)}")
        return frames_of([*zip(*value.values(), strict=True)], tuple(value))
    if not isinstance(value, list) or not value:
        return None
    alone = token_key(row) is None and text_key(row) is None
    rows = [[each] for each in value] if alone and _are_numbers(value) else value
    if not all(map(_are_numbers, rows)):
        return None
    if len({len(numbers) for numbers in rows}) > 1:
        raise DataError(f"`{FRAMES}` must have the same numbers in each step, got {len(rows[0])} in the first step")
    return frames_of(rows)


def has_steps(row: Mapping[str, Any]) -> bool:
    """Whether `steps` of a record are the names of the steps of its frames, which the tokens would be otherwise."""
    return row.get(STEPS) is not None and token_key(row) is None and frames_in(row) is not None


def _are_numbers(value: Any) -> bool:
    """Whether a value is a list of numbers, some of which may be missing."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(each is None or (isinstance(each, int | float) and not isinstance(each, bool)) for each in value)
    )


def token_key(row: Mapping[str, Any]) -> str | None:
    """Return the key of the tokens; None if the text must be split."""
    return next((key for key in TOKEN_COLUMNS if row.get(key) is not None), None)


def text_key(row: Mapping[str, Any]) -> str | None:
    """Return the key of the text; other keys than `text` count only if there are no tokens."""
    if isinstance(row.get("text"), str) or token_key(row) is not None:
        return "text"
    return next((key for key in TEXT_COLUMNS if isinstance(row.get(key), str)), None)


def comments(value: Any) -> dict[str, str] | None:
    """Return comments, which are an object of texts or (as in datasets) pairs of key and value; None if neither."""
    match value:
        case dict():
            pairs = list(value.items())
        case list() if all(isinstance(pair, dict) and pair.keys() == {"key", "value"} for pair in value):
            pairs = [(pair["key"], pair["value"]) for pair in value]
        case _:
            return None
    found = {key: text for key, text in pairs if isinstance(key, str) and isinstance(text, str)}
    return found if len(found) == len(pairs) else None
