"""A text with its annotations, as every dialect of a tool is translated, and what a file says as a whole."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.json_keys import is_class
from tagger.formats.tally import Tally
from tagger.formats.texts.several import only_label
from tagger.text.tokenization import CharSpan
from tagger.wording import quoted, shorten


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """A text with its annotations.

    Args:
        text: The text.
        spans: Lists of character spans by name, each span `[start, end, type]` or
            `{"start", "end", "label" or "labels", "text"}`.
        named: Whether each list of spans is a layer of its own name, if there are several.
        labels: Classes of the whole text, by the name of their layer.
        others: The other keys of the record.
        tokens: The offsets of the tokens, if the text comes with its own.
        whole: Whether the text is one sentence.
        document: The document that the text is a part of.
        ignored: What is filled in the record and not read.
    """

    text: str
    spans: Mapping[str, Any] = field(default_factory=dict)
    named: bool = False
    labels: Mapping[str, Any] = field(default_factory=dict)
    others: Mapping[str, Any] = field(default_factory=dict)
    tokens: Sequence[CharSpan] = ()
    whole: bool = False
    document: str | None = None
    ignored: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """How the items of a file are translated.

    Args:
        config: How to read the file.
        tally: Counts what is done and ignored.
        text_key: The key of the texts, where a dialect does not say it.
    """

    config: ReadingConfig
    tally: Tally
    text_key: str = "text"

    @property
    def takes_all(self) -> bool:
        """Whether the file is read without names for its layers."""
        return self.config.layers is None or self.config.layer is not None


def shown(value: Any) -> str:
    """Return a value of a file as an error shows it."""
    try:
        return shorten(json.dumps(value))
    except RecursionError:
        return shorten(value)


def filled(row: Mapping[str, Any], *, without: Collection[str]) -> list[str]:
    """Return the keys of a record with a value, apart from some."""
    return [key for key, value in row.items() if key not in without and value not in (None, "", [], {})]


def text_of(row: Mapping[str, Any], key: str) -> str:
    """Return the text of a record.

    Raises:
        DataError: It has none.
    """
    text = row.get(key)
    if isinstance(text, str):
        return text
    got = shown(text) if key in row else f"the keys {quoted(row) or 'none'}"
    raise DataError(f"must have a text under `{key}`, got {got}")


def one_class(values: Any, key: str, how: Translation, place: str) -> str | None:
    """Return the one class in a list; None if it has several and the text is skipped.

    Raises:
        DataError: The value is no list of classes, or there are several and that is an error.
    """
    if isinstance(values, list) and values and all(map(is_class, values)):
        return only_label(map(str, values), how.config.several, how.tally, place)
    raise DataError(f"`{key}` must be a list with the class of the text, got {shown(values)}")


def joined(words: Any, spaces: Sequence[Any] = ()) -> tuple[str, list[CharSpan]]:
    """Return words as a text, with blanks between them unless `spaces` has False there, and their offsets.

    Raises:
        DataError: They are not words.
    """
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word.strip() for word in words):
        raise DataError(f"the tokens must be a list of words that are not empty, got {shown(words)}")
    parts: list[str] = []
    offsets: list[CharSpan] = []
    position = 0
    for i, word in enumerate(words):
        offsets.append((position, position + len(word)))
        blank = "" if i + 1 == len(words) or (spaces and spaces[i] is False) else " "
        parts += [word, blank]
        position += len(word) + len(blank)
    return "".join(parts), offsets
