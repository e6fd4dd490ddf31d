"""The encoder in NumPy against that of torch."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_bricks import LENGTHS, mask_of, packed, randomised, weights_of

from tagger.nn import encoder as torch_encoder
from tagger.numpy_nn import encoder as module
from tagger.numpy_nn.encoder import Inputs, RecurrentEncoder

SETTINGS = st.fixed_dictionaries(
    {
        "cell": st.sampled_from(["lstm", "gru", "rnn"]),
        "layers": st.integers(1, 3),
        "bidirectional": st.booleans(),
        "merge": st.sampled_from(["concat", "sum", "mean"]),
        "stride": st.sampled_from([1, 1, 2, 3]),
    }
)


def states_of(
    settings: dict[str, Any], vectors: torch.Tensor, ids: np.ndarray, lengths: list[int], seed: int, *, looked_up: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The states of torch and of NumPy at tokens, which read the vectors of these words."""
    network = randomised(torch_encoder.RecurrentEncoder(input_size=vectors.shape[1], hidden_size=4, **settings), seed)
    own = RecurrentEncoder(weights_of(network), **settings)
    assert (own.output_size, own.forward_size) == (network.output_size, network.forward_size)
    packing, words = packed(lengths), vectors.numpy()
    inputs = Inputs(packing.pack(ids), products=own.products(words)) if looked_up else Inputs(packing.pack(ids), words)
    with torch.inference_mode():
        wanted = network(vectors[torch.from_numpy(ids)], mask_of(lengths))
    return wanted.numpy()[packing.mask], packing.pad(own(inputs, packing))[packing.mask]


@settings(max_examples=120, deadline=None)
@given(settings=SETTINGS, lengths=LENGTHS, seed=st.integers(0, 1000), looked_up=st.booleans(), block=st.integers(1, 30))
def test_states_are_those_of_torch(
    settings: dict[str, Any], lengths: list[int], seed: int, looked_up: bool, block: int
) -> None:
    rng = np.random.default_rng(seed)
    vectors = torch.from_numpy(rng.normal(size=(11, 5)).astype(np.float32))
    ids = rng.integers(11, size=(len(lengths), max(lengths)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        wanted, found = states_of(settings, vectors, ids, lengths, seed, looked_up=looked_up)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert found.dtype == np.float32


@settings(max_examples=40, deadline=None)
@given(settings=SETTINGS, lengths=LENGTHS, seed=st.integers(0, 1000), looked_up=st.booleans(), block=st.integers(1, 30))
def test_features_of_tokens_follow_the_vector_of_their_word(
    settings: dict[str, Any], lengths: list[int], seed: int, looked_up: bool, block: int
) -> None:
    rng, packing = np.random.default_rng(seed), packed(lengths)
    words = rng.normal(size=(11, 5)).astype(np.float32)
    ids = rng.integers(11, size=(len(lengths), max(lengths)))
    features = rng.normal(size=(*ids.shape, 3)).astype(np.float32)
    network = randomised(torch_encoder.RecurrentEncoder(input_size=8, hidden_size=4, **settings), seed)
    own = RecurrentEncoder(weights_of(network), **settings)
    given = {"products": own.products(words)} if looked_up else {"vectors": words}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK", block)
        found = own(Inputs(packing.pack(ids), **given, features=packing.pack(features)), packing)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(np.concatenate([words[ids], features], axis=2)), mask_of(lengths)).numpy()
    np.testing.assert_allclose(packing.pad(found)[packing.mask], wanted[packing.mask], atol=1e-5)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_rows_of_thousands_of_tokens_keep_their_digits(cell: str) -> None:
    rng, lengths = np.random.default_rng(1), [5000, 3, 700]
    vectors = torch.from_numpy(rng.normal(size=(50, 5)).astype(np.float32))
    ids = rng.integers(50, size=(3, 5000))
    for layers in (1, 2):
        wanted, found = states_of({"cell": cell, "layers": layers}, vectors, ids, lengths, 3, looked_up=True)
        np.testing.assert_allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize("scale", [0.0, 1e4])
def test_states_stay_finite_whatever_the_vectors(scale: float) -> None:
    vectors = torch.full((2, 5), scale) * torch.tensor([[1.0], [-1.0]])
    for cell in ("lstm", "gru", "rnn"):
        wanted, found = states_of({"cell": cell}, vectors, np.array([[0, 1, 1, 0]]), [4], 1, looked_up=True)
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_a_batch_without_a_token_has_no_states() -> None:
    encoder = RecurrentEncoder(weights_of(torch_encoder.RecurrentEncoder(input_size=3, hidden_size=2)))
    packing = packed([0, 0])
    assert encoder(Inputs(np.zeros(0, np.int64), products=np.zeros((2, 0, 8), np.float32)), packing).shape == (0, 4)
