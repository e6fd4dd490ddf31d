"""Sentences in other forms: what changes, and that layers stay."""

from typing import get_args

import numpy as np
import pytest

from tagger.corpus.perturbation import perturb, perturbed, perturbed_copies
from tagger.text.choices import Perturbation
from tagger.text.sentence import Label, Sentence, TagLayer, Unaligned

KINDS: tuple[Perturbation, ...] = get_args(Perturbation)


def make_sentence(text: str, *tags: str, scheme: str = "iob2") -> Sentence:
    words = text.split()
    layer = TagLayer(tags or ("O",) * len(words), scheme, scheme)
    return Sentence.from_tokens(words, {"ner": layer, "mood": Label("good")}, document="d")


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("lower", "Ada saw ROME .", "ada saw rome ."),
        ("upper", "Ada saw the Straße .", "ADA SAW THE STRASSE ."),
        ("typographic", "\" I do n't -- Ada 's o'clock ' \"", "“ I do n’t — Ada ’s o’clock ’ ”"),
        ("typographic", "`` Yes ... ''", "“ Yes … ”"),
        ("unpunctuated", "Did Ada see Rome ? !", "Did Ada see Rome"),
        ("unpunctuated", "Rome . com", "Rome . com"),
        ("unpunctuated", ". . .", ". . ."),
    ],
)
def test_a_form_changes_tokens_and_keeps_their_number(kind: Perturbation, text: str, expected: str) -> None:
    sentence = make_sentence(text)
    found = perturbed(sentence, kind, np.random.default_rng(1))
    assert " ".join(found.tokens) == expected
    assert found.label("mood") == Label("good")
    assert len(found.tags("ner")) == len(found.tokens)
    assert (found is sentence) == (text == expected)


def test_a_scan_changes_few_characters_and_is_drawn() -> None:
    sentence = make_sentence("the old mill on the river burned down in the night " * 20)
    one, other = (perturbed(sentence, "scanned", np.random.default_rng(seed)) for seed in (1, 2))
    assert one != other
    assert one == perturbed(sentence, "scanned", np.random.default_rng(1))
    changed = sum(a != b for a, b in zip(one.tokens, sentence.tokens, strict=True))
    assert 0.05 < changed / len(sentence) < 0.4


def test_marks_that_belong_to_an_entity_stay() -> None:
    sentence = make_sentence("I use Yahoo !", "O", "O", "B-ORG", "I-ORG")
    assert perturbed(sentence, "unpunctuated", np.random.default_rng(1)) is sentence


@pytest.mark.parametrize("kind", KINDS)
def test_a_share_of_the_sentences_has_copies_with_all_layers_and_no_document(kind: Perturbation) -> None:
    sentences = [make_sentence('Ada \'s mill -- the " old " one burned down .', "B-PER", *["O"] * 11)] * 400
    found = list(perturbed_copies(sentences, {kind: 0.25}, np.random.default_rng(1)))
    assert 40 < len(found) < 140
    for copy in found:
        assert copy.tokens != sentences[0].tokens
        assert (copy.layers.keys(), copy.document) == (sentences[0].layers.keys(), None)
        assert copy.tags("ner")[0] == "B-PER"


def test_a_sentence_keeps_its_document_and_its_entities_that_tokens_cannot_express() -> None:
    sentence = make_sentence("Ada ran")
    assert perturb([sentence], "lower")[0].document == "d"
    layer = TagLayer(("O", "O"), "iob2", "iob2", unaligned=(Unaligned("PER", 0, 2),))
    odd = Sentence.from_tokens(["Ada", "ran"], {"ner": layer})
    assert perturb([odd], "lower") == [odd]


def test_sentences_in_another_form_are_the_same_with_the_same_seed() -> None:
    sentences = [make_sentence("Little Ada began reading numbers .") for _ in range(20)]
    found = perturb(sentences, "scanned", seed=3)
    assert found == perturb(iter(sentences), "scanned", seed=3)
    assert found != perturb(sentences, "scanned", seed=4)
    assert len({s.tokens for s in found}) > 1  # each sentence is changed in its own places
    assert [s.tokens for s in perturb(sentences, "lower")] == [tuple(t.lower() for t in s.tokens) for s in sentences]
    with pytest.raises(ValueError, match=r"kind must be one of lower, .*, got 'loud'"):
        perturb(sentences, "loud")  # type: ignore[arg-type]
