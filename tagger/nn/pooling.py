"""Poolings: from the states of a sentence's tokens to one vector for the sentence.

Every pooling ignores padding, so the vector of a sentence does not depend on the other sentences in its batch. The head
turns the vector into class scores.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class Pooled(NamedTuple):
    """A vector for each sentence, and the attention weight of each token if the pooling has one."""

    vector: Float[Tensor, "batch hidden"]
    attention: Float[Tensor, "batch tokens"] | None = None


class LastPooling(nn.Module):
    """The final states of both directions: the forward one at the last token, the backward one at the first.

    Args:
        forward_size: Number of features of a state that belong to the forward direction; the rest belongs to the
            backward direction. Where both were merged by sum or mean, pass the width of the state: then the whole state
            at the last token is used.
    """

    def __init__(self, *, forward_size: int) -> None:
        super().__init__()
        self.forward_size = forward_size

    def forward(self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"]) -> Pooled:
        """Return the final states, concatenated."""
        last = mask.sum(1).sub(1).view(-1, 1, 1).expand(-1, 1, self.forward_size)
        final = states[:, :, : self.forward_size].gather(1, last).squeeze(1)  # (batch, forward)
        return Pooled(torch.cat((final, states[:, 0, self.forward_size :]), 1))


class MeanPooling(nn.Module):
    """The average state of a sentence's tokens."""

    def forward(self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"]) -> Pooled:
        """Return the average over real tokens."""
        total = states.masked_fill(~mask.unsqueeze(2), 0).sum(1)  # (batch, hidden)
        return Pooled(total / mask.sum(1, keepdim=True))


class MaxPooling(nn.Module):
    """The largest value of each feature over a sentence's tokens."""

    def forward(self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"]) -> Pooled:
        """Return the maximum over real tokens."""
        return Pooled(states.masked_fill(~mask.unsqueeze(2), -torch.inf).amax(1))


class AttentionPooling(nn.Module):
    """A weighted average of the states, with weights that are computed from the states.

    The weight of token ``t`` is ``softmax(v · tanh(W h_t))``, with the softmax over the tokens of its sentence.

    Args:
        hidden_size: Width of a token's state, both directions together.
        attention_size: Width of the layer that scores a state.

    Source:
        Yang et al. (2016), "Hierarchical Attention Networks", equations 5 to 7.
        Compared with a sentence-by-sentence computation in tests/nn/test_pooling.py.
    """

    def __init__(self, *, hidden_size: int, attention_size: int = 64) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(hidden_size, attention_size), nn.Tanh(), nn.Linear(attention_size, 1))

    def forward(self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"]) -> Pooled:
        """Return the weighted average of each sentence and the weights of its tokens: 0 at padding, with sum 1."""
        if len(mask) > 1 or not mask.all():  # a weight of 0 does not remove NaN at padding: 0 * NaN is NaN
            states = states.masked_fill(~mask.unsqueeze(2), 0)
        scores = self.score(states).squeeze(-1).masked_fill(~mask, -torch.inf)  # (batch, tokens)
        attention = scores.softmax(1)
        return Pooled(torch.einsum("bt,bth->bh", attention, states), attention)
