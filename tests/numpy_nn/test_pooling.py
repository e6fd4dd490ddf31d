"""The poolings in NumPy against those of torch."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_bricks import LENGTHS, mask_of, packed, randomised, weights_of

from tagger.nn import pooling as torch_pooling
from tagger.numpy_nn.pooling import AttentionPooling, LastPooling, MaxPooling, MeanPooling


@settings(max_examples=60, deadline=None)
@given(lengths=LENGTHS, seed=st.integers(0, 1000), forward=st.integers(0, 6))
def test_pooled_states_are_those_of_torch(lengths: list[int], seed: int, forward: int) -> None:
    states = torch.randn(len(lengths), max(lengths), 6, generator=torch.Generator().manual_seed(seed))
    attention = randomised(torch_pooling.AttentionPooling(hidden_size=6, attention_size=3), seed)
    mask = packed(lengths).mask
    for network, own in (
        (attention, AttentionPooling(weights_of(attention))),
        (torch_pooling.LastPooling(forward_size=forward), LastPooling(forward_size=forward)),
        (torch_pooling.MeanPooling(), MeanPooling()),
        (torch_pooling.MaxPooling(), MaxPooling()),
    ):
        with torch.inference_mode():
            wanted = network(states, mask_of(lengths))
        found = own(states.numpy()[mask], np.array(lengths))
        np.testing.assert_allclose(found.vector, wanted.vector.numpy(), atol=1e-5)
        assert (found.attention is None) == (wanted.attention is None)
        if found.attention is not None:
            np.testing.assert_allclose(found.attention, wanted.attention.numpy(), atol=1e-5)
