"""Mistakes in their context: a part of the text, with some words on the left and right.

`mistakes.py` finds the mistakes of entities, `wrong_values.py` those of tags and labels.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tagger.metrics.layer import ScoredLayer
from tagger.metrics.section import Table
from tagger.text.schemes import Boundary
from tagger.text.sentence import Sentence, Unaligned, place_of
from tagger.wording import visible

NUM_WORDS = 8  # on each side
NUM_BRIEF = 3  # mistakes in the short form of a report
WIDTH, BRIEF_WIDTH = 60, 30  # characters on each side of a mistake, in a list and in the short form of a report
LISTED = "mistakes in context"


class Mention(NamedTuple):
    """A type, tag or label, and the characters `[start_char, end_char)` of the sentence's text that have it."""

    type: str
    start_char: int
    end_char: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """What differs between gold and prediction at one place.

    Args:
        kind: What is wrong, in a word or two, such as `missed`.
        sentence: The number of the sentence in its layer, from 0.
        gold: What gold has there.
        predicted: What was predicted there.
        probability: How sure the model was, from 0 to 1; None if that is unknown.
    """

    kind: str
    sentence: int
    gold: tuple[Mention, ...]
    predicted: tuple[Mention, ...]
    probability: float | None


def mention_of(sentence: Sentence, entity: Boundary | Unaligned) -> Mention:
    """Return an entity with its characters."""
    if isinstance(entity, Unaligned):
        return Mention(*entity)
    return Mention(entity.type, sentence.offsets[entity.start][0], sentence.offsets[entity.end - 1][1])


def surest_first(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """Return the mistakes with the highest probability first, and those without one at the end, in their order."""
    return sorted(mistakes, key=lambda mistake: (mistake.probability is None, -(mistake.probability or 0)))


def entries(layer: ScoredLayer, mistakes: Iterable[Mistake]) -> list[dict[str, Any]]:
    """Return the mistakes as JSON values, each with its place and context.

    `text` reaches from the first to the last character of all that gold and prediction have there; `start` and `end` of
    these are characters of `text`.
    """
    return [_entry(layer.gold[mistake.sentence], mistake) for mistake in mistakes]


def _entry(sentence: Sentence, mistake: Mistake) -> dict[str, Any]:
    both = mistake.gold + mistake.predicted
    start, end = min(mention.start_char for mention in both), max(mention.end_char for mention in both)
    before = [first for first, last in sentence.offsets if last <= start]
    after = [last for first, last in sentence.offsets if first >= end]
    left = before[-NUM_WORDS:][0] if before else start
    right = after[:NUM_WORDS][-1] if after else end
    return {
        "kind": mistake.kind,
        "place": place_of(sentence, min(len(before), max(len(sentence) - 1, 0))),
        "left": _line(sentence.text[left:start]),
        "text": _line(sentence.text[start:end]),
        "right": _line(sentence.text[end:right]),
        "gold": [_described(sentence, mention, start) for mention in mistake.gold],
        "predicted": [_described(sentence, mention, start) for mention in mistake.predicted],
        "probability": mistake.probability,
    }


def _described(sentence: Sentence, mention: Mention, start: int) -> dict[str, Any]:
    text = _line(sentence.text[mention.start_char : mention.end_char])
    return {"type": mention.type, "text": text, "start": mention.start_char - start, "end": mention.end_char - start}


def _line(text: str) -> str:
    """Return a text on one line, of the same length."""
    return re.sub(r"\s", " ", text)


def brief_lines(found: Sequence[dict[str, Any]]) -> list[str]:
    """Return the first mistakes as lines of text."""
    lines = []
    for entry in found[:NUM_BRIEF]:
        sure = "" if entry["probability"] is None else f", {entry['probability']:.4f}"
        sides = [f"{side} {types_of(entry, side)}" for side in ("gold", "predicted") if entry[side]]
        lines.append(f"{entry['place']}: {marked(entry, BRIEF_WIDTH)} ({entry['kind']}: {', '.join(sides)}{sure})")
    return lines


def listed(found: Sequence[dict[str, Any]]) -> Table:
    """Return a table of mistakes."""
    rows = [
        (marked(e), e["place"], e["kind"], types_of(e, "gold"), types_of(e, "predicted"), e["probability"])
        for e in found
    ]
    return Table(("text", "place", "mistake", "gold", "predicted", "probability"), tuple(rows), LISTED)


def marked(entry: dict[str, Any], width: int = WIDTH) -> str:
    """Return the context on one line, with square brackets around the mistake."""
    left, text, right = (visible(entry[part]) for part in ("left", "text", "right"))
    text = text if len(text) <= 2 * width else f"{text[:width]}…{text[-width:]}"
    return f"{'…' * (len(left) > width)}{left[-width:]}[{text}]{right[:width]}{'…' * (len(right) > width)}"


def types_of(entry: dict[str, Any], side: str) -> str:
    """Return what a side has: the types, each with its text if that is not all of the marked text."""
    return " + ".join(
        mention["type"] if mention["text"] == entry["text"] else f"{mention['type']} {mention['text']!r}"
        for mention in entry[side]
    )
