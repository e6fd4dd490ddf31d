"""Encoder and heads that take one token at a time, at a cost that does not grow with the tokens before it.

Each class keeps a summary of the tokens so far. After each token its result equals that of the brick that it wraps, run
over all tokens so far. The encoder must read in one direction only.
"""

import math

import numpy as np
from numpy.typing import NDArray

from tagger.numpy_nn.encoder import Floats, RecurrentEncoder
from tagger.numpy_nn.heads import TokensHead
from tagger.numpy_nn.pooling import AttentionPooling, MaxPooling, MeanPooling, Pooled, Pooling

Vector = NDArray[np.float64]


class RunningEncoder:
    """The encoder's state of each token, computed from the memory of each layer.

    Raises:
        ValueError: The encoder reads in both directions.
    """

    def __init__(self, encoder: RecurrentEncoder) -> None:
        if any(len(layer) > 1 for layer in encoder.layers):
            raise ValueError(
                "the encoder must read in one direction, got a bidirectional one, whose states depend on later tokens"
            )
        self.stride, self.position = encoder.stride, 0
        self.layers = [layer[0] for layer in encoder.layers]
        self.memory = [layer.memory(1) for layer in self.layers]
        self.states: list[Floats] = [np.empty((0, layer.hidden_size), np.float32) for layer in self.layers]

    def feed(self, vector: Floats) -> Floats:
        """Return the state of the next token, of shape (hidden,), given its vector, of shape (input,)."""
        self.position += 1
        if (self.position - 1) % self.stride:  # the token is not read
            return self.states[-1][0]
        read = vector[None]  # (1, input)
        for i, layer in enumerate(self.layers):
            state = np.empty((1, layer.hidden_size), np.float32)
            layer.step(read @ layer.weight + layer.bias, self.states[i], self.memory[i], state)
            self.states[i] = read = state
        last: Floats = read[0]
        return last


class RunningTags:
    """The last tag of the best tag sequence of all tokens so far, and its probability.

    For each tag it keeps the score of the best sequence that ends in the tag (Viterbi), and the log of the summed
    exponentiated scores of all of them (forward recursion). The highest is subtracted at each token, so that long input
    does not lose digits. The arrays are in float64: they are small.

    Source:
        Viterbi (1967), and the forward recursion of Rabiner (1989).
        Compared with the head in tests/inference/test_incremental.py.
    """

    def __init__(self, head: TokensHead) -> None:
        self.head = head
        self.start, self.transitions, self.end = (part.astype(np.float64) for part in head.scores)
        self.best: Vector | None = None  # (tags,)
        self.total: Vector | None = None  # (tags,)

    def feed(self, state: Floats) -> tuple[int, float, NDArray[np.int64] | None]:
        """Return the tag that the sequence ends in, its probability, and the best previous tag of each tag.

        The last is None at the first token.
        """
        emissions: Vector = self.head.emissions(state).astype(np.float64)  # (tags,)
        origins = None
        best = total = self.start
        if self.best is not None and self.total is not None:
            reached = self.best[:, None] + self.transitions  # (from, to)
            origins, best = reached.argmax(0), reached.max(0)
            total = _log_sum(self.total[:, None] + self.transitions)
        self.best, self.total = _from_zero(best + emissions), _from_zero(total + emissions)
        tag_id = int((self.best + self.end).argmax())
        logits = self.total + self.end if self.head.decoder == "crf" else emissions
        odds = np.exp(_from_zero(logits))
        return tag_id, float(odds[tag_id] / odds.sum()), origins


def _from_zero(scores: Vector) -> Vector:
    """Return the scores minus the highest of them."""
    less: Vector = scores - scores.max()
    return less


def _log_sum(scores: Vector) -> Vector:
    """Return log(sum(exp(scores))) over the first axis; minus infinity where all scores are."""
    peaks = scores.max(0).clip(min=-1e300)
    with np.errstate(divide="ignore"):
        total: Vector = peaks + np.log(np.exp(scores - peaks).sum(0))
    return total


class RunningPooling:
    """The pooled state of all tokens so far.

    It keeps the sum, the maximum or the weighted sum of their states. With attention it also keeps the score of each
    token, because every new token changes all weights.

    Source:
        Milakov and Gimelshein (2018) for the softmax over a growing sequence.
        Compared with the head in tests/inference/test_incremental.py.
    """

    def __init__(self, pooling: Pooling) -> None:
        self.pooling = pooling
        self.length = 0
        self.kept: Vector | None = None  # (hidden,)
        self.weight, self.top = 0.0, -math.inf
        self.scores: list[float] = []

    def feed(self, state: Floats) -> Pooled:
        """Return the vector, and the attention if there is one, as a batch of one sentence."""
        self.length += 1
        vector = self._pooled(state).astype(np.float32)[None]
        if not self.scores:
            return Pooled(vector)
        weights = np.exp(np.array(self.scores) - self.top) / self.weight
        return Pooled(vector, weights.astype(np.float32)[None])

    def _pooled(self, state: Floats) -> Vector:
        """Return the pooled state of the sentence so far."""
        pooling, precise = self.pooling, state.astype(np.float64)
        kept = precise if self.kept is None else self.kept
        if isinstance(pooling, AttentionPooling):
            return self._attended(precise, float(pooling.score(state[None])[0]))
        if isinstance(pooling, MeanPooling):
            self.kept = kept + precise if self.length > 1 else kept
            return self.kept / self.length
        self.kept = np.maximum(kept, precise) if isinstance(pooling, MaxPooling) else precise
        return self.kept

    def _attended(self, state: Vector, score: float) -> Vector:
        """Return the weighted average of the states so far.

        Weights are exp(score - top), 1 at the highest score: exp(score) itself would overflow. When a new score is the
        highest, what was summed so far shrinks by exp(old top - new top).
        """
        top = max(self.top, score)
        shrink, weight = math.exp(self.top - top), math.exp(score - top)
        self.kept = weight * state + (0 if self.kept is None else shrink * self.kept)
        self.weight, self.top = shrink * self.weight + weight, top
        self.scores.append(score)
        average: Vector = self.kept / self.weight
        return average
