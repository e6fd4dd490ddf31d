from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.analysis.matching import Match, joined, overlaps, paired
from tagger.text.schemes import Boundary, tags_to_spans

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def entities(number: int) -> st.SearchStrategy[list[Boundary]]:
    """The entities of up to `number` tokens; those of one side never overlap."""
    return st.lists(st.sampled_from(TAGS), max_size=number).map(lambda tags: tags_to_spans(tags, "iob2"))


def per(*places: tuple[int, int]) -> tuple[Boundary, ...]:
    return tuple(Boundary("PER", start, end) for start, end in places)


@given(entities(12), entities(12))
def test_each_entity_is_in_exactly_one_match_of_one_with_many(gold: list[Boundary], predicted: list[Boundary]) -> None:
    matches = joined(gold, predicted)
    assert Counter(entity for match in matches for entity in match.gold) == Counter(gold)
    assert Counter(entity for match in matches for entity in match.predicted) == Counter(predicted)
    assert all(min(len(match.gold), len(match.predicted)) <= 1 for match in matches)
    assert all((g, p) in overlaps(gold, predicted) for match in matches for g in match.gold for p in match.predicted)


@given(entities(12), entities(12))
def test_equal_entities_are_matched_with_nothing_else(gold: list[Boundary], predicted: list[Boundary]) -> None:
    equal = {Match((entity,), (entity,)) for entity in {*gold} & {*predicted}}
    assert equal <= {*joined(gold, predicted)}
    assert {(entity, entity) for entity in {*gold} & {*predicted}} <= {*paired(gold, predicted)}


@given(entities(12), entities(12))
def test_each_entity_is_in_exactly_one_pair(gold: list[Boundary], predicted: list[Boundary]) -> None:
    pairs = paired(gold, predicted)
    assert Counter(g for g, _ in pairs if g is not None) == Counter(gold)
    assert Counter(p for _, p in pairs if p is not None) == Counter(predicted)
    free_gold, free_predicted = {g for g, p in pairs if p is None}, {p for g, p in pairs if g is None}
    assert not any(g in free_gold and p in free_predicted for g, p in overlaps(gold, predicted))


@pytest.mark.parametrize(
    ("gold", "predicted", "matches"),
    [
        (per((0, 4)), per((0, 1), (2, 4)), [Match(per((0, 4)), per((0, 1), (2, 4)))]),
        (per((0, 2), (2, 4)), per((1, 3)), [Match(per((0, 2), (2, 4)), per((1, 3)))]),
        # A chain: the pair that shares three tokens is joined first, then what is left over.
        (
            per((0, 4), (4, 8)),
            per((0, 1), (1, 5), (5, 8)),
            [Match(per((0, 4)), per((0, 1), (1, 5))), Match(per((4, 8)), per((5, 8)))],
        ),
        (per((0, 1)), per((1, 2)), [Match(per((0, 1)), ()), Match((), per((1, 2)))]),
        ((), (), []),
    ],
    ids=["one with two", "two with one", "chain", "side by side", "nothing"],
)
def test_matches_of_overlapping_entities(
    gold: tuple[Boundary, ...], predicted: tuple[Boundary, ...], matches: list[Match]
) -> None:
    assert joined(gold, predicted) == matches


def test_a_pair_of_one_type_wins_where_two_share_as_many_tokens() -> None:
    gold, (one, other) = Boundary("LOC", 0, 2), (Boundary("PER", 0, 1), Boundary("LOC", 1, 2))
    assert paired([gold], [one, other]) == [(gold, other), (None, one)]
