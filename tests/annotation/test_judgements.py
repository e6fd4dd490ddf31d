"""Which judgements hold, against judging token by token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.annotation.judgements import Judged, Judgement, Kind, gaps, holding, tags_of
from tagger.text.gaps import impossible_gaps, known_spans
from tagger.text.schemes import invalid_positions

LENGTH = 7


def said(number: int, start: int, end: int, type: str | None = None, kind: Kind = "tokens") -> Judgement:
    return Judgement(number, 1, kind, start, end, type, 0.0, "", 0.0)


@st.composite
def histories(draw: st.DrawFn) -> list[Judgement]:
    found = []
    for number in range(draw(st.integers(0, 8))):
        start = draw(st.integers(0, LENGTH - 1))
        end = draw(st.integers(start + 1, LENGTH))
        kind: Kind = draw(st.sampled_from(["tokens", "tokens", "tokens", "rest", "skip"]))
        found.append(said(number, start, end, draw(st.sampled_from([None, "PER", "LOC"])), kind))
    return found


@given(histories())
def test_judgements_hold_as_if_each_token_were_judged_alone(history: list[Judgement]) -> None:
    owner: list[Judgement | None] = [None] * LENGTH
    for each in history:
        if each.kind != "tokens":
            continue
        gone = {old for old in owner[each.start : each.end] if old is not None and old.type is not None}
        owner = [None if old in gone else old for old in owner]
        owner[each.start : each.end] = [each] * (each.end - each.start)
    rest = any(each.kind == "rest" for each in history)
    expected = [old.type or "O" if old is not None else ("O" if rest else None) for old in owner]
    held = holding(history, LENGTH)
    tags = tags_of(held, LENGTH)
    assert [tag and tag.rpartition("-")[2] for tag in tags] == expected
    assert [judged.start for judged in held] == sorted(judged.start for judged in held)


@given(histories())
def test_tags_are_valid_and_hold_the_judged_entities_alone(history: list[Judgement]) -> None:
    held = holding(history, LENGTH)
    tags = tags_of(held, LENGTH)
    assert invalid_positions(tags, "bioes") == impossible_gaps(tags, "bioes") == []
    entities = [(j.type, j.start, j.end) for j in held if j.type is not None]
    assert [tuple(span) for span in known_spans(tags, "bioes")] == entities


@pytest.mark.parametrize(
    ("later", "left"),
    [
        (said(2, 1, 3, "LOC"), [(0, 1, None), (1, 3, "LOC"), (3, 5, None)]),
        (said(2, 0, 6, None), [(0, 6, None)]),
        (said(2, 5, 7, "LOC"), [(0, 5, None), (5, 7, "LOC")]),
    ],
)
def test_later_judgement_replaces_a_part_of_a_stretch_without_entities(
    later: Judgement, left: list[tuple[int, int, str | None]]
) -> None:
    held = holding([said(1, 0, 5), later], LENGTH)
    assert [(judged.start, judged.end, judged.type) for judged in held] == left


def test_rest_also_covers_what_a_corrected_entity_leaves_free() -> None:
    history = [said(1, 1, 4, "PER"), said(2, 0, LENGTH, kind="rest"), said(3, 1, 3, "PER")]
    held = holding(history, LENGTH)
    assert held == [Judged(2, 0, 1, None), Judged(3, 1, 3, "PER"), Judged(2, 3, LENGTH, None)]
    assert gaps(held, LENGTH) == []
