"""Align entities, which are ranges of characters, with the tokens of their text.

`align` finds the tokens of each entity, or the reason why it has none. Each entity that is dropped or changed is a
`Misfit`, which `sentences` reports. White space at the ends of an entity is always ignored.

With `expand` an entity grows to whole tokens, and the sentences that it crosses become one, because their border was
guessed and the entity was not. Entities that cannot grow (empty, outside the text, in pieces, with another text than
was annotated, or overlapping another) are dropped. Of two that overlap, the one that begins first is kept; of two with
different types on the same tokens, the first of the file. Two that meet only because they grew are merged if they have
one type; otherwise the longer one is kept.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal, NamedTuple

from tagger.text.choices import Misaligned, Nested
from tagger.text.schemes import Boundary
from tagger.text.tokenization import CharSpan
from tagger.wording import shorten

Cause = Literal[
    "outside",
    "empty",
    "pieces",
    "text",
    "inside",
    "sentence",
    "overlap",
    "nested",
    "twice",
    "blank",
    "merged",
    "crowded",
]


class Entity(NamedTuple):
    """A typed range of characters.

    Args:
        type: The type.
        start: The first character.
        end: The character after the last.
        text: The annotated text, if the file has it.
        whole: False for an entity of several pieces.
        place: Where the file has it, as `file:line`.
        score: The number that the file has as its probability, if it has one.
    """

    type: str
    start: int
    end: int
    text: str | None = None
    whole: bool = True
    place: str = ""
    score: float | None = None


class Misfit(NamedTuple):
    """An entity, why it does not fit the tokens, and the tokens or the entity that it conflicts with."""

    entity: Entity
    cause: Cause
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Entities as token ranges in order, the first token of each sentence, and what did not fit.

    `nests` is whether entities are nested, or would be if those that do not fit had grown. `scores` are the
    probabilities of those that have one.
    """

    boundaries: list[Boundary]
    starts: list[int]
    misfits: list[Misfit]
    nests: bool = False
    scores: Mapping[Boundary, float] = field(default_factory=dict)


def align(
    text: str,
    tokens: Sequence[CharSpan],
    starts: Sequence[int],
    entities: Sequence[Entity],
    *,
    misaligned: Misaligned = "error",
    nested: Nested = "error",
) -> Alignment:
    """Return the token ranges of entities, none of which overlap.

    Args:
        text: The text.
        tokens: The offsets of each token, in order.
        starts: The first token of each sentence.
        entities: Ranges of characters, in any order.
        misaligned: Whether an entity that does not fit the tokens, crosses sentences or overlaps another grows
            (`expand`) or is dropped; the caller reports it.
        nested: Which of two nested entities is kept; the outer one if it is an error.
    """
    misfits: list[Misfit] = []
    placed: list[_Placed] = []
    fitting: list[_Placed] = []
    ends = ([first for first, _ in tokens], [last for _, last in tokens])
    for entity in entities:
        row, problems = _place(entity, text, ends, starts)
        grave = [problem for problem in problems if problem.cause != "blank"]
        placed += [row] if row is not None else []
        if row is not None and (misaligned == "expand" or not grave):
            fitting.append(row)
            misfits += problems
        else:
            misfits.append(grave[0])
    kept, lost = _disjoint(fitting, text, nested)
    boundaries = [row.boundary for row in kept]
    inside = {token for _, start, end in boundaries for token in range(start + 1, end)}
    others = _disjoint(placed, text, nested)[1] if len(placed) > len(fitting) else []
    nests = any(misfit.cause == "nested" for misfit in (*lost, *others))
    scores = {row.boundary: row.entity.score for row in kept if row.entity.score is not None}
    return Alignment(boundaries, [start for start in starts if start not in inside], misfits + lost, nests, scores)


class _Placed(NamedTuple):
    """An entity with the tokens that it touches.

    Args:
        boundary: The tokens.
        entity: The entity.
        whole: The characters of these tokens.
        parts: The characters that were annotated; several once entities are merged.
    """

    boundary: Boundary
    entity: Entity
    whole: CharSpan
    parts: tuple[CharSpan, ...]

    @property
    def size(self) -> int:
        """The number of characters that were annotated."""
        return sum(end - start for start, end in self.parts)


def _place(
    entity: Entity, text: str, ends: tuple[list[int], list[int]], starts: Sequence[int]
) -> tuple[_Placed | None, list[Misfit]]:
    """Return the tokens that an entity touches, and why it is not exactly these; `ends` are those of the tokens."""
    if cause := _unreadable(entity, text):
        return None, [Misfit(entity, cause)]
    found = text[entity.start : entity.end]
    start = entity.start + len(found) - len(found.lstrip())
    end = start + len(found.strip())
    first, last = bisect_right(ends[1], start), bisect_left(ends[0], end)
    if first >= last:  # only where the tokens are not all of the text
        return None, [Misfit(entity, "empty")]
    problems = []
    whole = (ends[0][first], ends[1][last - 1])
    if whole != (start, end):
        problems.append(Misfit(entity, "inside", f"in {shorten(text[slice(*whole)])}"))
    elif whole != (entity.start, entity.end):
        problems.append(Misfit(entity, "blank"))
    sentence = bisect_right(starts, first)
    if sentence != bisect_right(starts, last - 1):
        border = starts[sentence] - 1
        problems.append(Misfit(entity, "sentence", f"behind {shorten(text[ends[0][border] : ends[1][border]])}"))
    return _Placed(Boundary(entity.type, first, last), entity, whole, ((start, end),)), problems


def _unreadable(entity: Entity, text: str) -> Cause | None:
    """Return why an entity is not a piece of the text."""
    if not 0 <= entity.start <= entity.end <= len(text):
        return "outside"
    found = text[entity.start : entity.end]
    if not found.strip():
        return "empty"
    if not entity.whole:
        return "pieces"
    return None if entity.text is None or same_words(entity.text, found) else "text"


def same_words(annotated: str, text: str) -> bool:
    r"""Whether a text is the annotated one; tools write a line break as a blank, or as the two characters `\n`."""
    return annotated.replace("\\n", "\n").split() == text.replace("\\n", "\n").split()


def _disjoint(placed: Sequence[_Placed], text: str, nested: Nested) -> tuple[list[_Placed], list[Misfit]]:
    """Return the entities that are kept where some share tokens, in order, and the others."""
    rows = sorted(placed, key=lambda row: (row.boundary.start, -row.boundary.end))
    lost: dict[int, Misfit] = {}
    for i, j in _sharing([row.boundary for row in rows], lost):
        outer, inner = rows[i], rows[j]
        if outer.boundary == inner.boundary and _relation(outer, inner) != "apart":
            lost[j] = Misfit(inner.entity, "twice")
        elif _relation(outer, inner) == "nested":
            inside = nested == "innermost" and inner.boundary[1:] != outer.boundary[1:]
            dropped, stays = (i, j) if inside else (j, i)
            lost[dropped] = Misfit(rows[dropped].entity, "nested", f"with {show_entity(rows[stays].entity, text)}")
    kept: list[_Placed] = []
    met: list[Misfit] = []
    for row in (row for i, row in enumerate(rows) if i not in lost):
        cause = _conflict(kept[-1], row) if kept else None
        if cause is None:
            kept.append(row)
            continue
        before = kept[-1]
        winner, loser = (row, before) if cause == "crowded" and row.size > before.size else (before, row)
        kept[-1] = _union(before, row) if cause == "merged" else winner
        met.append(Misfit(loser.entity, cause, f"with {show_entity(winner.entity, text)}"))
    return kept, [*(lost[i] for i in sorted(lost)), *met]


def _conflict(before: _Placed, after: _Placed) -> Cause | None:
    """Return why two entities, the second of which begins later, cannot both be kept; None if they can."""
    apart, same = _relation(before, after) == "apart", before.boundary.type == after.boundary.type
    if after.boundary.start < before.boundary.end:
        return ("merged" if same else "crowded") if apart else "overlap"
    touching = before.whole[1] == after.whole[0] and before.parts[-1][1] < after.parts[0][0]
    return "merged" if same and touching else None


def _relation(one: _Placed, other: _Placed) -> Literal["apart", "nested", "overlap"]:
    """Return how the characters of two entities lie, as they were annotated."""
    found: Literal["apart", "nested", "overlap"] = "apart"
    for a, b in product(one.parts, other.parts):
        if (a[0] <= b[0] and b[1] <= a[1]) or (b[0] <= a[0] and a[1] <= b[1]):
            return "nested"
        if a[0] < b[1] and b[0] < a[1]:
            found = "overlap"
    return found


def _union(before: _Placed, after: _Placed) -> _Placed:
    """Return two entities of one type, the second of which begins later, as one, which is as sure as the less sure."""
    type_, start, end = before.boundary
    end, last = max(end, after.boundary.end), max(before.whole[1], after.whole[1])
    whole = (before.whole[0], last)
    scores = [row.entity.score for row in (before, after) if row.entity.score is not None]
    entity = before.entity._replace(score=min(scores) if len(scores) > 1 else None)
    return _Placed(Boundary(type_, start, end), entity, whole, (*before.parts, *after.parts))


def _sharing(boundaries: Sequence[Boundary], lost: Collection[int]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of ordered ranges that share a token, without those that are dropped in the meantime."""
    for i, first in enumerate(boundaries):
        for j in range(i + 1, len(boundaries)):
            if i in lost or boundaries[j].start >= first.end:
                break
            if j not in lost:
                yield i, j


def show_entity(entity: Entity, text: str) -> str:
    """Return an entity as errors show it."""
    found = text[max(0, entity.start) : max(0, entity.end)]
    same = entity.text is None or same_words(entity.text, found)
    annotated = "" if same else f", as {shorten(entity.text or '')}"
    return f"{shorten(found)} ({entity.type}, characters {entity.start} to {entity.end}{annotated})"
