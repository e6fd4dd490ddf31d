"""The lattice and the best path in NumPy against those in torch; tests/nn/test_crf.py has enumeration."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.nn.chain import lattice
from tagger.nn.chain.lattice import Lattice, Scores, forward_backward, rows_of
from tagger.nn.chain.viterbi import best_path
from tagger.nn.spans import SpanTables, find_spans, span_probabilities
from tagger.numpy_nn import lattice as numpy_lattice
from tagger.text.schemes import span_tables

TAGS = ["O", "B-A", "I-A", "B-B", "I-B"]


def make_problem(lengths: list[int], *, seed: int, scale: float) -> tuple[torch.Tensor, lattice.Rows, Scores]:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator) * scale

    moves = draw(len(TAGS), len(TAGS)).masked_fill(
        torch.rand(len(TAGS), len(TAGS), generator=generator) < 0.2, -torch.inf
    )
    moves[:, 0] = 0.0  # every length has a sequence
    emissions = draw(len(lengths), max(lengths), len(TAGS))
    return emissions, rows_of(torch.tensor(lengths), max(lengths)), Scores(draw(len(TAGS)), moves, draw(len(TAGS)))


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 30), min_size=1, max_size=5).filter(any),
    seed=st.integers(0, 10_000),
    scale=st.sampled_from([0.1, 1.0, 10.0, 1000.0]),
)
def test_lattice_best_path_and_spans_equal_those_of_torch(lengths: list[int], seed: int, scale: float) -> None:
    emissions, rows, scores = make_problem(lengths, seed=seed, scale=scale)
    given = emissions.clone()
    tables = SpanTables(*map(torch.tensor, span_tables(TAGS, "iob2")))
    found: list[tuple[Lattice, torch.Tensor, torch.Tensor]] = []
    for devices in (("cpu",), ()):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lattice, "IN_NUMPY", devices)
            path, _ = best_path(emissions, rows, scores)
            whole = forward_backward(emissions, rows, scores, counts=True, messages=True)
        spans = find_spans(path, rows.lengths, tables)
        found.append((whole, path, span_probabilities(whole, scores.transitions, rows.lengths, spans, tables)))
    assert torch.equal(emissions, given)
    (ours, path, spans), (theirs, other_path, other_spans) = found
    torch.testing.assert_close(ours.log_partition, theirs.log_partition, rtol=1e-6, atol=1e-4)
    torch.testing.assert_close(ours.marginals, theirs.marginals, rtol=0, atol=1e-4)
    torch.testing.assert_close(ours.counts, theirs.counts, rtol=1e-5, atol=1e-4)
    assert torch.equal(path, other_path)
    torch.testing.assert_close(spans, other_spans, rtol=0, atol=1e-4)


@pytest.mark.parametrize("num_tags", [30, 157, 300])
@pytest.mark.parametrize("devices", [("cpu",), ()])
def test_ordinary_sentences_of_many_tags_need_no_log_space(
    num_tags: int, devices: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = torch.Generator().manual_seed(num_tags)
    lengths = torch.arange(1, 21)
    emissions = torch.randn(20, 20, num_tags, generator=generator)
    scores = Scores(*(torch.randn(shape, generator=generator) for shape in (num_tags, (num_tags, num_tags), num_tags)))
    exact = lattice._log_lattice(emissions, rows_of(lengths, 20), scores, counts=False)
    monkeypatch.setattr(lattice, "IN_NUMPY", devices)
    monkeypatch.setattr(lattice, "SMALL", math.inf)
    for module in (lattice, numpy_lattice):
        monkeypatch.delattr(module, "_log_lattice")
    found = forward_backward(emissions, rows_of(lengths, 20), scores)
    torch.testing.assert_close(found.log_partition, exact.log_partition, rtol=1e-6, atol=1e-4)
    torch.testing.assert_close(found.marginals, exact.marginals.float(), rtol=0, atol=1e-5)


def test_no_row_depends_on_rows_that_are_no_numbers() -> None:
    emissions, rows, scores = make_problem([5, 3, 4], seed=1, scale=1.0)
    expected = forward_backward(emissions, rows, scores)
    broken = emissions.clone()
    broken[1, 2] = torch.nan
    found = forward_backward(broken, rows, scores)
    for ours, theirs in zip(found[:2], expected[:2], strict=True):
        torch.testing.assert_close(ours[[0, 2]], theirs[[0, 2]])
    assert not bool(found.marginals[1].isfinite().all())
