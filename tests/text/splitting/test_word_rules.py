"""The words are those that spaCy's own tokenizer finds."""

import random
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import spacy
from hypothesis import example, given, settings
from hypothesis import strategies as st
from spacy.tokenizer import Tokenizer

from tagger.text.splitting import word_rules
from tagger.text.splitting.word_rules import WordRules
from tagger.text.word_tables import LANGUAGES, installed_table

PIECES = [*"()[]{}'\"’.,:;-–—!?/\\$%&*+<>=^_|~@#0123456789abzAZéß€£°…中", " ", "  ", "\n", "\xa0", "\t ", "'s", "n't"]
PIECES += ["http://a.b/c?d", "a@b.c", "km", "Mr", "e.g", "state-of-the-art", "a.B", "1,000.5", "\x1c", "\u0301"]


@cache
def rules_of(language: str) -> WordRules:
    return WordRules(installed_table(language))


@cache
def tokenizer_of(language: str) -> Tokenizer:
    return spacy.blank(language).tokenizer


def words_of_spacy(text: str, language: str = "en") -> list[tuple[int, int]]:
    return [(word.idx, word.idx + len(word)) for word in tokenizer_of(language)(text) if not word.text.isspace()]


def mixed(rng: random.Random, specials: list[str], pieces: list[str]) -> str:
    """A text of special cases and of other pieces, which may touch."""
    return "".join(rng.choice(specials if rng.random() < 0.4 else pieces) for _ in range(rng.randint(1, 8)))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@example("Mr . ( :) ) :-)")
@settings(max_examples=300, deadline=None)
def test_words_of_any_text_are_those_of_spacy(text: str) -> None:
    assert rules_of("en").spans(text) == words_of_spacy(text)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.sampled_from(["de", "es", "hu", "tr", "sr"]))
@settings(max_examples=200, deadline=None)
def test_words_of_any_text_in_other_languages_are_those_of_spacy(text: str, language: str) -> None:
    assert rules_of(language).spans(text) == words_of_spacy(text, language)


@pytest.mark.parametrize("seed", range(4))
def test_words_of_texts_made_of_special_cases_and_affixes_are_those_of_spacy(seed: int) -> None:
    rng, specials = random.Random(seed), sorted(installed_table("en").specials)
    for _ in range(2000):
        text = mixed(rng, specials, PIECES)
        assert rules_of("en").spans(text) == words_of_spacy(text), repr(text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_are_those_of_spacy_in_every_language(language: str) -> None:
    module = f"spacy.lang.{language}.examples"
    examples = list(import_module(module).sentences) if find_spec(module) else []
    words = [word for sentence in examples for word in sentence.split()]
    rng, specials = random.Random(language), sorted(installed_table(language).specials)
    chosen = [*rng.sample(specials, min(len(specials), 60)), *[s for s in specials if " " in s][:20]]
    mixtures = [mixed(rng, chosen, [*PIECES, *words, " "]) for _ in range(150)]
    for text in [*examples, " ".join(chosen), *mixtures]:
        assert rules_of(language).spans(text) == words_of_spacy(text, language), repr(text)


def test_words_of_real_texts_are_those_of_spacy(data_folder: Path) -> None:
    for folder in ("ner", "text", "sentiment", "pos"):
        for path in sorted(path for path in (data_folder / folder).rglob("*") if path.is_file())[::7]:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            for line in random.Random(1).sample(lines, min(len(lines), 200)):
                assert rules_of("en").spans(line) == words_of_spacy(line), repr(line)


def test_a_special_case_that_a_blank_divides_is_looked_for_in_the_whole_text() -> None:
    """`Mr .` is no special case, but as a run of tokens it is chosen before shorter ones that overlap it."""
    for text in ("Mr . Smith", ": ) ) :)", "a . b .", "o. O", "( ^ _ ^ )", ":- )", " :)  :)"):
        assert rules_of("en").spans(text) == words_of_spacy(text), text


def test_the_strings_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_rules, "MAX_CHUNKS", 50)
    rules = WordRules(installed_table("en"))
    for i in range(200):
        rules.spans(f"word{i} and word{i}x.")
        assert len(rules._cache) <= 50
