"""From the states of a sentence's tokens to one vector for the sentence.

Each pooling looks at real tokens only: what stands in the padding never reaches the result, so that a sentence's vector
does not depend on what it was batched with. Turning the vector into class scores is the head's business.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class Pooled(NamedTuple):
    """A vector for each sentence, and how much each token contributed if the pooling can say so."""

    vector: Float[Tensor, "batch hidden"]
    attention: Float[Tensor, "batch tokens"] | None = None


class LastPooling(nn.Module):
    """The final states of both directions: the forward one at the last token, the backward one at the first.

    Args:
        forward_size: How many features of a state belong to the forward direction. The rest, if any, is the backward
            direction's. Where directions were merged by sum or mean there is no such border: the whole state at the
            last token is taken, and `forward_size` is its width.
    """

    def __init__(self, *, forward_size: int) -> None:
        super().__init__()
        self.forward_size = forward_size

    def forward(self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"]) -> Pooled:
        """The final states, side by side."""
        last = mask.sum(1).sub(1).view(-1, 1, 1).expand(-1, 1, self.forward_size)
        final = states[:, :, : self.forward_size].gather(1, last).squeeze(1)  # (batch, forward)
        return Pooled(torch.cat((final, states[:, 0, self.forward_size :]), 1))


class MeanPooling(nn.Module):
    """The average state of a sentence's tokens."""

    def forward(self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"]) -> Pooled:
        """The average over real tokens."""
        total = states.masked_fill(~mask.unsqueeze(2), 0).sum(1)  # (batch, hidden)
        return Pooled(total / mask.sum(1, keepdim=True))


class MaxPooling(nn.Module):
    """The largest value of each feature over a sentence's tokens."""

    def forward(self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"]) -> Pooled:
        """The maximum over real tokens."""
        return Pooled(states.masked_fill(~mask.unsqueeze(2), -torch.inf).amax(1))


class AttentionPooling(nn.Module):
    """A weighted average of the states, the weights learned from the states themselves.

    Token ``t`` weighs ``softmax(v · tanh(W h_t))``, the softmax over the tokens of its sentence.

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
        """The attended vector of each sentence, and the weight of each token: 0 at padding, 1 in sum."""
        states = states.masked_fill(~mask.unsqueeze(2), 0)
        scores = self.score(states).squeeze(-1).masked_fill(~mask, -torch.inf)  # (batch, tokens)
        attention = scores.softmax(1)
        return Pooled(torch.einsum("bt,bth->bh", attention, states), attention)
