"""Ids of characters: any text has them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.pretraining import characters as module
from tagger.pretraining.characters import Characters


def test_frequent_characters_have_ids_and_those_that_occur_once_are_unknown() -> None:
    characters = Characters.of("abba\nxc" + "ab" * 10)
    assert list(characters.known) == ["\n", "a", "b"]
    assert len(characters) == 4
    assert characters.ids("a\nbxQ").tolist() == [2, 1, 3, 0, 0]


def test_the_rarest_characters_of_a_long_text_are_unknown() -> None:
    characters = Characters.of("ab" * 100_000 + "æ" * 5 + "ø" * 30)
    assert list(characters.known) == ["\n", "a", "b", "ø"]


def test_halves_of_surrogate_pairs_are_unknown() -> None:
    characters = Characters.of("a\ud800" * 50)
    assert list(characters.known) == ["\n", "a"]
    assert characters.ids("\ud800a\udfff").tolist() == [0, 2, 0]


@given(st.text(st.characters(categories=None)), st.text(st.characters(categories=None)))
def test_any_text_has_one_id_per_character_below_the_number_of_ids(text: str, other: str) -> None:
    characters = Characters.of(text)
    for each in (text, other):
        ids = characters.ids(each)
        assert ids.shape == (len(each),)
        assert ids.dtype == np.uint8
        assert all(0 <= i < len(characters) for i in ids)
        assert [i for i in ids if i] == [characters.known.index(c) + 1 for c in each if c in characters.known]


def test_ids_take_as_few_bytes_as_they_need_and_do_not_depend_on_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 400))) * 2
    characters = Characters.of(text)
    ids = characters.ids(text)
    assert ids.dtype == np.uint16
    assert ids.tolist() == [*range(2, 402)] * 2
    monkeypatch.setattr(module, "BLOCK", 7)
    np.testing.assert_array_equal(characters.ids(text), ids)
