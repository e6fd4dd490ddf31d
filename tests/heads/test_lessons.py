"""What teachers say, as tags: the best valid sequence of mean probabilities, and valid tags of broken sequences."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.heads import lessons
from tagger.heads.lessons import best_tags, mean_shares, taught_tags
from tagger.text.schemes import Scheme, invalid_positions, legal_transitions
from tagger.text.sentence import Sentence, TagLayer

NAMES = ("O", "B-A", "I-A", "E-A", "S-A")


@settings(max_examples=30, deadline=None)
@given(length=st.integers(1, 4), seed=st.integers(0, 1000))
def test_best_tags_are_the_most_probable_valid_sequence(length: int, seed: int) -> None:
    shares = np.random.default_rng(seed).dirichlet(np.ones(5), length).astype(np.float32)
    (found,) = best_tags([shares], NAMES, "bioes")
    valid = [tags for tags in product(NAMES, repeat=length) if not invalid_positions(tags, "bioes")]
    score = {tags: np.prod([shares[t, NAMES.index(tag)] for t, tag in enumerate(tags)]) for tags in valid}
    assert score[found] >= max(score.values()) * (1 - 1e-5)
    assert list(best_tags([shares], NAMES, None)) == [tuple(NAMES[i] for i in shares.argmax(1))]


def test_a_token_without_shares_is_unknown() -> None:
    shares = np.zeros((3, 5), np.float32)
    shares[0, 1] = shares[2, 3] = 0.1
    assert list(best_tags([shares], NAMES, "bioes")) == [("B-A", None, "E-A")]


def test_the_transitions_of_a_layer_are_made_once_for_all_its_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(tags: Sequence[str], scheme: Scheme) -> tuple[list[list[bool]], list[bool], list[bool]]:
        asked.append(scheme)
        return legal_transitions(tags, scheme)

    monkeypatch.setattr(lessons, "legal_transitions", counted)
    sentences = list(np.random.default_rng(1).dirichlet(np.ones(5), (9, 3)).astype(np.float32))
    assert len(list(best_tags(sentences, NAMES, "bioes"))) == 9
    assert asked == ["bioes"]


def test_taught_tags_are_converted_and_keep_unknown_ones() -> None:
    tokens = ["a", "b", "c", "d"]
    for tags, scheme, taught in (
        (("B-A", "I-A", "O", "B-A"), "bioes", ("B-A", "E-A", "O", "S-A")),
        (("O", "O", "O", "B-A"), "iob2", ("O", "O", "O", "B-A")),
        (("B-A", None, "O", "B-A"), "iob2", ("B-A", None, "O", "B-A")),
        (("B-A", None, "O", "B-A"), "bioes", (None, None, "O", "S-A")),
    ):
        sentence = Sentence.from_tokens(tokens, {"ner": TagLayer(tags, "iob2")})
        assert taught_tags(sentence, "ner", scheme) == taught
    assert taught_tags(sentence, "other", None) == (None,) * 4


def test_the_mean_is_over_the_teachers_that_say_something() -> None:
    model, file, silent = [[0.1, 0.9], [0.4, 0.6]], [[0, 0], [0.5, 0]], [[0, 0], [0, 0]]
    parts = np.array([model, file, silent], np.float32)
    np.testing.assert_allclose(mean_shares(parts), [[0.1, 0.9], [0.45, 0.3]], rtol=1e-6)
    assert not mean_shares(parts[2:]).any()
