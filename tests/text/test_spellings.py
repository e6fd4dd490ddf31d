"""Tags of entities in other spellings become those of a known scheme; other tags are left as they are."""

from collections import Counter

import pytest

from tagger.text.spellings import spelling_of

READ = [
    ("B_PER I_PER O O B_LOC O", "B-PER I-PER O O B-LOC O"),
    ("B:PER I:PER O", "B-PER I-PER O"),
    ("PER-B PER-I O LOC-B", "B-PER I-PER O B-LOC"),
    ("PER_S O LOC_B LOC_E", "S-PER O B-LOC E-LOC"),
    ("b-per i-per o o", "B-per I-per O O"),
    ("B-PER M-PER E-PER O S-LOC", "B-PER I-PER E-PER O S-LOC"),
    ("B-PER M-PER E-PER O W-LOC", "B-PER I-PER E-PER O S-LOC"),
    ("B I O O", "B-ENTITY I-ENTITY O O"),
    ("b i o o", "B-ENTITY I-ENTITY O O"),
    ("B M E S", "B-ENTITY I-ENTITY E-ENTITY S-ENTITY"),
    ("PER PER O O O LOC O", "I-PER I-PER O O O I-LOC O"),
]
UNCHANGED = [
    "B-PER I-PER O",
    "B-PER X-LOC O O",
    "B-PER W-LOC O O",
    "B-PER M-LOC O O",
    "PER-B PER-C O",
    "NN VB O NN",  # O is one part of speech among others
    "NN VB DT",
    "B S V Ncms",
    "B S",
    "O O O",
    "O O X-Y B- b-per",
    "h e _",
    "",
]


@pytest.mark.parametrize(("tags", "expected"), READ)
def test_tags_in_another_spelling_are_read(tags: str, expected: str) -> None:
    spelling = spelling_of(Counter(tags.split()))
    assert spelling is not None
    assert spelling.read(tags.split()) == expected.split()
    assert spelling.is_io == tags.startswith("PER PER")
    assert spelling_of(Counter(expected.split())) is None


@pytest.mark.parametrize("tags", UNCHANGED)
def test_other_tags_are_left_as_they_are(tags: str) -> None:
    assert spelling_of(Counter(tags.split())) is None


def test_a_rare_mistake_does_not_hide_the_spelling_and_stays() -> None:
    spelling = spelling_of(Counter({"B_PER": 10, "I_PER": 10, "O": 50, "PERSON": 1}))
    assert spelling is not None
    assert spelling.read(["B_PER", "PERSON"]) == ["B-PER", "PERSON"]
