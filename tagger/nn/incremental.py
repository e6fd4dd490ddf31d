"""Encoder and heads that take one token at a time, at a cost that does not grow with the tokens before it.

Each class keeps a summary of the tokens so far. After each token its result equals that of the module that it wraps,
run over all tokens so far. The encoder must read in one direction only. Modules must be in evaluation mode.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from tagger.nn.encoder import Recurrence, RecurrentEncoder
from tagger.nn.heads import SentenceHead, SentenceOutput, TokensHead
from tagger.nn.pooling import AttentionPooling, MaxPooling, MeanPooling

Vector = NDArray[np.float64]
Memory = tuple[Tensor, ...]  # of a layer, each (1, hidden)


class RunningEncoder:
    """The encoder's state of each token, computed from the memory of each layer.

    Raises:
        ValueError: The encoder reads in both directions.
    """

    def __init__(self, encoder: RecurrentEncoder) -> None:
        if any(layer.bidirectional for layer in encoder.layers):
            raise ValueError(
                "the encoder must read in one direction, got a bidirectional one, whose states depend on later tokens"
            )
        self.encoder = encoder
        self.memory: list[Memory] = [_empty(layer) for layer in encoder.layers]

    def feed(self, vector: Float[Tensor, " input"]) -> Float[Tensor, " hidden"]:
        """Return the state of the next token."""
        state = vector.to(self.encoder.dtype).unsqueeze(0)  # (1, input)
        for i, layer in enumerate(self.encoder.layers):
            self.memory[i] = _step(layer, state, self.memory[i])
            state = self.memory[i][0]
        return state.squeeze(0).to(vector.dtype)


def _empty(layer: Recurrence) -> Memory:
    """Return the memory of a layer before the first token: its state, and the cell of an LSTM."""
    zeros = next(layer.parameters()).new_zeros(1, layer.hidden_size)
    return (zeros, zeros) if isinstance(layer, nn.LSTM) else (zeros,)


def _step(layer: Recurrence, vector: Float[Tensor, "1 input"], memory: Memory) -> Memory:
    """Return the memory after one more token.

    This uses torch's cell functions. The kernel for whole sentences distributes its work over threads, which takes
    longer than the work for one token.
    """
    weights = [getattr(layer, f"{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    if isinstance(layer, nn.LSTM):
        return torch.lstm_cell(vector, memory, *weights)
    return ((torch.gru_cell if isinstance(layer, nn.GRU) else torch.rnn_tanh_cell)(vector, memory[0], *weights),)


class RunningTags:
    """The last tag of the best tag sequence of all tokens so far, and its probability.

    For each tag it keeps the score of the best sequence that ends in the tag (Viterbi), and the log of the summed
    exponentiated scores of all of them (forward recursion). The highest is subtracted at each token, so that long input
    does not lose digits. The arrays are NumPy's, in float64: they are small, and torch would distribute the sums over
    threads.

    Source:
        Viterbi (1967), and the forward recursion of Rabiner (1989).
        Compared with the head in tests/inference/test_incremental.py.
    """

    def __init__(self, head: TokensHead) -> None:
        self.head = head
        self.start, self.transitions, self.end = (_to_numpy(part) for part in head.crf.scores())
        self.best: Vector | None = None  # (tags,)
        self.total: Vector | None = None  # (tags,)

    def feed(self, state: Float[Tensor, " hidden"]) -> tuple[int, float, NDArray[np.int64] | None]:
        """Return the tag that the sequence ends in, its probability, and the best previous tag of each tag.

        The last is None at the first token.
        """
        emissions = _to_numpy(self.head.linear(state))  # (tags,)
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


def _to_numpy(scores: Tensor) -> Vector:
    numbers: Vector = scores.detach().double().cpu().numpy()
    return numbers


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


class RunningClass:
    """The class probabilities of all tokens so far.

    It keeps the sum, the maximum or the weighted sum of their states. With attention it also keeps the score of each
    token, because every new token changes all weights.

    Source:
        Milakov and Gimelshein (2018) for the softmax over a growing sequence.
        Compared with the head in tests/inference/test_incremental.py.
    """

    def __init__(self, head: SentenceHead) -> None:
        self.head = head
        self.length = 0
        self.kept: Tensor | None = None  # (hidden,)
        self.weight, self.top = 0.0, -math.inf
        self.scores: list[float] = []

    def feed(self, state: Float[Tensor, " hidden"]) -> SentenceOutput:
        """Return the probability of each class, and the attention if there is one, as a batch of one sentence."""
        self.length += 1
        vector = self._pooled(state).to(state.dtype).view(1, 1, -1)
        output: SentenceOutput = self.head(vector, torch.ones(1, 1, dtype=torch.bool, device=state.device))
        # The head sees one token that has the pooled state: pooling it again changes nothing. Only its attention, 1,
        # must be replaced by the weights of all tokens.
        if not self.scores:
            return output
        weights = np.exp(np.array(self.scores) - self.top) / self.weight
        return SentenceOutput(output.probabilities, torch.from_numpy(weights).to(state).unsqueeze(0))

    def _pooled(self, state: Float[Tensor, " hidden"]) -> Float[Tensor, " hidden"]:
        """Return the pooled state of the sentence so far."""
        pooling, precise = self.head.pooling, state.double()
        kept = precise if self.kept is None else self.kept
        if isinstance(pooling, AttentionPooling):
            return self._attended(precise, float(pooling.score(state)))
        if isinstance(pooling, MeanPooling):
            self.kept = kept + precise if self.length > 1 else kept
            return self.kept / self.length
        self.kept = torch.maximum(kept, precise) if isinstance(pooling, MaxPooling) else precise
        return self.kept

    def _attended(self, state: Float[Tensor, " hidden"], score: float) -> Float[Tensor, " hidden"]:
        """Return the weighted average of the states so far.

        Weights are exp(score - top), 1 at the highest score: exp(score) itself would overflow. When a new score is the
        highest, what was summed so far shrinks by exp(old top - new top).
        """
        top = max(self.top, score)
        shrink, weight = math.exp(self.top - top), math.exp(score - top)
        self.kept = weight * state + (0 if self.kept is None else shrink * self.kept)
        self.weight, self.top = shrink * self.weight + weight, top
        self.scores.append(score)
        return self.kept / self.weight
