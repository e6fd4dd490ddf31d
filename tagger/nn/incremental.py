"""What encoder and heads say of a sentence after each of its tokens, in steps that cost the same wherever they stand.

Each class carries what the tokens so far leave behind, and is equal to the module that it is made of, run over all
tokens so far. The encoder must read in one direction. Modules are in evaluation mode.
"""

import math
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tagger.nn.encoder import RecurrentEncoder
from tagger.nn.heads import SentenceHead, SentenceOutput, TokensHead
from tagger.nn.pooling import AttentionPooling, MaxPooling, MeanPooling


class RunningEncoder:
    """The state of each token, from the memory of each layer after the tokens before it.

    Raises:
        ValueError: The encoder reads in both directions.
    """

    def __init__(self, encoder: RecurrentEncoder) -> None:
        if any(layer.bidirectional for layer in encoder.layers):
            raise ValueError("encoder must read in one direction: a backward state is not known before the end")
        self.encoder = encoder
        self.memory: list[Any] = [None for _ in encoder.layers]

    def feed(self, vector: Float[Tensor, " input"]) -> Float[Tensor, " hidden"]:
        """The state of the next token."""
        state = vector.to(self.encoder.dtype).view(1, 1, -1)
        for i, layer in enumerate(self.encoder.layers):
            state, self.memory[i] = layer(state, self.memory[i])
        return state.view(-1).to(vector.dtype)


class RunningTags:
    """The last tag of the best sequence of all tokens so far, and its probability.

    Kept are, for each tag, the score of the best sequence that ends in it and of all of them together; in float64, and
    less the highest of them at each token.

    Source:
        Viterbi (1967), and the forward recursion of Rabiner (1989). Compared with the head in tests/nn/test_incremental.py.
    """

    def __init__(self, head: TokensHead) -> None:
        self.head = head
        self.scores = head.crf.scores(torch.double)
        self.best: Tensor | None = None  # (tags,)
        self.total: Tensor | None = None  # (tags,)

    def feed(self, state: Float[Tensor, " hidden"]) -> tuple[int, float, Int[Tensor, " tags"] | None]:
        """The tag that the sequence would end in, its probability, and the best tag before each tag.

        Before the first token there is no tag.
        """
        emissions = self.head.linear(state).double()  # (tags,)
        start, transitions, end = self.scores
        if self.best is None or self.total is None:
            origins, best, total = None, start, start
        else:
            best, origins = (self.best.unsqueeze(1) + transitions).max(0)
            total = (self.total.unsqueeze(1) + transitions).logsumexp(0)
        self.best, self.total = _from_zero(best + emissions), _from_zero(total + emissions)
        tag_id = int((self.best + end).argmax())
        logits = self.total + end if self.head.decoder == "crf" else emissions
        return tag_id, float(logits.softmax(0)[tag_id]), origins


def _from_zero(scores: Float[Tensor, " tags"]) -> Float[Tensor, " tags"]:
    """The scores less the highest of them."""
    return scores - scores.max()


class RunningClass:
    """The classes of all tokens so far.

    Kept is the sum, the greatest values or the weighted sum of their states, and with attention the score of each,
    for all weights change with every token that comes.

    Source:
        Milakov and Gimelshein (2018) for the softmax of what is still growing.
        Compared with the head in tests/nn/test_incremental.py.
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
        weights = (torch.tensor(self.scores, dtype=torch.double) - self.top).exp() / self.weight
        return SentenceOutput(output.probabilities, weights.to(state).unsqueeze(0))

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
