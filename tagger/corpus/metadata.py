"""The metadata of sentences: their comments, the keys of their records, and those of the `meta` in a record."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tagger.errors import DataError
from tagger.text.sentence import Sentence, place_of
from tagger.wording import quoted, shorten


def value_of(sentence: Sentence, key: str) -> str:
    """Return the value of a key that groups sentences.

    Raises:
        DataError: The sentence has none.
    """
    known = _known(sentence)
    if (value := find_value(sentence, key)) is not None:
        return value
    raise DataError(
        f"{place_of(sentence)}: every record must have a value under `{key}`, the `group` of the split, got "
        f"{shorten(known[key]) if key in known else 'no such key'}; its keys are: {quoted(known) or 'none'}"
    )


def find_value(sentence: Sentence, key: str) -> str | None:
    """Return the value of a key of the record of a sentence, of the `meta` in it, or of its comments, if it has one.

    The value of `text` is the text, if no record says otherwise.
    """
    value = _known(sentence).get(key, sentence.text.strip() if key == "text" else None)
    return str(value) if isinstance(value, (str, int, float)) and str(value).strip() else None


def with_values(sentences: Sequence[Sentence], keys: Sequence[str]) -> list[Sentence]:
    """Return sentences whose `meta` has the values of these keys, wherever the sentences have them.

    Raises:
        DataError: No sentence has a value of a key.
    """
    found = [{key: value for key in keys if (value := find_value(s, key)) is not None} for s in sentences]
    for key in keys:
        if not any(key in values for values in found):
            names = sorted({name for s in sentences for name in _known(s) if find_value(s, name) is not None})
            raise DataError(
                f"--by: `{key}` must be a key of the metadata of a sentence, got no sentence with it; the keys of "
                f"these sentences: {quoted(names) or 'none'}"
            )
    return [replace(s, meta={**s.meta, **values}) if values else s for s, values in zip(sentences, found, strict=True)]


def _known(sentence: Sentence) -> dict[str, Any]:
    record: Mapping[str, Any] = sentence.record or {}
    inner = record.get("meta")
    return {**(inner if isinstance(inner, dict) else {}), **record, **sentence.meta}
