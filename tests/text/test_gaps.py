"""Tags of which some are unknown: compared with all sequences of tags that agree with what is known."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.text.gaps import (
    Tags,
    converted,
    impossible_gaps,
    is_counted,
    known_spans,
    open_tokens,
    repaired,
    respelled_gaps,
    spellings,
)
from tagger.text.schemes import (
    Boundary,
    Scheme,
    convert_tags,
    invalid_positions,
    lenient_spans,
    spans_to_tags,
    tags_of_types,
    tags_to_spans,
)

SCHEMES: list[Scheme] = ["iob1", "iob2", "bioes", "bilou"]
TYPES = ["X", "Y"]
schemes = st.sampled_from(SCHEMES)


@st.composite
def masked_tags(draw: st.DrawFn) -> tuple[Tags, Scheme]:
    """Valid tags in a scheme, some of them unknown."""
    scheme, length, spans, start = draw(schemes), draw(st.integers(1, 4)), [], 0
    while start < length:
        end = draw(st.integers(start + 1, length))
        if draw(st.booleans()):
            spans.append(Boundary(draw(st.sampled_from(TYPES)), start, end))
        start = end
    tags = spans_to_tags(spans, length, scheme)
    return [tag if draw(st.booleans()) else None for tag in tags], scheme


def completions(tags: Tags, scheme: Scheme) -> list[list[str]]:
    """All valid tags that agree with those that are known."""
    choices = [[tag] if tag is not None else tags_of_types(TYPES, scheme) for tag in tags]
    return [list(found) for found in product(*choices) if not invalid_positions(found, scheme)]


def possible(tags: Tags, source: Scheme, target: Scheme) -> list[tuple[str, ...]]:
    """The possible tags of each token in another scheme."""
    edged = ["O", *tags, "O"]
    return [
        tuple(tags_of_types(TYPES, target)) if tag is None else spellings(before, tag, after, source, target)
        for before, tag, after in zip(edged, tags, edged[2:], strict=False)
    ]


@settings(max_examples=150, deadline=None)
@given(given_tags=masked_tags(), target=schemes)
def test_spellings_leave_the_conversions_of_all_possible_tags(given_tags: tuple[Tags, Scheme], target: Scheme) -> None:
    tags, source = given_tags
    wanted = {tuple(convert_tags(found, source, target)) for found in completions(tags, source)}
    sets = possible(tags, source, target)
    assert all(tag in choice for found in wanted for tag, choice in zip(found, sets, strict=True))
    if (source, target) in (("iob2", "bioes"), ("iob2", "bilou"), ("bioes", "bilou")):  # which say no less than before
        assert {found for found in product(*sets) if not invalid_positions(found, target)} == wanted


@settings(max_examples=150, deadline=None)
@given(given_tags=masked_tags(), target=schemes)
def test_converted_tags_are_those_that_all_possible_tags_agree_on(
    given_tags: tuple[Tags, Scheme], target: Scheme
) -> None:
    tags, source = given_tags
    every = [convert_tags(found, source, target) for found in completions(tags, source)]
    for position, tag in enumerate(converted(tags, source, target)):
        if tag is not None:
            assert {found[position] for found in every} == {tag}


@settings(max_examples=150, deadline=None)
@given(given_tags=masked_tags())
def test_known_spans_are_entities_of_all_possible_tags(given_tags: tuple[Tags, Scheme]) -> None:
    tags, scheme = given_tags
    every = [set(tags_to_spans(found, scheme)) for found in completions(tags, scheme)]
    known = known_spans(tags, scheme)
    assert set(known) <= set.intersection(*every)
    assert all(position not in open_tokens(tags) for span in known for position in range(span.start, span.end))
    assert not impossible_gaps(tags, scheme)


@settings(max_examples=100, deadline=None)
@given(given_tags=masked_tags())
def test_repair_leaves_valid_and_unknown_tags_alone(given_tags: tuple[Tags, Scheme]) -> None:
    tags, scheme = given_tags
    assert repaired(tags, scheme) == tuple(tags)
    assert not invalid_positions(tags, scheme)


@pytest.mark.parametrize(
    ("scheme", "tags", "known"),
    [
        ("iob2", ["B-X", None], []),
        ("iob2", ["B-X", "O", None], [Boundary("X", 0, 1)]),
        ("iob2", [None, "B-X"], [Boundary("X", 1, 2)]),
        ("iob2", [None, "I-X", "O"], []),
        ("iob1", [None, "I-X", "O"], []),
        ("iob1", [None, "B-X", "O"], [Boundary("X", 1, 2)]),
        ("bioes", ["S-X", None, "S-X"], [Boundary("X", 0, 1), Boundary("X", 2, 3)]),
        ("bioes", ["B-X", None, "E-X"], []),
        ("bioes", ["B-X", "E-X", None], [Boundary("X", 0, 2)]),
        ("io", [None, "I-X"], []),
    ],
)
def test_entity_beside_an_unknown_tag_is_known_if_its_prefix_says_where_it_ends(
    scheme: Scheme, tags: Tags, known: list[Boundary]
) -> None:
    assert known_spans(tags, scheme) == known


def test_types_are_renamed_and_dropped_beside_unknown_tags() -> None:
    tags = ["B-X", None, "I-Y", "I-Y", "O", "B-X", "I-X"]
    spans = [span for span in lenient_spans([tag or "O" for tag in tags]) if span.type == "Y"]
    new = spans_to_tags([span._replace(type="Z") for span in spans], len(tags), "iob2")
    assert respelled_gaps(tags, new, "iob2") == ("O", None, "I-Z", "I-Z", "O", "O", "O")


def test_unknown_tag_between_tags_that_exclude_each_other_is_found() -> None:
    assert impossible_gaps(["B-X", None, "I-Y", "E-Y"], "bioes") == [1]
    assert impossible_gaps(["B-X", None, None, "I-Y", "E-Y"], "bioes") == []
    assert impossible_gaps(["B-X", None, "I-Y"], "iob2") == []


def test_predicted_entity_counts_without_unknown_tokens_and_with_an_annotated_type() -> None:
    assert is_counted(Boundary("X", 0, 2), {2}, None)
    assert not is_counted(Boundary("X", 0, 2), {1}, None)
    assert not is_counted(Boundary("X", 0, 2), set(), ["Y"])
