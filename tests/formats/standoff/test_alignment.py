"""Entities as characters held against tokens: what each policy keeps, and what it says of the rest."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.vocab import Vocab

from tagger.formats.standoff.alignment import Alignment, Entity, Misaligned, Nested, align
from tagger.text.schemes import Boundary

TEXT = "Ada  Lovelace saw Rome. Byron did not ."
#       0    5        14  18  22 24    30  34  38
TOKENS = [(0, 3), (5, 13), (14, 17), (18, 22), (22, 23), (24, 29), (30, 33), (34, 37), (38, 39)]
STARTS = [0, 5]


def aligned(*entities: Entity, misaligned: Misaligned = "error", nested: Nested = "error") -> Alignment:
    return align(TEXT, TOKENS, STARTS, entities, misaligned=misaligned, nested=nested)


def outcome(*ranges: tuple[int, int], misaligned: Misaligned, nested: Nested = "error") -> tuple[list[str], list[str]]:
    """The texts of the token ranges that stay, and the causes of what does not fit."""
    found = aligned(*(Entity("X", *pair) for pair in ranges), misaligned=misaligned, nested=nested)
    return (
        [TEXT[TOKENS[start][0] : TOKENS[end - 1][1]] for _, start, end in found.boundaries],
        [misfit.cause for misfit in found.misfits],
    )


def test_entities_that_fit_are_their_tokens_in_order() -> None:
    found = aligned(Entity("LOC", 18, 22), Entity("PER", 0, 13), Entity("PER", 24, 29))
    assert found == Alignment([Boundary("PER", 0, 2), Boundary("LOC", 3, 4), Boundary("PER", 5, 6)], STARTS, [])


@pytest.mark.parametrize(
    ("entity", "causes", "dropped", "expanded"),
    [
        ((0, 3), [], ["Ada"], ["Ada"]),
        ((0, 5), ["blank"], ["Ada"], ["Ada"]),
        ((3, 13), ["blank"], ["Lovelace"], ["Lovelace"]),
        ((1, 3), ["inside"], [], ["Ada"]),
        ((0, 12), ["inside"], [], ["Ada  Lovelace"]),
        ((4, 6), ["inside"], [], ["Lovelace"]),
        ((6, 7), ["inside"], [], ["Lovelace"]),
        ((18, 29), ["sentence"], [], ["Rome. Byron"]),
        ((22, 24), ["blank"], ["."], ["."]),
        ((0, 0), ["empty"], [], []),
        ((3, 5), ["empty"], [], []),
        ((39, 39), ["empty"], [], []),
        ((5, 0), ["outside"], [], []),
        ((-1, 3), ["outside"], [], []),
        ((38, 40), ["outside"], [], []),
        ((99, 120), ["outside"], [], []),
    ],
)
def test_each_misfit_under_each_policy(
    entity: tuple[int, int], causes: list[str], dropped: list[str], expanded: list[str]
) -> None:
    assert outcome(entity, misaligned="drop") == (dropped, causes)
    assert outcome(entity, misaligned="error")[1] == causes
    assert outcome(entity, misaligned="expand") == (expanded, causes)


def test_entity_that_is_cut_and_crosses_a_sentence_has_one_cause_unless_it_grows() -> None:
    assert outcome((19, 26), misaligned="drop") == ([], ["inside"])
    assert outcome((19, 26), misaligned="expand") == (["Rome. Byron"], ["inside", "sentence"])


def test_sentences_are_joined_only_where_an_entity_that_stays_crosses_them() -> None:
    assert aligned(Entity("X", 18, 29), misaligned="expand").starts == [0]
    assert aligned(Entity("X", 18, 29), misaligned="drop").starts == STARTS
    crossing, outer = Entity("X", 18, 29), Entity("X", 14, 29)
    assert aligned(outer, crossing, Entity("X", 18, 22), misaligned="expand", nested="innermost").starts == STARTS


@pytest.mark.parametrize(
    ("ranges", "outermost", "innermost", "causes"),
    [
        ([(0, 13), (0, 3)], ["Ada  Lovelace"], ["Ada"], ["nested"]),
        ([(0, 3), (0, 13)], ["Ada  Lovelace"], ["Ada"], ["nested"]),
        ([(0, 17), (5, 13)], ["Ada  Lovelace saw"], ["Lovelace"], ["nested"]),
        ([(0, 17), (0, 13), (0, 3)], ["Ada  Lovelace saw"], ["Ada"], ["nested", "nested"]),
        ([(0, 17), (0, 3), (5, 13)], ["Ada  Lovelace saw"], ["Ada", "Lovelace"], None),
        ([(0, 3), (0, 3)], ["Ada"], ["Ada"], ["twice"]),
        ([(0, 13), (5, 17)], ["Ada  Lovelace"], ["Ada  Lovelace"], ["overlap"]),
        ([(5, 17), (0, 13)], ["Ada  Lovelace"], ["Ada  Lovelace"], ["overlap"]),
        ([(0, 13), (5, 17), (14, 22)], ["Ada  Lovelace", "saw Rome"], ["Ada  Lovelace", "saw Rome"], ["overlap"]),
        ([(0, 3), (5, 13)], ["Ada", "Lovelace"], ["Ada", "Lovelace"], []),
    ],
)
def test_entities_that_share_tokens(
    ranges: list[tuple[int, int]], outermost: list[str], innermost: list[str], causes: list[str] | None
) -> None:
    outer, inner = (outcome(*ranges, misaligned="drop", nested=nested) for nested in ("outermost", "innermost"))
    assert (outer[0], inner[0]) == (outermost, innermost)
    if causes is not None:
        assert outer[1] == inner[1] == causes


def test_of_two_types_on_the_same_tokens_the_first_of_the_file_stays() -> None:
    pair = (Entity("A", 0, 3), Entity("B", 0, 3))
    for nested in ("outermost", "innermost"):
        found = aligned(*pair, nested=nested)  # type: ignore[arg-type]
        assert found.boundaries == [Boundary("A", 0, 1)]
        assert [(misfit.entity.type, misfit.cause) for misfit in found.misfits] == [("B", "nested")]


@pytest.mark.parametrize(
    ("entities", "kept", "causes"),
    [
        ([("A", 0, 2), ("A", 2, 3)], [("A", "Ada")], ["merged"]),
        ([("A", 0, 1), ("A", 1, 3), ("A", 6, 8)], [("A", "Ada"), ("A", "Lovelace")], ["merged"]),
        ([("A", 5, 8), ("A", 10, 17)], [("A", "Lovelace saw")], ["merged"]),
        ([("A", 18, 20), ("A", 22, 23)], [("A", "Rome.")], ["merged"]),
        ([("A", 18, 22), ("A", 22, 23)], [("A", "Rome"), ("A", ".")], []),
        ([("A", 18, 20), ("B", 22, 23)], [("A", "Rome"), ("B", ".")], []),
        ([("A", 0, 2), ("B", 2, 3)], [("A", "Ada")], ["crowded"]),
        ([("A", 0, 1), ("B", 1, 3)], [("B", "Ada")], ["crowded"]),
        ([("A", 5, 6), ("B", 6, 7), ("A", 8, 13)], [("A", "Lovelace")], ["crowded", "merged"]),
        ([("A", 5, 9), ("B", 6, 8)], [("A", "Lovelace")], ["nested"]),
        ([("A", 5, 9), ("B", 8, 12)], [("A", "Lovelace")], ["overlap"]),
        ([("A", 5, 9), ("A", 8, 12)], [("A", "Lovelace")], ["twice"]),
    ],
)
def test_entities_that_meet_only_because_they_grew_are_merged_or_the_longer_stays(
    entities: list[tuple[str, int, int]], kept: list[tuple[str, str]], causes: list[str]
) -> None:
    found = aligned(*(Entity(*row) for row in entities), misaligned="expand")
    texts = [(type_, TEXT[TOKENS[start][0] : TOKENS[end - 1][1]]) for type_, start, end in found.boundaries]
    assert texts == kept
    others = [misfit.cause for misfit in found.misfits if misfit.cause not in ("inside", "sentence")]
    assert [cause for cause in others if cause == "crowded"] == [cause for cause in causes if cause == "crowded"]
    assert set(others) == set(causes)


def test_what_would_be_nested_after_growing_is_known_before() -> None:
    pair = (Entity("A", 0, 13), Entity("B", 6, 8))
    assert [misfit.cause for misfit in aligned(*pair).misfits] == ["inside"]
    assert aligned(*pair).nests
    assert not aligned(Entity("A", 0, 3), Entity("B", 6, 8)).nests


@pytest.mark.parametrize(
    ("entity", "cause"),
    [
        (Entity("X", 0, 13, "Ada  Lovelace"), None),
        (Entity("X", 0, 13, "Ada Lovelace"), None),
        (Entity("X", 0, 13, "Ada\\nLovelace"), None),
        (Entity("X", 0, 13, "da Lovelace"), "text"),
        (Entity("X", 0, 13, ""), "text"),
        (Entity("X", 0, 22, whole=False), "pieces"),
    ],
)
def test_entity_must_read_as_annotated_and_be_one_piece(entity: Entity, cause: str | None) -> None:
    found = aligned(entity)
    assert [misfit.cause for misfit in found.misfits] == ([cause] if cause else [])
    assert bool(found.boundaries) == (cause is None)


RANGES = st.lists(st.tuples(st.sampled_from("AB"), st.integers(-2, 42), st.integers(-2, 42)), max_size=8)


@given(RANGES, st.sampled_from(["error", "drop", "expand"]), st.sampled_from(["outermost", "innermost"]))
def test_no_entity_is_lost_unsaid_and_none_that_stay_overlap(
    ranges: list[tuple[str, int, int]], misaligned: Misaligned, nested: Nested
) -> None:
    found = aligned(*(Entity(*row) for row in ranges), misaligned=misaligned, nested=nested)
    assert all(a.end <= b.start for a, b in pairwise(found.boundaries))
    growing = {"inside", "sentence"} if misaligned == "expand" else set()
    gone = Counter(misfit.cause for misfit in found.misfits if misfit.cause not in {"blank", *growing})
    assert len(found.boundaries) + gone.total() == len(ranges)
    for _, start, end in found.boundaries:
        assert not any(start < first < end for first in found.starts)


@given(st.data())
def test_entities_of_whole_tokens_come_back_the_same(data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(TOKENS)), max_size=6)))
    pairs = [(a, b) for a, b in pairwise(cuts) if not a < STARTS[1] < b]
    wanted = [Boundary(data.draw(st.sampled_from("AB")), *pair) for pair in pairs]
    entities = [Entity(b.type, TOKENS[b.start][0], TOKENS[b.end - 1][1]) for b in wanted]
    assert aligned(*data.draw(st.permutations(entities))) == Alignment(wanted, STARTS, [])


WORDS = st.lists(st.sampled_from(["a", "Bob", "don't", "👍🏽", "مرحبا", "x-y"]), min_size=1, max_size=6)


@given(WORDS, st.data())
def test_fitting_and_growing_agree_with_spacy(words: list[str], data: st.DataObject) -> None:
    doc = Doc(Vocab(), words=words, spaces=data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words))))
    tokens = [(token.idx, token.idx + len(token)) for token in doc]
    start = data.draw(st.integers(0, len(doc.text) - 1).filter(lambda i: not doc.text[i].isspace()))
    end = data.draw(st.integers(start + 1, len(doc.text)).filter(lambda i: not doc.text[i - 1].isspace()))
    strict = doc.char_span(start, end)
    grown = doc.char_span(start, end, alignment_mode="expand")
    dropped, expanded = (
        align(doc.text, tokens, [0], [Entity("X", start, end)], misaligned=policy).boundaries  # type: ignore[arg-type]
        for policy in ("drop", "expand")
    )
    assert dropped == ([] if strict is None else [Boundary("X", strict.start, strict.end)])
    assert expanded == [Boundary("X", grown.start, grown.end)]
