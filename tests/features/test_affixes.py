"""Prefixes and suffixes as rows of a table."""

from zlib import crc32

import pytest

from tagger.config import AffixesConfig, parse_section
from tagger.errors import RecipeError
from tagger.features.affixes import TOO_SHORT, AffixesFeature, affix_ids

BUCKETS = 1000


def row(affix: str) -> int:
    return 1 + crc32(affix.encode("utf-32-le")) % BUCKETS


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("walked", [row("<w"), row("d>"), row("<wal"), row("ked>")]),
        ("ask", [row("<a"), row("k>"), row("<ask"), row("ask>")]),
        ("of", [row("<o"), row("f>"), TOO_SHORT, TOO_SHORT]),
        ("é北", [row("<é"), row("北>"), TOO_SHORT, TOO_SHORT]),
        ("", [TOO_SHORT] * 4),
    ],
)
def test_a_word_has_the_rows_of_its_affixes(word: str, wanted: list[int]) -> None:
    assert list(affix_ids(word, (1, 3), BUCKETS)) == wanted


def test_rows_are_the_same_on_every_machine() -> None:
    assert affix_ids("running", (1, 2, 3, 4), 10_000) == [6509, 9562, 2842, 474, 6578, 2443, 432, 329]


def test_half_a_character_has_a_row() -> None:
    assert affix_ids("\ud800", (1,), BUCKETS) != [TOO_SHORT, TOO_SHORT]


@pytest.mark.parametrize(("case", "same"), [("keep", False), ("fold", True)])
def test_case_is_folded_by_choice(case: str, same: bool) -> None:
    config = AffixesConfig.model_validate({"kind": "affixes", "case": case})
    upper, lower, _ = AffixesFeature("affixes", config).ids(["STRASSE", "straße", "x"]).tolist()
    assert (upper == lower) is same


def test_ids_have_a_column_for_each_affix_also_without_words() -> None:
    feature = AffixesFeature("affixes", AffixesConfig.model_validate({"kind": "affixes", "lengths": [2, 5]}))
    assert feature.ids([]).shape == (0, 4)
    assert feature.ids(["x"]).shape == (1, 4)


@pytest.mark.parametrize(
    ("lengths", "problem"), [([], "must not be empty"), ([0], "must be"), ([2, 2], "different numbers")]
)
def test_wrong_lengths_are_refused(lengths: list[int], problem: str) -> None:
    with pytest.raises(RecipeError, match=problem):
        parse_section(AffixesConfig, {"kind": "affixes", "lengths": lengths}, where="recipe")
