"""The colours of tags in pictures of sequences: the same for gold, predictions and probabilities."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tagger.pages.palette import COLOURS, colour_of

PLAIN = "#e3e6ea"  # of tags that say that there is nothing
INK, FAINT, GRID = "#1b1d21", "#5f6672", "#e4e6ea"
NOTHING = frozenset({"o", "none", "normal", "background"})
HATCHES = ("", "////", "....", "xxxx")  # of the first twelve tags, the next twelve, and so on


class Look(NamedTuple):
    """The colour of a tag, its pattern, and the colour of text on it."""

    colour: str
    hatch: str
    ink: str


def looks_of(types: Sequence[str]) -> Mapping[str, Look]:
    """Return the look of each tag; those that say that there is nothing are grey."""
    marked = [type_ for type_ in types if not is_plain(type_)]
    looks = {type_: Look(PLAIN, "", INK) for type_ in types}
    for number, type_ in enumerate(marked):
        hatch = HATCHES[number // len(COLOURS) % len(HATCHES)]
        looks[type_] = Look(colour_of(number), hatch, _ink_on(number))
    return looks


def is_plain(type_: str) -> bool:
    """Whether a tag says that there is nothing: `O`, `none`, `normal`, `background`, or a mark such as `_` or `-`."""
    return type_.lower() in NOTHING or not any(map(str.isalnum, type_))


def _ink_on(number: int) -> str:
    """Return black or white, whichever has more contrast (WCAG) on a colour of the palette."""
    shares = [part / 255 for part in COLOURS[number % len(COLOURS)]]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    light = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return INK if (light + 0.05) / 0.06 > 1.05 / (light + 0.05) else "#ffffff"
