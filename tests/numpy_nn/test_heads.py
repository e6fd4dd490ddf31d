"""The heads in NumPy, with n best sequences and spans, against those of torch."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_bricks import LENGTHS, mask_of, packed, randomised, weights_of

from tagger.nn import heads as torch_heads
from tagger.nn import spans as torch_spans
from tagger.numpy_nn.heads import SentenceHead, TokensHead, TokensOutput
from tagger.numpy_nn.spans import tables_of
from tagger.text.schemes import legal_transitions, span_tables, tags_of_types

SCHEMES = ("iob1", "iob2", "bioes", "bilou", None)


def make_heads(scheme: Any, decoder: Any, *, constraints: bool, seed: int, scale: float) -> tuple[Any, TokensHead]:
    """A head of torch and the same in NumPy."""
    tags = ["X", "Y", "Z"] if scheme is None else tags_of_types(["LOC", "PER"], scheme)
    allowed = legal_transitions(tags, scheme) if scheme and constraints else None
    names = dict(zip(("allowed", "allowed_start", "allowed_end"), allowed, strict=True)) if allowed else {}
    lists = span_tables(tags, scheme) if scheme else None
    tables = torch_spans.SpanTables(*map(torch.tensor, lists)) if lists else None
    network = torch_heads.TokensHead(input_size=4, num_tags=len(tags), decoder=decoder, tables=tables, **names)
    network = randomised(network, seed, scale)
    if decoder == "softmax":
        for parameter in network.crf.parameters():
            parameter.data.zero_()
    own = TokensHead(weights_of(network), decoder=decoder, allowed=allowed, tables=tables_of(lists) if lists else None)
    return network, own


def check_tokens(found: TokensOutput, wanted: torch_heads.TokensOutput) -> None:
    assert np.array_equal(found.tag_ids, wanted.tag_ids.numpy())
    np.testing.assert_allclose(found.probabilities, wanted.probabilities.numpy(), atol=1e-4)
    np.testing.assert_allclose(found.sequences, wanted.sequences.numpy(), atol=1e-4)
    if found.spans is None or wanted.spans is None:
        assert found.spans is wanted.spans
    else:
        for column, other in zip(found.spans, wanted.spans, strict=True):
            assert np.array_equal(column, other.numpy())
        np.testing.assert_allclose(found.span_probabilities, wanted.span_probabilities.numpy(), atol=1e-4)


@settings(max_examples=150, deadline=None)
@given(
    lengths=LENGTHS,
    scheme=st.sampled_from(SCHEMES),
    decoder=st.sampled_from(["crf", "softmax"]),
    constraints=st.booleans(),
    seed=st.integers(0, 1000),
    scale=st.sampled_from([0.3, 2.0, 60.0]),
    n=st.integers(0, 12),
)
def test_tags_spans_and_probabilities_are_those_of_torch(
    lengths: list[int], scheme: Any, decoder: Any, constraints: bool, seed: int, scale: float, n: int
) -> None:
    network, own = make_heads(scheme, decoder, constraints=constraints, seed=seed, scale=scale)
    packing, mask = packed(lengths), mask_of(lengths)
    states = torch.randn(*mask.shape, 4, generator=torch.Generator().manual_seed(seed))
    wanted = network(states, mask, n_best=n)
    found = own(packing.pack(states.numpy()), packing, n_best=n)
    check_tokens(found, wanted)
    np.testing.assert_allclose(
        own.marginals(packing.pack(states.numpy()), packing), network.marginals(states, mask).numpy(), atol=1e-4
    )
    if n:
        # Sequences may tie within rounding, in their order and at the last place; their probabilities do not.
        np.testing.assert_allclose(found.reading_probabilities, wanted.reading_probabilities.numpy(), atol=1e-4)
        assert np.array_equal(found.readings[:, 0], found.tag_ids)
        for readings, scores in zip(found.readings, found.reading_probabilities, strict=True):
            real = [tuple(tags) for tags, score in zip(readings.tolist(), scores, strict=True) if score > 0]
            assert len(set(real)) == len(real)


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
def test_padding_of_emissions_changes_nothing(decoder: Any) -> None:
    _, own = make_heads("bioes", decoder, constraints=True, seed=1, scale=1.0)
    emissions = np.random.default_rng(1).normal(size=(3, 6, 9)).astype(np.float32)
    lengths = np.array([6, 1, 4])
    first = own.decode(emissions, lengths, n_best=3)
    emissions[np.arange(6) >= lengths[:, None]] = 1e6
    for one, other in zip(first, own.decode(emissions, lengths, n_best=3), strict=True):
        for array, again in zip(one if isinstance(one, tuple) else [one], other, strict=False):
            assert np.array_equal(array, again if isinstance(one, tuple) else other)


def test_rows_of_thousands_of_tokens_have_the_probabilities_of_torch() -> None:
    network, own = make_heads("bioes", "crf", constraints=True, seed=2, scale=1.0)
    lengths = [5000, 2, 700]
    packing, mask = packed(lengths), mask_of(lengths)
    states = torch.randn(*mask.shape, 4, generator=torch.Generator().manual_seed(2))
    check_tokens(own(packing.pack(states.numpy()), packing), network(states, mask))


def test_a_row_without_an_allowed_sequence_is_named() -> None:
    _, own = make_heads("bioes", "crf", constraints=True, seed=1, scale=1.0)
    own.scores = own.scores._replace(end=np.full(9, -np.inf, np.float32))
    with pytest.raises(ValueError, match="row 0: no tag sequence is allowed at its length"):
        own.decode(np.zeros((1, 2, 9), np.float32), np.array([2]))


@pytest.mark.parametrize("pooling", ["attention", "last", "mean", "max"])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_classes_are_those_of_torch(pooling: Any, temperature: float) -> None:
    for seed in range(5):
        network = randomised(
            torch_heads.SentenceHead(input_size=6, num_classes=3, forward_size=4, pooling=pooling, hidden_size=5), seed
        )
        own = SentenceHead(weights_of(network), forward_size=4, pooling=pooling)
        network.temperature = own.temperature = temperature
        lengths = [1, 5, 3]
        packing, mask = packed(lengths), mask_of(lengths)
        states = torch.randn(*mask.shape, 6, generator=torch.Generator().manual_seed(seed))
        with torch.inference_mode():
            wanted = network(states, mask)
        found = own(packing.pack(states.numpy()), packing)
        np.testing.assert_allclose(found.probabilities, wanted.probabilities.numpy(), atol=1e-5)
        if wanted.attention is not None:
            np.testing.assert_allclose(found.attention, wanted.attention.numpy(), atol=1e-5)
