"""Which gold entities of a sentence belong to which predicted ones, when they overlap without being equal.

The entities of one side never overlap each other. So an entity that is right overlaps no other entity, and what
overlaps is a chain: gold, predicted, gold, and so on. Long chains are cut where the fewest tokens are shared.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tagger.text.schemes import Boundary


class Match(NamedTuple):
    """Gold and predicted entities that belong together; one side is empty for an entity that overlaps nothing."""

    gold: tuple[Boundary, ...]
    predicted: tuple[Boundary, ...]


def overlaps(gold: Sequence[Boundary], predicted: Sequence[Boundary]) -> list[tuple[Boundary, Boundary]]:
    """Return the pairs of a gold and a predicted entity that share tokens.

    The pairs that share the most tokens come first; among these, pairs of one type; among these, in order of the text.
    """
    pairs = [(g, p) for g in gold for p in predicted if _shared(g, p) > 0]
    return sorted(pairs, key=lambda pair: (-_shared(*pair), pair[0].type != pair[1].type, pair[0].start, pair[1].start))


def _shared(one: Boundary, other: Boundary) -> int:
    """Return the number of tokens that two entities share; 0 or less if there is none."""
    return min(one.end, other.end) - max(one.start, other.start)


def joined(gold: Sequence[Boundary], predicted: Sequence[Boundary]) -> list[Match]:
    """Return each entity in exactly one match: one gold entity with any number of predicted ones, or the other way.

    Overlapping pairs are joined in the order of `overlaps`, as long as no match has several entities on both sides. An
    entity that cannot be joined with any is alone.
    """
    of_gold = {g: Match((g,), ()) for g in gold}
    of_predicted = {p: Match((), (p,)) for p in predicted}
    for g, p in overlaps(gold, predicted):
        match = Match(of_gold[g].gold + of_predicted[p].gold, of_gold[g].predicted + of_predicted[p].predicted)
        if min(len(match.gold), len(match.predicted)) == 1:
            ordered = Match(*(tuple(sorted(side, key=_place)) for side in match))
            of_gold |= dict.fromkeys(match.gold, ordered)
            of_predicted |= dict.fromkeys(match.predicted, ordered)
    distinct = dict.fromkeys([*of_gold.values(), *of_predicted.values()])
    return sorted(distinct, key=lambda match: min(map(_place, match.gold + match.predicted)))


def _place(entity: Boundary) -> tuple[int, int]:
    return entity.start, entity.end


def paired(gold: Sequence[Boundary], predicted: Sequence[Boundary]) -> list[tuple[Boundary | None, Boundary | None]]:
    """Return each entity in exactly one pair: with the entity that it overlaps best, or with None.

    Overlapping pairs are taken in the order of `overlaps` if both entities are still free.
    """
    free_gold, free_predicted = dict.fromkeys(gold), dict.fromkeys(predicted)
    pairs: list[tuple[Boundary | None, Boundary | None]] = []
    for g, p in overlaps(gold, predicted):
        if g in free_gold and p in free_predicted:
            del free_gold[g], free_predicted[p]
            pairs.append((g, p))
    return [*pairs, *((g, None) for g in free_gold), *((None, p) for p in free_predicted)]
