"""The table of schemes, compared with enumeration and with seqeval."""

from collections.abc import Iterator, Sequence
from itertools import pairwise, product

import pytest
import seqeval.scheme
from hypothesis import given
from hypothesis import strategies as st
from seqeval_schemes import ORACLES, SCHEMES

from tagger.text.schemes import (
    RULES,
    Boundary,
    Scheme,
    can_divide,
    convert_tags,
    describe,
    detect_scheme,
    goes_on,
    has_scheme,
    invalid_positions,
    is_legal,
    is_tag,
    legal_transitions,
    lenient_spans,
    merge_touching,
    repair_tags,
    span_tables,
    spans_to_tags,
    split_tag,
    tags_of_types,
    tags_to_spans,
    touches,
)
from tagger.text.tag_survey import pairs_of

TYPES = ("X", "Y", "work-of-art")


def all_tags(scheme: Scheme, types: Sequence[str] = TYPES) -> list[str]:
    return ["O", *(f"{prefix}-{name}" for prefix, name in product(RULES[scheme].prefixes, types))]


def any_tags(scheme: Scheme) -> st.SearchStrategy[list[str]]:
    """Sequences of tags of a scheme in any order, most of them invalid."""
    return st.lists(st.sampled_from(all_tags(scheme)), max_size=8)


@st.composite
def sentences(draw: st.DrawFn) -> tuple[list[Boundary], int]:
    """Entities in order that do not overlap, and the length of their sentence."""
    spans, position = [], 0
    for gap, length, name in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(TYPES)), max_size=5)
    ):
        spans.append(Boundary(name, position + gap, position + gap + length))
        position += gap + length
    return spans, position + draw(st.integers(0, 2))


def all_spans(length: int, types: Sequence[str]) -> Iterator[list[Boundary]]:
    """Yield every possible list of entities of a sentence."""
    if length == 0:
        yield []
        return
    for rest in all_spans(length - 1, types):
        yield rest
    for size, name in product(range(1, length + 1), types):
        for rest in all_spans(length - size, types):
            yield [*rest, Boundary(name, length - size, length)]


# An X has tokens 0 and 1, another X token 2, a Y token 3; token 4 is outside; an X has tokens 5 to 7.
TABLE = {
    "iob1": "I-X I-X B-X I-Y O I-X I-X I-X",
    "iob2": "B-X I-X B-X B-Y O B-X I-X I-X",
    "bioes": "B-X E-X S-X S-Y O B-X I-X E-X",
    "bilou": "B-X L-X U-X U-Y O B-X I-X L-X",
}
ENTITIES = [Boundary("X", 0, 2), Boundary("X", 2, 3), Boundary("Y", 3, 4), Boundary("X", 5, 8)]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_scheme_writes_and_reads_the_same_entities_in_its_own_way(scheme: Scheme) -> None:
    assert spans_to_tags(ENTITIES, 8, scheme) == TABLE[scheme].split()
    assert tags_to_spans(TABLE[scheme].split(), scheme) == ENTITIES


def test_spans_may_come_from_a_generator_and_in_any_order() -> None:
    assert spans_to_tags((span for span in reversed(ENTITIES)), 8, "iob1") == TABLE["iob1"].split()


@pytest.mark.parametrize(
    ("scheme", "tags", "expected"),
    [
        ("iob1", "B-X I-X", []),
        ("iob1", "O B-X", []),
        ("iob1", "I-Y B-X", [("Y", 0, 1)]),
        ("iob1", "I-X B-X I-X", [("X", 0, 1), ("X", 1, 3)]),
        ("iob2", "I-X I-X", []),
        ("iob2", "B-X I-Y", [("X", 0, 1)]),
        ("iob2", "B-X O I-X", [("X", 0, 1)]),
        ("bioes", "B-X I-X", []),
        ("bioes", "B-X I-X O", []),
        ("bioes", "I-X E-X", []),
        ("bioes", "S-X E-X", [("X", 0, 1)]),
        ("bioes", "B-X S-X", [("X", 1, 2)]),
        ("bioes", "B-X E-Y", []),
        ("bilou", "B-X L-X L-X", [("X", 0, 2)]),
        ("bilou", "U-X I-X L-X", [("X", 0, 1)]),
    ],
)
def test_piece_that_a_scheme_does_not_write_is_no_entity(
    scheme: Scheme, tags: str, expected: list[tuple[str, int, int]]
) -> None:
    assert tags_to_spans(tags.split(), scheme) == expected


@pytest.mark.parametrize("scheme", SCHEMES)
def test_spans_to_tags_to_spans_is_identity(scheme: Scheme) -> None:
    @given(sentences())
    def check(sentence: tuple[list[Boundary], int]) -> None:
        spans, length = sentence
        tags = spans_to_tags(spans, length, scheme)
        assert len(tags) == length
        assert tags_to_spans(tags, scheme) == spans
        assert invalid_positions(tags, scheme) == []

    check()


@pytest.mark.parametrize(("source", "target"), list(product(SCHEMES, SCHEMES)))
def test_conversion_there_and_back_is_identity_on_valid_tags(source: Scheme, target: Scheme) -> None:
    @given(sentences())
    def check(sentence: tuple[list[Boundary], int]) -> None:
        tags = spans_to_tags(*sentence, source)
        there = convert_tags(tags, source, target)
        assert there == spans_to_tags(*sentence, target)
        assert convert_tags(there, target, source) == tags

    check()


@pytest.mark.parametrize("scheme", ["iob2", "bioes", "bilou"])
def test_reading_equals_strict_seqeval_on_any_tags(scheme: Scheme) -> None:
    @given(any_tags(scheme))
    def check(tags: list[str]) -> None:
        entities = seqeval.scheme.Entities([tags], ORACLES[scheme]).entities[0]
        assert tags_to_spans(tags, scheme) == [(entity.tag, entity.start, entity.end) for entity in entities]

    check()


def test_reading_equals_strict_seqeval_on_valid_iob1() -> None:
    @given(sentences())
    def check(sentence: tuple[list[Boundary], int]) -> None:
        tags = spans_to_tags(*sentence, "iob1")
        entities = seqeval.scheme.Entities([tags], seqeval.scheme.IOB1).entities[0]
        assert tags_to_spans(tags, "iob1") == [(entity.tag, entity.start, entity.end) for entity in entities]

    check()


@pytest.mark.parametrize("scheme", RULES)
def test_transitions_of_many_types_are_those_of_each_pair(scheme: Scheme) -> None:
    tags = [*tags_of_types(["A", "B", "C-D", "A!", "AB"], scheme), *tags_of_types(["A-"], "bilou")[1:]]
    table, first, last = legal_transitions(tags, scheme)
    assert table == [[is_legal(before, after, scheme) for after in tags] for before in tags]
    assert first == [is_legal(None, tag, scheme) for tag in tags]
    assert last == [is_legal(tag, None, scheme) for tag in tags]
    continues = span_tables(tags, scheme).continues
    assert continues == [[goes_on(a, b) and is_legal(a, b, scheme) for b in tags] for a in tags]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_legal_transitions_are_those_that_some_sentence_has(scheme: Scheme) -> None:
    types = ("X", "Y")
    tags = all_tags(scheme, types)
    written = [spans_to_tags(spans, n, scheme) for n in range(1, 6) for spans in all_spans(n, types)]
    table, first, last = legal_transitions(tags, scheme)
    seen = {pair for sentence in written for pair in pairwise(sentence)}
    assert {(a, b) for i, a in enumerate(tags) for j, b in enumerate(tags) if table[i][j]} == seen
    assert {tag for tag, legal in zip(tags, first, strict=True) if legal} == {sentence[0] for sentence in written}
    assert {tag for tag, legal in zip(tags, last, strict=True) if legal} == {sentence[-1] for sentence in written}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_sequences_without_invalid_positions_are_those_that_the_scheme_writes(scheme: Scheme) -> None:
    types = ("X", "Y")
    written = {tuple(spans_to_tags(spans, 3, scheme)) for spans in all_spans(3, types)}
    valid = {tags for tags in product(all_tags(scheme, types), repeat=3) if not invalid_positions(tags, scheme)}
    assert valid == written


@pytest.mark.parametrize(
    ("scheme", "tags", "positions"),
    [
        ("iob2", "O I-X B-Y I-X", [1, 3]),
        ("iob1", "B-X I-X B-X", [0]),
        ("bioes", "B-X O E-X S-X", [1, 2]),
        ("bioes", "S-X B-X", [1]),
        ("bioes", "O I-X", [1]),
        ("bilou", "U-X L-X B-X I-X", [1, 3]),
        ("iob2", "", []),
    ],
)
def test_invalid_positions_name_the_tag_that_breaks_the_rule(scheme: Scheme, tags: str, positions: list[int]) -> None:
    assert invalid_positions(tags.split(), scheme) == positions


@pytest.mark.parametrize("scheme", SCHEMES)
def test_repair_gives_valid_tags_and_leaves_valid_ones_alone(scheme: Scheme) -> None:
    @given(any_tags(scheme))
    def check(tags: list[str]) -> None:
        repaired = repair_tags(tags, scheme)
        assert len(repaired) == len(tags)
        assert invalid_positions(repaired, scheme) == []
        assert [split_tag(tag)[1] for tag in repaired] == [split_tag(tag)[1] for tag in tags]
        assert invalid_positions(tags, scheme) or repaired == tags
        assert tags_to_spans(repaired, scheme) == lenient_spans(tags)

    check()


@pytest.mark.parametrize("bad", [[("X", 1, 1)], [("X", 2, 4)], [("X", -1, 1)], [("X", 0, 2), ("Y", 1, 3)]])
def test_spans_that_are_empty_overlap_or_stand_outside_are_refused(bad: list[tuple[str, int, int]]) -> None:
    with pytest.raises(ValueError, match="is empty, overlaps or exceeds 3 tokens"):
        spans_to_tags([Boundary(*span) for span in bad], 3, "iob2")


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("iob2", ["B-X I-X O", "O B-X B-X"]),
        ("iob1", ["I-X I-X B-X", "O I-Y"]),
        ("iob1", ["O O", "I-X"]),  # no B- at all
        ("iob2", ["B-X I-X", "I-X", "B-Y"]),  # an I- that IOB2 does not allow does not make it IOB1
        ("bioes", ["B-X E-X", "O"]),
        ("bioes", ["S-X", "O"]),
        ("bilou", ["O", "U-X"]),
        ("bilou", ["B-X L-X"]),
        ("iob2", ["O O"]),
    ],
)
def test_scheme_is_detected_over_all_sentences(scheme: Scheme, tags: list[str]) -> None:
    assert detect_scheme(pairs_of(line.split() for line in tags)) == scheme


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_a_scheme_writes_is_detected_as_it(scheme: Scheme) -> None:
    assert detect_scheme(pairs_of([TABLE[scheme].split()])) == scheme


@pytest.mark.parametrize(
    ("tags", "answer"),
    [
        ("O", True),
        ("O B-X", True),
        ("B-X I-X", True),
        ("O B-X typo", True),
        ("NOUN VERB", False),
        ("NOUN S-X", False),
        ("O X", False),
        ("-LRB- NN", False),
        ("", False),
    ],
)
def test_layer_with_entities_is_distinguished_from_other_tags(tags: str, answer: bool) -> None:
    assert has_scheme(tags.split()) is answer


def test_tag_is_a_prefix_of_the_scheme_a_hyphen_and_a_type() -> None:
    assert all(is_tag(tag, "iob2") for tag in ("O", "B-X", "I-work-of-art", "B--"))
    assert not any(is_tag(tag, "iob2") for tag in ("", "o", "B", "B-", "BX", "b-X", "S-X", "B_X", " B-X", "NOUN"))


def test_type_may_have_hyphens() -> None:
    assert split_tag("B-work-of-art") == ("B", "work-of-art")
    assert split_tag("O") == ("", "")


def test_scheme_is_described_by_its_tags() -> None:
    assert describe("iob2") == "IOB2 tag (B-, I-, O)"
    assert describe("bilou") == "BILOU tag (B-, I-, L-, U-, O)"


def test_io_writes_each_entity_that_touches_no_other_of_its_type() -> None:
    apart = [Boundary("X", 0, 2), Boundary("Y", 2, 3), Boundary("X", 4, 5)]
    tags = spans_to_tags(apart, 5, "io")
    assert tags == ["I-X", "I-X", "I-Y", "O", "I-X"]
    assert tags_to_spans(tags, "io") == apart
    assert invalid_positions(tags, "io") == []
    assert convert_tags(tags, "io", "bioes") == ["B-X", "E-X", "S-Y", "O", "S-X"]


def test_io_refuses_entities_that_it_cannot_tell_apart() -> None:
    assert [scheme for scheme in RULES if not can_divide(scheme)] == ["io"]
    with pytest.raises(ValueError, match="IO cannot say that two spans of one type stand side by side"):
        convert_tags(["B-X", "B-X"], "iob2", "io")
    merged = merge_touching(reversed(ENTITIES))
    assert merged == [Boundary("X", 0, 3), Boundary("Y", 3, 4), Boundary("X", 5, 8)]
    assert spans_to_tags(merged, 8, "io") == ["I-X", "I-X", "I-X", "I-Y", "O", "I-X", "I-X", "I-X"]


def test_io_reads_as_iob1() -> None:
    assert detect_scheme(pairs_of([spans_to_tags([Boundary("X", 0, 2), Boundary("Y", 2, 3)], 4, "io")])) == "iob1"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_tags_touch_where_one_entity_ends_and_another_of_its_type_begins(scheme: Scheme) -> None:
    for tags, spans in ((spans_to_tags(spans, 4, scheme), spans) for spans in all_spans(4, ("X", "Y"))):
        ends = {(span.type, span.end) for span in spans}
        begun = {span.start for span in spans if (span.type, span.start) in ends}
        assert {i for i, pair in enumerate(pairwise(tags), 1) if touches(*pair)} == begun
