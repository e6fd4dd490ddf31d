"""The step of Viterbi that leaves out impossible transitions, against the one that compares all, and enumeration."""

import math

import numpy as np
import pytest
import torch
from enumeration import enumerate_sequences, make_batch, make_crf, make_tables
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.numpy_nn import viterbi
from tagger.numpy_nn.lattice import Scores
from tagger.text.schemes import Scheme, legal_transitions, tags_of_types


def make_scores(possible: np.ndarray, seed: int) -> Scores:
    generator, num_tags = np.random.default_rng(seed), len(possible)
    start, moves, end = (generator.standard_normal(shape) for shape in (num_tags, possible.shape, num_tags))
    return Scores(*(part.astype(np.float32) for part in (start, np.where(possible, moves, -np.inf), end)))


def check_against_all_transitions(scores: Scores, *, batch: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    emissions = generator.standard_normal((batch, 20, len(scores.start))).astype(np.float32)
    lengths = generator.integers(0, 21, batch)
    found = []
    for many in (1, math.inf):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(viterbi, "MANY", many)
            states = viterbi.best_scores(emissions, scores)[1]
            found.append((states, *viterbi.best_path(emissions, lengths, scores)))
    for ours, dense in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, dense)


@pytest.mark.parametrize(
    ("scheme", "prefixes"), [("iob1", "B"), ("iob2", "I"), ("bioes", "IE"), ("bilou", "IL"), ("io", "")]
)
def test_tags_inside_an_entity_are_computed_alone(scheme: Scheme, prefixes: str) -> None:
    tags = tags_of_types([f"type{i}" for i in range(20)], scheme)
    scores = make_scores(np.array(legal_transitions(tags, scheme)[0]), 1)
    few = viterbi._Step(scores.transitions, batch=200).few
    assert [tags[i] for i in (() if few is None else few)] == [tag for tag in tags if tag[0] in prefixes]
    check_against_all_transitions(scores, batch=9, seed=2)


def test_small_tables_and_tables_without_structure_are_compared_whole() -> None:
    tags = tags_of_types(["a", "b", "c"], "bioes")
    few_types = make_scores(np.array(legal_transitions(tags, "bioes")[0]), 1)
    assert viterbi._Step(few_types.transitions, batch=64).few is None
    everything = make_scores(np.ones((80, 80), bool), 1)
    assert viterbi._Step(everything.transitions, batch=64).few is None


@settings(max_examples=40, deadline=None)
@given(num_tags=st.integers(1, 30), seed=st.integers(0, 10_000), share=st.sampled_from([0.0, 0.05, 0.2, 0.5, 1.0]))
def test_scores_and_paths_are_the_same_to_the_last_bit(num_tags: int, seed: int, share: float) -> None:
    possible = np.random.default_rng(seed).random((num_tags, num_tags)) < share
    check_against_all_transitions(make_scores(possible, seed), batch=5, seed=seed)


@pytest.mark.parametrize("seed", range(8))
def test_best_path_equals_enumeration(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viterbi, "MANY", 1)
    monkeypatch.setattr(viterbi, "FEW", 2)
    crf = make_crf(5, seed=seed, tables=make_tables(5, seed))
    emissions, mask = make_batch([4, 1, 5], 5, seed=seed)
    assert viterbi._Step(crf.scores().transitions.detach().numpy(), batch=3).few is not None
    paths = crf.best_path(emissions, mask)
    for row, length in enumerate(mask.sum(1).tolist()):
        scores = enumerate_sequences(crf, emissions[row, :length])
        assert tuple(paths[row, :length].tolist()) == max(scores, key=lambda tags: scores[tags])
    assert torch.equal(paths[~mask], torch.zeros_like(paths[~mask]))


@settings(max_examples=40, deadline=None)
@given(num_tags=st.integers(1, 9), size=st.integers(1, 7), seed=st.integers(0, 10_000))
def test_tokens_that_nothing_joins_have_the_tags_of_the_recursion(num_tags: int, size: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    emissions = generator.integers(-2, 3, (6, size, num_tags)).astype(np.float32)  # many are equal
    emissions[0, generator.integers(size)] = -np.inf  # impossible, unless the token is padding
    for row, value in ((1, np.nan), (2, np.inf)):
        emissions[row, generator.integers(size), generator.integers(num_tags)] = value
    lengths = generator.integers(1, size + 1, 6)
    free = Scores(*(np.zeros(shape, np.float32) for shape in (num_tags, (num_tags, num_tags), num_tags)))
    with np.errstate(invalid="ignore"):
        moves, states = viterbi.best_scores(emissions, free)
        paths, possible = viterbi._best_tags(states, lengths, moves, free.end)
    found, is_possible = viterbi.best_path(emissions, lengths, free)
    np.testing.assert_array_equal(is_possible, possible)
    np.testing.assert_array_equal(found[possible], paths[possible])
