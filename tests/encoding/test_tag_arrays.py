"""Tags as arrays, held against what is done to them sentence by sentence."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.encoding import tag_arrays
from tagger.encoding.tag_arrays import MISSING, NamedIds, invalid_tokens, respelled
from tagger.text.schemes import (
    RULES,
    Scheme,
    invalid_positions,
    lenient_spans,
    repair_tags,
    spans_to_tags,
)

SCHEMES: tuple[Scheme, ...] = ("iob1", "iob2", "bioes", "bilou")
RENAMES: list[dict[str, str | None]] = [{}, {"A": "Z"}, {"A": "B"}, {"A": "B", "B": "A"}, {"B": None}]
RENAMES += [{"A": None, "B": None}, {"A": "C", "B": None}]


def make_layer(rows: list[list[str] | int]) -> tuple[NamedIds, np.ndarray]:
    """The layer of rows of tags, or of so many tokens without any, and where the rows start."""
    names = sorted({tag for row in rows if isinstance(row, list) for tag in row})
    ids = [i for row in rows for i in ([names.index(t) for t in row] if isinstance(row, list) else [MISSING] * row)]
    lengths = [len(row) if isinstance(row, list) else row for row in rows]
    return NamedIds(names, np.array(ids, np.int32), is_label=False), np.concatenate([[0], np.cumsum(lengths)])


@st.composite
def tagged_rows(draw: st.DrawFn) -> tuple[Scheme, list[list[str] | int]]:
    scheme = draw(st.sampled_from(SCHEMES))
    tag = st.sampled_from(["O", *(f"{prefix}-{kind}" for kind in "AB" for prefix in RULES[scheme].prefixes)])
    return scheme, draw(st.lists(st.lists(tag, max_size=7) | st.integers(0, 3), min_size=1, max_size=6))


@pytest.fixture(autouse=True, scope="module", params=[2, 2**15])
def _stretch(request: pytest.FixtureRequest) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tag_arrays, "STRETCH", request.param)
        yield


@given(tagged_rows())
def test_invalid_tags_stand_where_each_sentence_has_them(drawn: tuple[Scheme, list[list[str] | int]]) -> None:
    scheme, rows = drawn
    layer, starts = make_layer(rows)
    found = [invalid_positions(row, scheme) if isinstance(row, list) else [] for row in rows]
    wanted = [int(start) + i for start, row in zip(starts[:-1], found, strict=True) for i in row]
    assert invalid_tokens(layer, starts, scheme).tolist() == wanted


@given(tagged_rows(), st.sampled_from(RENAMES))
def test_tags_of_any_kind_are_repaired_renamed_and_dropped(
    drawn: tuple[Scheme, list[list[str] | int]], rename: dict[str, str | None]
) -> None:
    scheme, rows = drawn
    layer, counts = respelled(*make_layer(rows), scheme, rename)
    wanted: list[str | None] = []
    seen: Counter[str] = Counter()
    for row in rows:
        if isinstance(row, int):
            wanted += [None] * row
            continue
        spans = lenient_spans(row)
        seen.update(span.type for span in spans)
        new = [(rename.get(span.type, span.type), span) for span in spans]
        wanted += spans_to_tags([span._replace(type=t) for t, span in new if t], len(row), scheme)
        assert rename or wanted[len(wanted) - len(row) :] == repair_tags(row, scheme)
    assert [None if i == MISSING else layer.names[i] for i in layer.ids.tolist()] == wanted
    assert counts == seen


def test_names_are_counted_found_and_changed() -> None:
    layer = NamedIds(["a", "b", "c", "d"], np.array([0, 1, MISSING, 1, 2], np.int32), is_label=True)
    assert layer.counts() == Counter(a=1, b=2, c=1)
    assert layer.having({"b", "d", "e"}).tolist() == [False, True, False, True, False]
    renamed = layer.renamed({"b": "a", "c": "x"})
    assert renamed.names == ["a", "x", "d"]
    assert renamed.ids.tolist() == [0, 0, MISSING, 0, 1]


def test_choices_say_which_classes_a_label_was_chosen_from() -> None:
    layer = NamedIds(
        ["good", "bad", "good"], np.array([0, 2, MISSING, 1], np.int32), True, annotated={2: ("good", "odd")}
    )
    found = layer.choices({"bad": 0, "good": 1, "neutral": 2})
    assert found.tolist() == [[0, 1, 0], [-1, 1, -1], [0, 0, 0], [1, 0, 0]]
