"""What judgements mean: which of them hold, and the tags that follow from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tagger.text.schemes import Boundary, Scheme, spans_to_tags

Kind = Literal["tokens", "rest", "skip"]
LAYER = "ner"  # of the entities that are judged
SCHEME: Scheme = "bioes"  # its tags say where an entity ends, also beside unknown tokens


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement that holds: tokens `[start, end)` are an entity of a type, or None of them is in an entity."""

    id: int
    start: int
    end: int
    type: str | None


class Judgement(NamedTuple):
    """What a person said of a text, in the order of time.

    Args:
        id: Its number.
        text: The number of the text.
        kind: `tokens`: these tokens are an entity, or none is in an entity; `rest`: there is no entity beside those
            that are judged; `skip`: the text is left out.
        start: The first token.
        end: The token after the last one.
        type: The type of the entity.
        seconds: How long the person took.
        person: Who it was.
        time: When it was, in seconds since 1970.
    """

    id: int
    text: int
    kind: Kind
    start: int
    end: int
    type: str | None
    seconds: float
    person: str
    time: float


def holding(judgements: Iterable[Judgement], length: int) -> list[Judged]:
    """Return what holds of a text of so many tokens, in the order of the text.

    A later judgement replaces the entities that it overlaps, and the overlapped part of stretches without an entity.
    The rest, once judged, is all that no entity covers in the end.
    """
    held: list[Judged] = []
    rest: int | None = None
    for each in judgements:
        if each.kind == "rest":
            rest = each.id
        elif each.kind == "tokens":
            held = [part for old in held for part in without(old, each.start, each.end)]
            held.append(Judged(each.id, each.start, each.end, each.type))
    held.sort(key=lambda judged: judged.start)
    if rest is not None:
        held += [Judged(rest, start, end, None) for start, end in gaps(held, length)]
        held.sort(key=lambda judged: judged.start)
    return held


def without(old: Judged, start: int, end: int) -> list[Judged]:
    """Return what is left of a judgement after one on tokens `[start, end)`."""
    if old.end <= start or end <= old.start:
        return [old]
    if old.type is not None:
        return []
    parts = [(old.start, min(old.end, start)), (max(old.start, end), old.end)]
    return [Judged(old.id, first, last, None) for first, last in parts if first < last]


def gaps(held: Sequence[Judged], length: int) -> list[tuple[int, int]]:
    """Return the stretches of tokens that no judgement is about."""
    edges = [0, *(edge for judged in held for edge in (judged.start, judged.end)), length]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if start < end]


def tags_of(held: Iterable[Judged], length: int) -> tuple[str | None, ...]:
    """Return the tags of a text in `SCHEME`; None where nothing is known."""
    tags: list[str | None] = [None] * length
    for judged in held:
        size = judged.end - judged.start
        spans = [] if judged.type is None else [Boundary(judged.type, 0, size)]
        tags[judged.start : judged.end] = spans_to_tags(spans, size, SCHEME)
    return tuple(tags)
