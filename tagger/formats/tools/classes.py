"""Texts with a class in JSON: doccano's projects of classification, spaCy's `cats` and Prodigy's choices.

- doccano: `{"text": ..., "label": ["positive"]}`;
- spaCy: `{"text": ..., "cats": {"good": 1.0, "bad": 0.0}}`, where one class has 1 (or true) and the others 0;
- Prodigy: `{"text": ..., "options": [{"id": ...}], "accept": ["positive"], "answer": "accept"}`.

The class becomes the layer `label`. A text without a class is skipped and counted.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tagger.errors import DataError
from tagger.formats.tools.annotated import Annotated, Translation, filled, one_class, shown, text_of

Find = Callable[[Any, str, Translation, str], str | None]
LAYER = "label"
UNLABELLED = "skipped {} text|texts without a class"


def has_class_list(row: Mapping[str, Any]) -> bool:
    """Whether a text has a list of classes, which has fewer items than the text has words: it is no list of tags."""
    text = _text(row)
    return text is not None and any(
        isinstance(value := row.get(key), list)
        and 0 < len(value) < len(text.split())
        and all(isinstance(name, str) for name in value)
        for key in ("label", "labels")
    )


def has_cats(row: Mapping[str, Any]) -> bool:
    """Whether a text has numbers or truth values of classes."""
    cats = row.get("cats")
    return isinstance(row.get("text"), str) and isinstance(cats, dict) and all(map(_is_share, cats.values()))


def has_choices(row: Mapping[str, Any]) -> bool:
    """Whether a text has options, some of which were accepted."""
    return all((isinstance(row.get("text"), str), lists_of_options(row.get("options")), "spans" not in row))


def lists_of_options(value: Any) -> bool:
    """Whether a value is a list of options."""
    return isinstance(value, list) and bool(value) and all(isinstance(o, dict) and "id" in o for o in value)


def translate_class(
    row: Mapping[str, Any], how: Translation, place: str, *, keys: Sequence[str], find: Find
) -> Iterator[Annotated]:
    """Yield the text of a record with its class.

    Args:
        row: The record.
        how: How the file is read.
        place: The place of the record.
        keys: The names that the key of the class may have.
        find: Returns the class that a value says; None to skip the text.

    Raises:
        DataError: It has no text, or several classes.
    """
    text = text_of(row, "data" if "text" not in row and "data" in row else "text")
    key = next((key for key in keys if row.get(key)), None)
    if key is None:
        how.tally.count(UNLABELLED, f"at {place}")
        return
    label = find(row[key], key, how, place)
    if label is None:
        return
    others = {name: value for name, value in row.items() if name not in (key, "text", "data", "options", "answer")}
    layer = key if how.config.layers is not None else how.config.layer or LAYER
    yield Annotated(text=text, labels={layer: label}, others=others, ignored=filled(others, without=()))


def _text(row: Mapping[str, Any]) -> str | None:
    return next((row[key] for key in ("text", "data") if isinstance(row.get(key), str)), None)


def class_of_cats(cats: Any, key: str, how: Translation, place: str) -> str | None:
    """Return the class whose value is 1; None if several have it and the text is skipped.

    Raises:
        DataError: None has 1, or several have it and that is an error.
    """
    if not isinstance(cats, dict) or not all(map(_is_share, cats.values())):
        raise DataError(f"`{key}` must be an object class → 1 or 0, got {shown(cats)}")
    found = [name for name, value in cats.items() if value == 1]
    if not found:
        raise DataError(f"`{key}` must have a class with 1, got {shown(cats)}; give the class of the text 1")
    return one_class(found, key, how, place)


def _is_share(value: Any) -> bool:
    return isinstance(value, (int, float)) and 0 <= value <= 1
