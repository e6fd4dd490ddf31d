"""What encoder and heads say of a sentence after each of its tokens, in steps that cost the same wherever they stand.

Each class carries what the tokens so far leave behind, and is equal to the module that it is made of, run over all
tokens so far. The encoder must read in one direction. Modules are in evaluation mode.
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
    """The state of each token, from the memory of each layer after the tokens before it.

    Raises:
        ValueError: The encoder reads in both directions.
    """

    def __init__(self, encoder: RecurrentEncoder) -> None:
        if any(layer.bidirectional for layer in encoder.layers):
            raise ValueError("encoder must read in one direction: a backward state is not known before the end")
        self.encoder = encoder
        self.memory: list[Memory] = [_empty(layer) for layer in encoder.layers]

    def feed(self, vector: Float[Tensor, " input"]) -> Float[Tensor, " hidden"]:
        """The state of the next token."""
        state = vector.to(self.encoder.dtype).unsqueeze(0)  # (1, input)
        for i, layer in enumerate(self.encoder.layers):
            self.memory[i] = _step(layer, state, self.memory[i])
            state = self.memory[i][0]
        return state.squeeze(0).to(vector.dtype)


def _empty(layer: Recurrence) -> Memory:
    """The memory of a layer before the first token: its state, and an LSTM's cell."""
    zeros = next(layer.parameters()).new_zeros(1, layer.hidden_size)
    return (zeros, zeros) if isinstance(layer, nn.LSTM) else (zeros,)


def _step(layer: Recurrence, vector: Float[Tensor, "1 input"], memory: Memory) -> Memory:
    """The memory after one more token.

    By the functions of torch's cells: the kernel of whole sentences shares its work out among threads, which for one
    token costs more than the work.
    """
    weights = [getattr(layer, f"{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    if isinstance(layer, nn.LSTM):
        return torch.lstm_cell(vector, memory, *weights)
    return ((torch.gru_cell if isinstance(layer, nn.GRU) else torch.rnn_tanh_cell)(vector, memory[0], *weights),)


class RunningTags:
    """The last tag of the best sequence of all tokens so far, and its probability.

    Kept are, for each tag, the score of the best sequence that ends in it and of all of them together, less the highest
    of them at each token. They are numpy's, in float64: there are few of them, and torch would share their sums out
    among threads.

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
        """The tag that the sequence would end in, its probability, and the best tag before each tag.

        Before the first token there is no tag.
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
    """The scores less the highest of them."""
    less: Vector = scores - scores.max()
    return less


def _log_sum(scores: Vector) -> Vector:
    """Log of the sum of the exponentiated scores along the first axis; minus infinity where none can be."""
    peaks = scores.max(0).clip(min=-1e300)
    with np.errstate(divide="ignore"):
        total: Vector = peaks + np.log(np.exp(scores - peaks).sum(0))
    return total


class RunningClass:
    """The classes of all tokens so far.

    Kept is the sum, the greatest values or the weighted sum of their states, and with attention the score of each,
    for all weights change with every token that comes.

    Source:
        Milakov and Gimelshein (2018) for the softmax of what is still growing.
        Compared with the head in tests/inference/test_incremental.py.
    """

    def __init__(self, head: SentenceHead) -> None:
        self.head = head
        self.length = 0
        self.kept: Tensor | None = None  # (hidden,)
        self.weight, self.top = 0.0, -math.inf
        self.scores: list[float] = []

    def feed(self, state: Float[Tensor, " hidden"]) -> SentenceOutput:
        """The probability of each class, and the attention if there is one; of a batch of one sentence."""
        self.length += 1
        vector = self._pooled(state).to(state.dtype).view(1, 1, -1)
        output: SentenceOutput = self.head(vector, torch.ones(1, 1, dtype=torch.bool, device=state.device))
        if not self.scores:  # else what is said of one token that has the pooled state holds, but for the attention
            return output
        weights = np.exp(np.array(self.scores) - self.top) / self.weight
        return SentenceOutput(output.probabilities, torch.from_numpy(weights).to(state).unsqueeze(0))

    def _pooled(self, state: Float[Tensor, " hidden"]) -> Float[Tensor, " hidden"]:
        """The state of the sentence so far."""
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
        """The weighted average of the states so far, with weights that are 1 at the highest score."""
        top = max(self.top, score)
        shrink, weight = math.exp(self.top - top), math.exp(score - top)
        self.kept = weight * state + (0 if self.kept is None else shrink * self.kept)
        self.weight, self.top = shrink * self.weight + weight, top
        self.scores.append(score)
        return self.kept / self.weight
