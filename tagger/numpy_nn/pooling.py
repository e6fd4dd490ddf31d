"""Poolings: from the states of a sentence's tokens to one vector for the sentence; see `nn/pooling.py`.

States come row after row, without padding: (all tokens, hidden). Every row has a token.
"""

from typing import NamedTuple, Protocol

import numpy as np

from tagger.numpy_nn.encoder import Floats, Weights
from tagger.numpy_nn.packing import Ids


class Pooled(NamedTuple):
    """A vector for each sentence, and the attention weight of each token if the pooling has one.

    Args:
        vector: Of shape (batch, hidden).
        attention: Of shape (batch, tokens); 0 at padding.
    """

    vector: Floats
    attention: Floats | None = None


class Pooling(Protocol):
    """What makes one vector of the states of each sentence."""

    def __call__(self, states: Floats, lengths: Ids) -> Pooled:
        """Return the vector of each sentence."""
        ...


class LastPooling:
    """The final states of both directions: the forward one at the last token, the backward one at the first.

    Args:
        forward_size: Number of features of a state that belong to the forward direction.
    """

    def __init__(self, *, forward_size: int) -> None:
        self.forward_size = forward_size

    def __call__(self, states: Floats, lengths: Ids) -> Pooled:
        """Return the final states, concatenated."""
        ends = np.cumsum(lengths)
        final, first = states[ends - 1, : self.forward_size], states[ends - lengths, self.forward_size :]
        return Pooled(np.concatenate((final, first), axis=1))


class MeanPooling:
    """The average state of a sentence's tokens."""

    def __call__(self, states: Floats, lengths: Ids) -> Pooled:
        """Return the average over tokens."""
        return Pooled(_sums(states, lengths) / np.float32(lengths[:, None]))


class MaxPooling:
    """The largest value of each feature over a sentence's tokens."""

    def __call__(self, states: Floats, lengths: Ids) -> Pooled:
        """Return the maximum over tokens."""
        return Pooled(np.maximum.reduceat(states, np.cumsum(lengths) - lengths, axis=0))


class AttentionPooling:
    """A weighted average of the states, with weights that are computed from the states.

    Args:
        weights: Those of `score`.
    """

    def __init__(self, weights: Weights) -> None:
        self.weights = [weights[f"score.{name}"] for name in ("0.weight", "0.bias", "2.weight", "2.bias")]

    def score(self, states: Floats) -> Floats:
        """Return the score of each token before the softmax, of shape (all tokens,)."""
        weight, bias, out, out_bias = self.weights
        scores: Floats = (np.tanh(states @ weight.T + bias) @ out.T + out_bias)[:, 0]
        return scores

    def __call__(self, states: Floats, lengths: Ids) -> Pooled:
        """Return the weighted average of each sentence, and the weights of its tokens, with sum 1."""
        mask = np.arange(lengths.max()) < lengths[:, None]
        scores = np.full(mask.shape, -np.inf, np.float32)
        scores[mask] = self.score(states)
        weights = np.exp(scores - scores.max(1, keepdims=True))
        weights /= weights.sum(1, keepdims=True)
        return Pooled(_sums(states * weights[mask][:, None], lengths), weights)


def _sums(states: Floats, lengths: Ids) -> Floats:
    """Return the sum of the states of each row."""
    return np.add.reduceat(states, np.cumsum(lengths) - lengths, axis=0)
