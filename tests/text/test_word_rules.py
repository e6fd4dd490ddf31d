"""The words are those that spaCy's own tokenizer finds."""

import random

import pytest
import spacy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tagger.text import word_rules
from tagger.text.word_rules import read_word_rules

RULES = read_word_rules()
ENGLISH = spacy.blank("en").tokenizer
ENGLISH.rules = {chunk: words for chunk, words in ENGLISH.rules.items() if not chunk.isspace()}
SPECIALS = sorted(ENGLISH.rules)
PIECES = [*"()[]{}'\"’.,:;-–—!?/\\$%&*+<>=^_|~@#0123456789abzAZéß€£°…中", " ", "  ", "\n", "\xa0", "\t ", "'s", "n't"]
PIECES += ["http://a.b/c?d", "a@b.c", "km", "Mr", "e.g", "state-of-the-art", "a.B", "1,000.5", "\x1c", "\u0301"]


def words_of_spacy(text: str) -> list[tuple[int, int]]:
    return [(word.idx, word.idx + len(word)) for word in ENGLISH(text) if not word.text.isspace()]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@example("Mr . ( :) ) :-)")
@settings(max_examples=300, deadline=None)
def test_words_of_any_text_are_those_of_spacy(text: str) -> None:
    assert RULES.spans(text) == words_of_spacy(text)


@pytest.mark.parametrize("seed", range(4))
def test_words_of_texts_made_of_special_cases_and_affixes_are_those_of_spacy(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(2000):
        size = rng.randint(1, 8)
        text = "".join(rng.choice(SPECIALS if rng.random() < 0.4 else PIECES) for _ in range(size))
        assert RULES.spans(text) == words_of_spacy(text), repr(text)


def test_a_special_case_that_a_blank_divides_is_looked_for_in_the_whole_text() -> None:
    """`Mr .` is no special case, but as a run of tokens it is chosen before shorter ones that overlap it."""
    for text in ("Mr . Smith", ": ) ) :)", "a . b .", "o. O", "( ^ _ ^ )", ":- )", " :)  :)"):
        assert RULES.spans(text) == words_of_spacy(text), text


def test_the_strings_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_rules, "MAX_CHUNKS", 50)
    rules = read_word_rules()
    for i in range(200):
        rules.spans(f"word{i} and word{i}x.")
        assert len(rules._cache) <= 50
