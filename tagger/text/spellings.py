"""Tags of entities in other spellings, as the library writes them: `B_PER`, `PER-B`, `b-PER`, `M-PER`, `B` and `PER`.

The spelling of a layer shows in its distinct tags and how often each occurs. Tags that the library knows already, and
tags that are no entities, are left as they are. `schemes.py` detects the scheme afterwards.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import NamedTuple

ENTITY = "ENTITY"  # the type of entities whose tags name none
LETTERS = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "L", "U": "U", "M": "I", "W": "S"}
SEPARATORS = "-_:./|"
OUTSIDE = ("O", "o")
MAX_TAGS = 1000  # a layer with more distinct values has no entities
MAX_TYPES = 200
MOST = 0.9
HALF = 0.5
TYPE = re.compile(r"[^\W\d_](?!-)\S+")  # a type without a prefix; `X-Y` may be a mistyped tag


class Spelling(NamedTuple):
    """How a layer writes the tags of entities.

    Args:
        tags: Each tag that has another spelling, as the library writes it.
        about: How the tags are read, to follow "layer `ner`" in a note.
        is_io: Whether the tags are types without a prefix, which makes them IO.
    """

    tags: Mapping[str, str]
    about: str
    is_io: bool = False

    def read(self, tags: Iterable[str | None]) -> list[str | None]:
        """Return the tags of a sentence as the library writes them."""
        return [None if tag is None else self.tags.get(tag, tag) for tag in tags]


def spelling_of(counts: Mapping[str, int]) -> Spelling | None:
    """Return how a layer writes its tags, given how often each occurs; None if they need no other spelling."""
    others = {tag: number for tag, number in counts.items() if tag and tag not in OUTSIDE}
    if not others or len(others) > MAX_TAGS:
        return None
    outside = sum(counts.get(tag, 0) for tag in OUTSIDE)
    if not outside:
        return _bare(others, without_outside=True)
    return _separated(others) or _bare(others, without_outside=False) or _types(others, outside)


def _separated(others: Mapping[str, int]) -> Spelling | None:
    """Return the spelling of tags with a letter, a separator and a type; None if most tags are not such."""
    for pattern in _patterns():
        found = {tag: match for tag in others if (match := pattern.fullmatch(tag))}
        if sum(others[tag] for tag in found) < MOST * sum(others.values()):
            continue
        letters = {match["letter"].upper() for match in found.values()}
        if not _agree(letters):
            continue
        tags = {tag: f"{LETTERS[match['letter'].upper()]}-{match['type']}" for tag, match in found.items()}
        changed = {tag: new for tag, new in tags.items() if tag != new}
        if not changed:
            return None
        old, new = next(iter(changed.items()))
        return Spelling(_with_outside(changed), f"has tags such as {old!r}, which is read as {new!r}")
    return None


def _patterns() -> Iterator[re.Pattern[str]]:
    """Yield the forms of a tag, the usual one first."""
    for letters in ("".join(LETTERS), "".join(LETTERS).lower()):
        for separator in map(re.escape, SEPARATORS):
            yield re.compile(rf"(?P<letter>[{letters}]){separator}(?P<type>\S.*)")
        for separator in map(re.escape, SEPARATORS):
            yield re.compile(rf"(?P<type>.*\S){separator}(?P<letter>[{letters}])")


def _bare(others: Mapping[str, int], *, without_outside: bool) -> Spelling | None:
    """Return the spelling of tags that are letters alone; without an `O`, they must be those of BMES."""
    letters = {tag.upper() for tag in others}
    if len(letters) < len(others) or not _agree(letters) or (without_outside and not letters >= {"B", "E", "S"}):
        return None
    tags = {tag: f"{LETTERS[tag.upper()]}-{ENTITY}" for tag in others}
    return Spelling(_with_outside(tags), f"has tags without a type, such as 'B', which are read with the type {ENTITY}")


def _agree(letters: Set[str]) -> bool:
    """Whether letters are of one scheme: `M` stands for `I` beside `E`, and `W` for `S` beside `M` or `E`."""
    if not letters <= LETTERS.keys() or not letters & {"B", "I"}:
        return False
    return not ("M" in letters and ("I" in letters or "E" not in letters)) and not (
        "W" in letters and "E" not in letters
    )


def _types(others: Mapping[str, int], outside: int) -> Spelling | None:
    """Return the spelling of types without a prefix, among which most tokens are outside."""
    several = len(others) <= MAX_TYPES and outside >= HALF * (outside + sum(others.values()))
    if not several or not all(map(TYPE.fullmatch, others)):
        return None
    tags = {tag: f"I-{tag}" for tag in others}
    return Spelling(tags, "has types without a prefix; they are read with the prefix `I-`", is_io=True)


def _with_outside(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the spellings of tags, with that of a small `o`."""
    return {**tags, "o": "O"}
