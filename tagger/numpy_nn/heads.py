"""Heads: from token states to a tag for each token, one class for the sentence, or numbers; see `nn/heads.py`."""

from abc import ABC, abstractmethod
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.numpy_nn.encoder import Floats, Weights
from tagger.numpy_nn.lattice import Floats as Numbers
from tagger.numpy_nn.lattice import Lattice, Lengths, Scores, forward_backward
from tagger.numpy_nn.likelihood import path_score
from tagger.numpy_nn.n_best import best_paths
from tagger.numpy_nn.packing import Ids, Packing
from tagger.numpy_nn.pooling import AttentionPooling, LastPooling, MaxPooling, MeanPooling, Pooling
from tagger.numpy_nn.spans import Spans, SpanTables, find_spans, span_probabilities
from tagger.numpy_nn.viterbi import best_path

Decoder = Literal["crf", "softmax"]
Allowed = tuple[list[list[bool]], list[bool], list[bool]]  # [from][to], at the start, at the end


class HeadNetwork(ABC):
    """The network of a head of any kind.

    Attributes:
        temperature: Divisor of the class scores before the softmax, in heads whose calibration changes no weights.
    """

    temperature = 1.0

    @abstractmethod
    def __call__(self, states: Floats, packing: Packing, *, n_best: int = 0) -> Any:
        """Return the output for packed states, a named tuple of arrays, with the `n_best` readings if it has some."""

    def marginals(self, states: Floats, packing: Packing) -> Floats | None:
        """Return the probability of each tag at each token, (batch, tokens, tags); None for a head without tags."""
        return None


class TokensOutput(NamedTuple):
    """The best tags of each sentence, with their probabilities; see `TokensOutput` of `nn/heads.py`."""

    tag_ids: Ids
    probabilities: Floats
    sequences: Floats
    spans: Spans | None
    span_probabilities: Floats | None
    readings: Ids | None = None
    reading_probabilities: Floats | None = None


class SentenceOutput(NamedTuple):
    """The probability of each class, and the attention weight of each token if the pooling has one."""

    probabilities: Floats
    attention: Floats | None


class ValuesOutput(NamedTuple):
    """Numbers, each with the ends of its interval; see `ValuesOutput` of `nn/heads.py`."""

    values: Floats
    low: Floats
    high: Floats


class TokensHead(HeadNetwork):
    """A tag for each token, from a CRF over the sentence or from a softmax at each token.

    Args:
        weights: Those of `linear` and `crf`.
        decoder: `crf` or `softmax`.
        allowed: Which tags may follow each other, begin and end a sentence; default: all.
        tables: How tags form spans; default: they form none.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        decoder: Decoder = "crf",
        allowed: Allowed | None = None,
        tables: SpanTables | None = None,
    ) -> None:
        self.decoder, self.tables = decoder, tables
        self.weight, self.bias = np.ascontiguousarray(weights["linear.weight"].T), weights["linear.bias"]
        names = ("crf.start_transitions", "crf.transitions", "crf.end_transitions")
        start, transitions, end = (np.array(weights[name]) for name in names)
        self.free = Scores(start, transitions, end)  # without constraints
        within, first, last = map(np.array, allowed) if allowed else (True, True, True)
        masked = (
            np.where(ok, s, np.float32(-np.inf)) for ok, s in ((first, start), (within, transitions), (last, end))
        )
        self.scores = Scores(*masked)

    def emissions(self, states: Floats) -> Floats:
        """Return the score of each tag at each token, given states of any number of tokens."""
        scores: Floats = states @ self.weight
        scores += self.bias
        return scores

    def __call__(self, states: Floats, packing: Packing, *, n_best: int = 0) -> TokensOutput:
        """Return the best tags and their probabilities, and the `n_best` readings of each sentence if requested."""
        return self.decode(packing.pad(self.emissions(states)), packing.lengths, n_best=n_best)

    def marginals(self, states: Floats, packing: Packing) -> Floats:
        """Return the probability of each tag at each token, summed over all sequences; 0 at padding."""
        return self.token_marginals(packing.pad(self.emissions(states)), packing.lengths)

    def decode(self, emissions: Floats, lengths: Lengths, *, n_best: int = 0) -> TokensOutput:
        """Return the same as a call, given the score of each tag at each token, of shape (batch, tokens, tags).

        Values at padding are ignored.

        Raises:
            ValueError: A row has no allowed sequence; the message names the row.
        """
        tag_ids, possible = best_path(emissions, lengths, self.scores)
        _check_possible(possible | (lengths == 0))
        lattice, scores = self._posterior(emissions, lengths, messages=self.tables is not None)
        probabilities = np.take_along_axis(lattice.marginals, tag_ids[:, :, None], 2)[:, :, 0]
        spans = span_scores = readings = reading_scores = None
        if self.tables is not None:
            spans = find_spans(tag_ids, lengths, self.tables)
            span_scores = span_probabilities(lattice, scores.transitions, lengths, spans, self.tables)

        def sequence_probabilities(path: Ids) -> Floats:
            found = np.exp(path_score(emissions, lengths, scores, path) - lattice.log_partition)
            return found.astype(np.float32)

        if n_best:
            readings, exist = best_paths(emissions, lengths, self.scores, n=n_best)
            exist[lengths == 0] = np.arange(n_best) == 0
            each = [sequence_probabilities(path) for path in readings.transpose(1, 0, 2)]
            reading_scores = np.where(exist, np.stack(each, 1), np.float32(0))
            readings *= exist[:, :, None]
        sequences = sequence_probabilities(tag_ids)
        return TokensOutput(tag_ids, probabilities, sequences, spans, span_scores, readings, reading_scores)

    def token_marginals(self, emissions: Floats, lengths: Lengths) -> Floats:
        """Return the same as `marginals`, given the score of each tag at each token."""
        found: Floats = self._posterior(emissions, lengths, messages=False)[0].marginals
        return found

    def _posterior(self, emissions: Floats, lengths: Lengths, *, messages: bool) -> tuple[Lattice, Scores]:
        """Return the lattice of each sentence, and the start, transition and end scores that it was computed with."""
        if self.decoder == "crf":
            return forward_backward(emissions, lengths, self.scores, messages=messages), self.scores
        return _independent(emissions, lengths), self.free  # all 0


def _independent(emissions: Floats, lengths: Lengths) -> Lattice:
    """Return the lattice of independent tokens, a softmax at each; see `nn/heads.py`."""
    mask = np.arange(emissions.shape[1]) < lengths[:, None]
    peaks = emissions.max(2, keepdims=True)
    logs = emissions - peaks
    sums = np.log(np.exp(logs).sum(2, keepdims=True))
    logs -= sums
    partition = np.where(mask, (peaks + sums)[:, :, 0], 0).sum(1, dtype=np.float64)
    return Lattice(partition, np.where(mask[:, :, None], np.exp(logs), np.float32(0)), None, np.zeros_like(logs), logs)


def _check_possible(possible: NDArray[np.bool_]) -> None:
    """Raise if a row has no allowed sequence."""
    if not possible.all():
        row = int(np.flatnonzero(~possible)[0])
        raise ValueError(f"row {row}: no tag sequence is allowed at its length")


class SentenceHead(HeadNetwork):
    """A class for the sentence: pooling, then a network of one hidden layer.

    Args:
        weights: Those of `pooling` and `classify`.
        forward_size: Number of features of a state that belong to the forward direction, for `last` pooling.
        pooling: How to combine token states into one vector.
    """

    def __init__(self, weights: Weights, *, forward_size: int, pooling: str = "attention") -> None:
        self.pooling = _pooling(pooling, weights, forward_size)
        self.layers = [weights[f"classify.{name}"] for name in ("1.weight", "1.bias", "4.weight", "4.bias")]

    def __call__(self, states: Floats, packing: Packing, *, n_best: int = 0) -> SentenceOutput:
        """Return the probability of each class, and the attention if there is one; a class has no readings."""
        vector, attention = self.pooling(states[packing.places[packing.mask]], packing.lengths)
        return SentenceOutput(self.classes(vector), attention)

    def classes(self, vector: Floats) -> Floats:
        """Return the probability of each class for pooled vectors, of shape (batch, classes)."""
        weight, bias, out, out_bias = self.layers
        scores: Numbers = np.maximum(vector @ weight.T + bias, 0) @ out.T + out_bias
        scores /= np.float32(self.temperature)
        powers = np.exp(scores - scores.max(1, keepdims=True))
        shares: Floats = powers / powers.sum(1, keepdims=True)
        return shares


def _pooling(kind: str, weights: Weights, forward_size: int) -> Pooling:
    """Return a pooling, given the weights of a head."""
    match kind:
        case "attention":
            prefix = "pooling."
            return AttentionPooling({n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)})
        case "last":
            return LastPooling(forward_size=forward_size)
        case "mean":
            return MeanPooling()
        case _:
            return MaxPooling()


class ValuesHead(HeadNetwork):
    """Numbers for each token or for the sentence, each with an interval: a linear layer.

    Args:
        weights: Those of `pooling` and `linear`, and `mean`, `deviation` and `margin`.
        forward_size: Number of features of a state that belong to the forward direction, for `last` pooling.
        pooling: How to combine token states into one vector; None for numbers of tokens.
    """

    def __init__(self, weights: Weights, *, forward_size: int, pooling: str | None = None) -> None:
        self.pooling = None if pooling is None else _pooling(pooling, weights, forward_size)
        self.weight, self.bias = np.ascontiguousarray(weights["linear.weight"].T), weights["linear.bias"]
        self.mean, self.deviation, self.margin = (weights[name] for name in ("mean", "deviation", "margin"))

    def __call__(self, states: Floats, packing: Packing, *, n_best: int = 0) -> ValuesOutput:
        """Return the numbers with their intervals; a number has no readings."""
        if self.pooling is not None:
            return self.values(self.pooling(states[packing.places[packing.mask]], packing.lengths).vector)
        found = self.values(states)
        return ValuesOutput(*(np.where(packing.mask, packing.pad(part[:, 0]), np.float32(0)) for part in found))

    def values(self, vectors: Floats) -> ValuesOutput:
        """Return the numbers for states or pooled vectors, of shape (..., numbers)."""
        found = (vectors @ self.weight + self.bias).reshape(len(vectors), len(self.mean), -1)
        middle = found[:, :, found.shape[2] // 2]
        low = np.minimum(np.minimum(found[:, :, 0], middle) - self.margin, middle)
        high = np.maximum(np.maximum(found[:, :, -1], middle) + self.margin, middle)
        return ValuesOutput(*(part * self.deviation + self.mean for part in (middle, low, high)))
