"""The values of keys in [data] that no plain type says. Each check says in one sentence all that a value must be."""

import codecs
import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from tagger.config.section import NotEmpty, as_tuple, must
from tagger.text.word_tables import check_language
from tagger.wording import shorten


def _as_files(value: object) -> object:
    """Return one path or several as a tuple; a table class → path (for labelled text) stays a table."""
    named = isinstance(value, dict) and all(isinstance(path, str) for path in value.values())
    listed = isinstance(value, list) and all(isinstance(path, str) for path in value)
    if not (named or listed or isinstance(value, (str, tuple))):
        raise ValueError(f"must be a path, a list of paths or a table class = path, got {shorten(value)}")
    return as_tuple(value)


def _as_data_files(value: object) -> object:
    """Return paths or patterns as a tuple, or a table split → such a tuple."""
    return {split: _as_files(paths) for split, paths in value.items()} if isinstance(value, dict) else _as_files(value)


Files = Annotated[tuple[str, ...] | dict[str, str], BeforeValidator(_as_files)]
DataFiles = Annotated[tuple[str, ...] | dict[str, tuple[str, ...]], BeforeValidator(_as_data_files)]


A_NUMBER = must("a number", lambda v: v is None or (isinstance(v, (int, float)) and not isinstance(v, bool)))


def _is_fold(value: object) -> bool:
    """Whether a value is the number of a fold and the number of folds."""
    if not isinstance(value, list | tuple) or len(value) != 2 or any(type(part) is not int for part in value):
        return False
    return bool(2 <= value[1] <= 1000 and 1 <= value[0] <= value[1])


Fold = Annotated[
    tuple[int, int] | None,
    BeforeValidator(as_tuple),
    must("a fold and the number of folds (2 to 1,000), such as [1, 5]", _is_fold),
]


def _as_new_name(value: object) -> object:
    """Return the new name of a type or class unchanged, or refuse it."""
    if isinstance(value, str) and (value.strip() != value or value == "O"):
        advice = "to remove a type, list it in `drop`" if value == "O" else "remove the spaces around it"
        raise ValueError(f"must be the name of a type or class, got {shorten(value)}; {advice}")
    return value


NewName = Annotated[NotEmpty, BeforeValidator(_as_new_name)]


def _as_language(value: object) -> object:
    """Return the code of a language that has rules unchanged, or refuse it."""
    check_language(str(value))
    return value


Language = Annotated[str, BeforeValidator(_as_language)]

Characters = Annotated[
    str,
    must(
        "characters without white space, such as '/#-'",
        lambda value: isinstance(value, str) and not any(char.isspace() for char in value),
    ),
    Field(max_length=100),
]

Header = Annotated[
    Annotated[int, Field(ge=0, le=1000)] | bool | None,
    must(
        "a number of lines from 0 to 1,000, or true or false",
        lambda value: value is None or (isinstance(value, int) and 0 <= value <= 1000),
    ),
]


DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "blanks": " "}


def _as_delimiter(value: object) -> object:
    """Return a delimiter as a character, or refuse it."""
    if isinstance(value, str):
        value = DELIMITERS.get(value, value)
    if not isinstance(value, str) or len(value) != 1 or value in "\r\n\0":
        raise ValueError(f"must be a character or one of {', '.join(DELIMITERS)}, got {shorten(value)}")
    return value


Delimiter = Annotated[str, BeforeValidator(_as_delimiter)]


def _is_encoding(value: object) -> bool:
    """Whether a value is the name of an encoding of text."""
    try:
        return isinstance(value, str) and bool(codecs.lookup(value)._is_text_encoding)
    except (LookupError, ValueError):
        return False


Encoding = Annotated[str, must("the name of an encoding in Python, such as cp1252 or utf-16", _is_encoding)]


def _as_pattern(value: str) -> str:
    """Return a regular expression with named parts unchanged, or refuse it."""
    try:
        names = re.compile(value).groupindex
    except re.error as error:
        raise ValueError(f"must be a regular expression, got {shorten(value)}: {error}") from None
    if not names:
        raise ValueError(f"must have a named part, such as (?P<speaker>[a-z]+), got {shorten(value)}")
    return value


Pattern = Annotated[str, AfterValidator(_as_pattern)]
