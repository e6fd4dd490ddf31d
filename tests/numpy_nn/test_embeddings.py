"""The vectors of word forms in NumPy against those of torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_bricks import randomised, weights_of

from tagger.nn import embeddings as torch_embeddings
from tagger.numpy_nn.embeddings import CharCNN, CharLSTM, WordVectors


@pytest.mark.parametrize("frozen", [0, 4])
def test_word_vectors_are_those_of_torch(frozen: int) -> None:
    torch.manual_seed(1)
    network = torch_embeddings.WordVectors(torch.randn(3, 5), torch.randn(frozen, 5).half())
    ids = np.array([0, 2, 1, *range(3, 3 + frozen), 0])
    found = WordVectors(weights_of(network))(ids)
    assert np.array_equal(found, network(torch.from_numpy(ids)).detach().numpy())
    assert found.dtype == np.float32


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=9),
    seed=st.integers(0, 1000),
    width=st.sampled_from([1, 3, 5]),
    hidden=st.integers(1, 7),
)
def test_character_vectors_are_those_of_torch(lengths: list[int], seed: int, width: int, hidden: int) -> None:
    rng = np.random.default_rng(seed)
    char_ids, char_lengths = rng.integers(1, 9, size=sum(lengths)), np.array(lengths)
    sizes = {"num_chars": 9, "dimension": 4, "hidden_size": hidden}
    for network, kind in (
        (torch_embeddings.CharCNN(**sizes, width=width), CharCNN),
        (torch_embeddings.CharLSTM(**sizes), CharLSTM),
    ):
        own = kind(weights_of(randomised(network, seed)))
        assert own.output_size == network.output_size
        with torch.inference_mode():
            wanted = network(torch.from_numpy(char_ids), torch.from_numpy(char_lengths)).numpy()
        np.testing.assert_allclose(own(char_ids, char_lengths), wanted, atol=1e-5)
