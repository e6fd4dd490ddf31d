"""The shape of a word form as numbers: its case, digits, marks and length, and its characters by class.

Everything is read off the tables below. They use the classes of Unicode, so that scripts without case, and the digits
and marks of any script, have values of their own. A newer Python knows more characters; a new one may then have another
class.
"""

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from unicodedata import category
from zlib import crc32

# How a character looks in a shape, by its category or else by the first letter of that; others look like themselves.
LOOKS = {
    "Lu": "X",  # upper case
    "Lt": "X",  # title case, such as the digraph ǅ
    "Ll": "x",  # lower case
    "L": "c",  # letters without case
    "Nd": "d",  # digits
    "N": "n",  # other numbers, such as fractions
    "So": "*",  # pictures, such as emoji
    "C": "?",  # characters that are not in use, and control characters
}
PLAIN = {"M": "", "Cf": "", "Pd": "-", "Pi": '"', "Pf": '"'}  # before that: no accents or joiners, one dash, one quote
APOSTROPHES = str.maketrans(dict.fromkeys("‘’ʼ＇", "'"))


class Facet(NamedTuple):
    """One property of a word form, with the pattern of each value; the first one that matches the whole counts."""

    name: str
    values: Sequence[tuple[str, str]]


CASE = Facet(  # of the letters of a shape
    "case",
    (
        ("no letters", r""),
        ("letters without case", r"c+"),
        ("lower", r"[xc]+"),
        ("one upper letter", r"X"),
        ("initial upper", r"X[xc]+"),
        ("all upper", r"[Xc]+"),
        ("mixed, upper first", r"X.*"),
        ("mixed", r".*"),
    ),
)
DIGITS = Facet(
    "digits",
    (
        ("none", r"\D*"),
        ("one digit", r"\d"),
        ("year", r"(?:1\d|20)\d\d"),
        ("all", r"\d+"),
        ("number", r"[-+]?\d+(?:[.,:/]\d+)*|[-+]?(?:[.,:/]\d+)+"),
        ("number and a mark", r"[^\w\s]?\d+(?:[.,:/]\d+)*[^\w\s]?"),
        ("number and letters", r"\d+(?:[.,:/]\d+)*[^\W\d]+"),
        ("some", r".*"),
    ),
)
MARKS = Facet(
    "marks",
    (
        ("none", r"[^\W_]*"),
        ("marks alone", r"[\W_]+"),
        ("URL", r"(?i:https?://|www\.).+"),
        ("e-mail address", r"[^@]+@[^@][^@.]*\.[^@]+"),  # there is one way to match, for the sake of speed
        ("mention", r"@\w+"),
        ("hashtag", r"#\w+"),
        ("hyphen", r"[^-]+(?:-[^-]+)+"),
        ("apostrophe", r".*'.*"),
        ("full stop at the end", r".*\."),
        ("others", r".*"),
    ),
)
CACHED = 2**15  # words whose values are kept: about 5 MB
LENGTHS = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16)  # the largest number of characters of each value but the last
SIZES = (len(CASE.values), len(DIGITS.values), len(MARKS.values), len(LENGTHS) + 1)


class _Table(dict[int, str]):
    """What each character becomes, for `str.translate`; filled as characters occur."""

    def __init__(self, table: dict[str, str]) -> None:
        super().__init__()
        self._table = table

    def __missing__(self, code: int) -> str:
        kind = category(chr(code))
        self[code] = self._table.get(kind, self._table.get(kind[0], chr(code)))
        return self[code]


_PLAIN, _LOOKS = _Table(PLAIN), _Table(LOOKS)
_PLAIN.update(APOSTROPHES)
# One pattern per facet: the number of the group that matches is that of the value, from 1. Values have no groups.
_CASE, _DIGITS, _MARKS = (
    re.compile("|".join(f"({pattern})" for _, pattern in facet.values), re.DOTALL) for facet in (CASE, DIGITS, MARKS)
)
_THIRD = re.compile(r"(.)(?=\1\1)", re.DOTALL)  # of three or more of the same, all but the last two
_OTHERS = re.compile(r"[^Xxc]+")


def shape_of(word: str) -> str:
    """Return the shape of a word: how each character looks, with at most two of the same one after another.

    `Copenhagen` has the shape `Xxx`, `COVID-19` has `XX-dd` and `3.14` has `d.dd`.
    """
    return _THIRD.sub("", word.translate(_PLAIN).translate(_LOOKS))


@lru_cache(CACHED)
def shape_ids(word: str, buckets: int) -> Sequence[int]:
    """Return the values of a word, and its shape hashed to a number below `buckets`."""
    plain = word.translate(_PLAIN)
    looks = plain.translate(_LOOKS)
    shape = _THIRD.sub("", looks)
    return [*_values(plain, looks), crc32(shape.encode("utf-32-le", "surrogatepass")) % buckets]


def _values(plain: str, looks: str) -> list[int]:
    read = ((_CASE, _OTHERS.sub("", looks)), (_DIGITS, plain), (_MARKS, plain))
    return [*(_number(pattern, text) for pattern, text in read), bisect_left(LENGTHS, len(plain))]


def _number(pattern: re.Pattern[str], text: str) -> int:
    """Return the number of the value that a text has; the last pattern of a facet matches any text."""
    match = pattern.fullmatch(text)
    assert match is not None
    assert match.lastindex is not None
    return match.lastindex - 1
