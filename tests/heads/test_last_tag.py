"""The last tag of growing sequences against the conversion of whole sequences."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.heads.last_tag import Ending, extend, last_tag
from tagger.text.schemes import RULES, Scheme, convert_tags, legal_transitions

SCHEMES: tuple[Scheme, ...] = ("iob1", "iob2", "bioes", "bilou")


def tags_of(scheme: Scheme) -> list[str]:
    return ["O", *(f"{prefix}-{name}" for name in ("X", "Y") for prefix in RULES[scheme].prefixes)]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("shown", SCHEMES)
@given(data=st.data())
def test_last_tag_is_that_of_the_whole_sequence(scheme: Scheme, shown: Scheme, data: st.DataObject) -> None:
    tags = data.draw(st.lists(st.sampled_from(tags_of(scheme)), min_size=1, max_size=9))
    ending = reduce(lambda before, tag: extend(before, tag, scheme), tags, Ending())
    assert last_tag(ending, scheme, shown) == convert_tags(tags, scheme, shown)[-1]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("shown", SCHEMES)
@given(data=st.data())
def test_every_prefix_of_a_valid_sequence_has_its_last_tag(scheme: Scheme, shown: Scheme, data: st.DataObject) -> None:
    names = tags_of(scheme)
    table, first, _ = legal_transitions(names, scheme)
    tags: list[str] = []
    ending = Ending()
    for _ in range(8):
        allowed = table[names.index(tags[-1])] if tags else first
        tags.append(data.draw(st.sampled_from([name for name, fits in zip(names, allowed, strict=True) if fits])))
        ending = extend(ending, tags[-1], scheme)
        assert last_tag(ending, scheme, shown) == convert_tags(tags, scheme, shown)[-1]


def test_entity_right_behind_another_of_its_type_is_divided_from_it() -> None:
    ending = extend(extend(Ending(), "S-X", "bioes"), "S-X", "bioes")
    assert [last_tag(ending, "bioes", shown) for shown in SCHEMES] == ["B-X", "B-X", "S-X", "U-X"]
