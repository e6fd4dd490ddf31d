"""Heads: from token states to a tag for each token, one class for the sentence, or numbers."""

import math
from abc import ABC, abstractmethod
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from tagger.nn.chain.lattice import Lattice, Scores, rows_of
from tagger.nn.chain.likelihood import path_score
from tagger.nn.crf import LinearChainCRF
from tagger.nn.dropout import Dropout
from tagger.nn.pooling import AttentionPooling, LastPooling, MaxPooling, MeanPooling
from tagger.nn.spans import Spans, SpanTables, find_spans, span_probabilities

NEVER = -1e4  # score of a tag that is left out; not infinite, because a share of 0 times infinity is no number
Decoder = Literal["crf", "softmax"]
Pooling = Literal["attention", "last", "mean", "max"]


class HeadNetwork(nn.Module, ABC):
    """The network of a head of any kind.

    Attributes:
        temperature: Divisor of the class scores before the softmax, in heads whose calibration changes no weights.
    """

    temperature = 1.0

    @abstractmethod
    def loss(
        self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"], targets: Tensor, /
    ) -> Float[Tensor, ""]:
        """Return the loss against the targets: ids of labels, or probabilities of a teacher."""

    def count(self, mask: Bool[Tensor, "batch tokens"], targets: Tensor) -> Float[Tensor, ""] | Int[Tensor, ""]:
        """Return what `loss` divides a sum by, so that losses of parts of a batch can be put together."""
        return mask.any(1).sum()

    @abstractmethod
    def forward(
        self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"], *, n_best: int = 0
    ) -> Any:
        """Return the output, a named tuple of tensors, with the `n_best` readings of heads that have readings."""

    def marginals(
        self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"]
    ) -> Float[Tensor, "batch tokens tags"] | None:
        """Return the probability of each tag at each token; None for a head without tags."""
        return None

    def have_targets(self, targets: Tensor) -> Bool[Tensor, " batch"]:
        """Return which sentences of a batch have something to learn from."""
        if targets.dtype == torch.bool or targets.is_floating_point():  # possible tags, or probabilities
            return targets.flatten(1).any(1)
        return (targets[:, 0] if targets.dim() == 2 else targets) >= 0


class TokensOutput(NamedTuple):
    """The best tags of each sentence, with probabilities of tags, sequences and spans.

    Args:
        tag_ids: The most probable sequence; 0 at padding.
        probabilities: Of each tag at its token, summed over all sequences; 0 at padding.
        sequences: Probability of each whole sequence.
        spans: The spans that the tags form; None if the tags have no spans.
        span_probabilities: Of each span with exactly its type and boundaries, summed over all sequences.
        readings: The n most probable sequences, if requested; 0 at padding.
        reading_probabilities: Of each of them; 0 where a sentence has fewer.
    """

    tag_ids: Int[Tensor, "batch tokens"]
    probabilities: Float[Tensor, "batch tokens"]
    sequences: Float[Tensor, " batch"]
    spans: Spans | None
    span_probabilities: Float[Tensor, " spans"] | None
    readings: Int[Tensor, "batch n tokens"] | None = None
    reading_probabilities: Float[Tensor, "batch n"] | None = None


class SentenceOutput(NamedTuple):
    """The probability of each class, and the attention weight of each token if the pooling has one."""

    probabilities: Float[Tensor, "batch classes"]
    attention: Float[Tensor, "batch tokens"] | None


class ValuesOutput(NamedTuple):
    """Numbers, each with the ends of its interval: one per token (0 at padding), or those of the sentence."""

    values: Float[Tensor, "batch numbers"]
    low: Float[Tensor, "batch numbers"]
    high: Float[Tensor, "batch numbers"]


class TokensHead(HeadNetwork):
    """A tag for each token, from a CRF over the sentence or from a softmax at each token.

    Args:
        input_size: Width of a token's state.
        num_tags: Number of tags.
        decoder: `crf` or `softmax`. With constraints, a softmax decodes the most probable allowed sequence; its
            probabilities remain those of independent tokens.
        allowed: Which tag may follow which, `[from][to]`; default: every tag may follow every tag.
        allowed_start: Which tags a sentence may begin with; default: all.
        allowed_end: Which tags a sentence may end with; default: all.
        tables: How tags form spans; default: they form none.
    """

    def __init__(
        self,
        *,
        input_size: int,
        num_tags: int,
        decoder: Decoder = "crf",
        allowed: list[list[bool]] | None = None,
        allowed_start: list[bool] | None = None,
        allowed_end: list[bool] | None = None,
        tables: SpanTables | None = None,
    ) -> None:
        super().__init__()
        self.decoder = decoder
        self.linear = nn.Linear(input_size, num_tags)
        self.crf = LinearChainCRF(num_tags, allowed=allowed, allowed_start=allowed_start, allowed_end=allowed_end)
        if decoder == "softmax":  # scores of 0 make the CRF decode what the softmax and the constraints say
            for parameter in self.crf.parameters():
                nn.init.zeros_(parameter).requires_grad_(False)
        self.num_tables = 0 if tables is None else len(tables)
        for i, table in enumerate(tables or ()):
            self.register_buffer(f"table{i}", table, persistent=False)

    @property
    def tables(self) -> SpanTables | None:
        """How tags form spans, on the device of the parameters; None if they form none."""
        return SpanTables(*(getattr(self, f"table{i}") for i in range(self.num_tables))) if self.num_tables else None

    def loss(
        self,
        states: Float[Tensor, "batch tokens hidden"],
        mask: Bool[Tensor, "batch tokens"],
        tag_ids: Int[Tensor, "batch tokens"] | Bool[Tensor, "batch tokens tags"] | Float[Tensor, "batch tokens tags"],
    ) -> Float[Tensor, ""]:
        """Return the negative log-likelihood of the tags, in nats per token.

        If `tag_ids` says which tags each token may have, it is that of all sequences that agree with it. If they are
        probabilities of the tags, it is the cross entropy between them and the probabilities of the head at each token.
        A negative value is that of a tag that the token does not have here: the others have the probabilities that they
        have if it is none of them.
        """
        emissions = self.linear(states)
        if tag_ids.is_floating_point():
            emissions = emissions.masked_fill(tag_ids < 0, NEVER)
            return -self._shared(emissions, tag_ids.clamp(min=0), mask) / mask.sum()
        if self.decoder == "softmax":
            scores = emissions[mask].float()
            if tag_ids.dtype != torch.bool:
                return F.cross_entropy(scores, tag_ids[mask])
            possible = scores.log_softmax(1).masked_fill(~tag_ids[mask], -torch.inf).logsumexp(1)  # (tokens,)
            loss: Tensor = -possible.mean()
            return loss
        return -self.crf.log_likelihood(emissions, tag_ids, mask).sum() / mask.sum()

    def count(self, mask: Bool[Tensor, "batch tokens"], targets: Tensor) -> Int[Tensor, ""]:
        """Return the number of tokens."""
        return mask.sum()

    def _shared(self, emissions: Tensor, shares: Tensor, mask: Tensor) -> Tensor:
        """Return the log-probability of each tag at its token, summed over all tokens and tags with their shares."""
        if self.decoder == "crf":
            return self.crf.token_log_likelihood(emissions, shares, mask).sum()
        return (shares[mask] * emissions[mask].float().log_softmax(1)).sum()

    @torch.no_grad()
    def forward(
        self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"], *, n_best: int = 0
    ) -> TokensOutput:
        """Return the best tags and their probabilities, and the `n_best` readings of each sentence if requested."""
        emissions = self.linear(states).float()
        rows = rows_of(mask.sum(1), mask.shape[1])
        tag_ids = self.crf.best_path(emissions, mask)
        lattice, scores = self._posterior(emissions, mask)

        def sequence_probabilities(path: Tensor) -> Tensor:
            return (path_score(emissions, rows, scores, path) - lattice.log_partition).exp().float()

        probabilities = lattice.marginals.gather(2, tag_ids.unsqueeze(2)).squeeze(2)
        spans = span_scores = readings = reading_scores = None
        if self.tables is not None:
            spans = find_spans(tag_ids, rows.lengths, self.tables)
            span_scores = span_probabilities(lattice, scores.transitions, rows.lengths, spans, self.tables)
        if n_best:
            readings, found = self.crf.n_best_paths(emissions, mask, n=n_best)
            each = torch.stack([sequence_probabilities(path) for path in readings.unbind(1)], 1)
            reading_scores = each.masked_fill(found == 0, 0)
        sequences = sequence_probabilities(tag_ids)
        return TokensOutput(tag_ids, probabilities, sequences, spans, span_scores, readings, reading_scores)

    @torch.no_grad()
    def marginals(
        self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"]
    ) -> Float[Tensor, "batch tokens tags"]:
        """Return the probability of each tag at each token, summed over all sequences; 0 at padding."""
        return self._posterior(self.linear(states).float(), mask)[0].marginals

    def _posterior(
        self, emissions: Float[Tensor, "batch tokens tags"], mask: Bool[Tensor, "batch tokens"]
    ) -> tuple[Lattice, Scores]:
        """Return the lattice of each sentence, and the start, transition and end scores that it was computed with."""
        if self.decoder == "crf":
            return self.crf.posterior(emissions, mask), self.crf.scores()
        free = self.crf.start_transitions, self.crf.transitions, self.crf.end_transitions  # all 0
        return _independent(emissions, mask), Scores(*free)


def _independent(emissions: Float[Tensor, "batch tokens tags"], mask: Bool[Tensor, "batch tokens"]) -> Lattice:
    """Return the lattice of independent tokens: a softmax at each.

    Without transitions, beta is 1 at every token, so `leaving` is 0 and `entering` the log-probability of each tag.
    """
    logs = emissions.log_softmax(2)
    partition = emissions.logsumexp(2).masked_fill(~mask, 0).sum(1, dtype=torch.double)
    marginals = logs.exp().masked_fill(~mask.unsqueeze(2), 0)
    return Lattice(partition, marginals, emissions.new_zeros(len(mask)), torch.zeros_like(logs), logs)


class SentenceHead(HeadNetwork):
    """A class for the sentence: pooling, then a network of one hidden layer.

    Args:
        input_size: Width of a token's state.
        num_classes: Number of classes.
        forward_size: Number of features of a state that belong to the forward direction, for `last` pooling.
        pooling: How to combine token states into one vector.
        hidden_size: Width of the hidden layer.
        dropout: Probability with which a feature is dropped before each of the two layers.
        label_smoothing: Share of the gold class's probability that the loss spreads over all classes.

    Attributes:
        class_weights: Weight of each class in the loss; None: all equal.
    """

    def __init__(
        self,
        *,
        input_size: int,
        num_classes: int,
        forward_size: int,
        pooling: Pooling = "attention",
        hidden_size: int = 64,
        dropout: float = 0.5,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.class_weights: Tensor | None
        self.register_buffer("class_weights", None, persistent=False)
        self.pooling = _pooling(pooling, input_size=input_size, forward_size=forward_size)
        self.classify = nn.Sequential(
            Dropout(dropout),
            nn.Linear(input_size, hidden_size),
            nn.ReLU(),
            Dropout(dropout),
            nn.Linear(hidden_size, num_classes),
        )

    def loss(
        self,
        states: Float[Tensor, "batch tokens hidden"],
        mask: Bool[Tensor, "batch tokens"],
        classes: Int[Tensor, " batch"] | Float[Tensor, "batch classes"],
    ) -> Float[Tensor, ""]:
        """Return the negative log-likelihood of the classes, in nats per sentence; with class weights, a weighted mean.

        If `classes` are probabilities of the classes, it is the cross entropy with them, weighted in the same way and
        without label smoothing. A negative value is that of a class that cannot be told from these: the others have the
        probabilities that they have if it is none of them.

        Source:
            Szegedy et al. (2016), section 7, for label smoothing.
            Both compared with their formulas in tests/nn/test_heads.py.
        """
        scores = self.classify(self.pooling(states, mask).vector).float()
        if not classes.is_floating_point():
            return F.cross_entropy(scores, classes, self.class_weights, label_smoothing=self.label_smoothing)
        scores = scores.masked_fill(classes < 0, torch.finfo(scores.dtype).min)
        classes = classes.clamp(min=0)
        if self.class_weights is None:
            return F.cross_entropy(scores, classes)
        weighted = classes * self.class_weights  # torch would divide by the number of sentences, not by the weights
        return F.cross_entropy(scores, weighted, reduction="sum") / weighted.sum()

    def count(self, mask: Bool[Tensor, "batch tokens"], targets: Tensor) -> Float[Tensor, ""] | Int[Tensor, ""]:
        """Return the number of sentences, or the sum of the weights of their classes."""
        if self.class_weights is None:
            return mask.any(1).sum()
        if targets.is_floating_point():
            return (targets.clamp(min=0) * self.class_weights).sum()
        return self.class_weights[targets].sum()

    def forward(
        self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"], *, n_best: int = 0
    ) -> SentenceOutput:
        """Return the probability of each class, and the attention if there is one; a class has no readings."""
        vector, attention = self.pooling(states, mask)
        return SentenceOutput((self.classify(vector).float() / self.temperature).softmax(1), attention)


def _pooling(kind: Pooling, *, input_size: int, forward_size: int) -> nn.Module:
    """Return a pooling with fresh weights."""
    match kind:
        case "attention":
            return AttentionPooling(hidden_size=input_size)
        case "last":
            return LastPooling(forward_size=forward_size)
        case "mean":
            return MeanPooling()
        case "max":
            return MaxPooling()


class ValuesHead(HeadNetwork):
    """Numbers for each token or for the sentence, each with an interval: a linear layer.

    The layer learns numbers minus `mean`, divided by `deviation`. With a quantile loss it learns three for each: the
    median and both ends of the interval; otherwise the ends are the number itself. `margin` moves both ends outwards.

    Args:
        input_size: Width of a token's state.
        num_values: How many numbers a sentence has; 1 for numbers of tokens.
        forward_size: Number of features of a state that belong to the forward direction, for `last` pooling.
        pooling: How to combine token states into one vector; None for numbers of tokens.
        level: The share of numbers that the interval is to contain, for the quantile loss; None for the squared error.

    Attributes:
        mean: Mean of each number in train.
        deviation: Standard deviation of each number in train; 0 until it is known.
        margin: What calibration adds to both ends, in units of `deviation`.
    """

    mean: Tensor
    deviation: Tensor
    margin: Tensor
    quantiles: Tensor

    def __init__(
        self,
        *,
        input_size: int,
        num_values: int,
        forward_size: int,
        pooling: Pooling | None = None,
        level: float | None = None,
    ) -> None:
        super().__init__()
        self.pooling = None if pooling is None else _pooling(pooling, input_size=input_size, forward_size=forward_size)
        quantiles = [0.5] if level is None else [(1 - level) / 2, 0.5, (1 + level) / 2]
        self.linear = nn.Linear(input_size, num_values * len(quantiles))
        self.register_buffer("quantiles", torch.tensor(quantiles), persistent=False)
        for name in ("mean", "deviation", "margin"):
            self.register_buffer(name, torch.zeros(num_values))

    def standardised(
        self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"]
    ) -> Float[Tensor, "batch numbers quantiles"]:
        """Return what the linear layer says of each number."""
        vectors = states if self.pooling is None else self.pooling(states, mask).vector
        return self.linear(vectors).float().view(len(states), -1, len(self.quantiles))

    def loss(
        self,
        states: Float[Tensor, "batch tokens hidden"],
        mask: Bool[Tensor, "batch tokens"],
        targets: Float[Tensor, "batch numbers"],
    ) -> Float[Tensor, ""]:
        """Return the mean squared error or the mean quantile loss of the known numbers, in units of `deviation`.

        Source:
            Koenker and Bassett (1978), "Regression Quantiles", for the quantile loss.
            Compared with its formula in tests/nn/test_values_head.py.
        """
        known = ~targets.isnan()
        found = self.standardised(states, mask)[known]  # (known, quantiles)
        wanted = ((targets - self.mean) / self.deviation)[known].unsqueeze(1)
        if len(self.quantiles) == 1:
            loss: Tensor = F.mse_loss(found, wanted)
            return loss
        above = wanted - found
        return torch.maximum(self.quantiles * above, (self.quantiles - 1) * above).mean()

    def count(self, mask: Bool[Tensor, "batch tokens"], targets: Tensor) -> Int[Tensor, ""]:
        """Return how many numbers are known."""
        return (~targets.isnan()).sum()

    def have_targets(self, targets: Tensor) -> Bool[Tensor, " batch"]:
        """Return which sentences of a batch have a known number."""
        if not targets.is_floating_point():  # no sentence has the layer
            return super().have_targets(targets)
        return (~targets.isnan()).any(1)

    def forward(
        self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"], *, n_best: int = 0
    ) -> ValuesOutput:
        """Return the numbers with their intervals; a number has no readings."""
        found = self.standardised(states, mask)
        middle = found[:, :, found.shape[2] // 2]
        low = torch.minimum(torch.minimum(found[:, :, 0], middle) - self.margin, middle)
        high = torch.maximum(torch.maximum(found[:, :, -1], middle) + self.margin, middle)
        parts = [part * self.deviation + self.mean for part in (middle, low, high)]
        return ValuesOutput(*(part if self.pooling is not None else part.masked_fill(~mask, 0) for part in parts))

    @torch.no_grad()
    def calibrate(self, excess: Float[Tensor, "dev numbers"], level: float) -> None:
        """Set the margin so that new numbers lie in their intervals with a probability of `level`.

        Args:
            excess: How far each dev number is outside of its interval without a margin, in units of `deviation`;
                negative inside, NaN where it is unknown.
            level: The probability.

        Source:
            Romano, Patterson and Candes (2019), "Conformalized Quantile Regression", section 4; with the ends at the
            number itself, split conformal prediction. Coverage checked in tests/nn/test_values_head.py.
        """
        for i, column in enumerate(excess.unbind(1)):
            known = column[~column.isnan()].sort().values
            rank = math.ceil((len(known) + 1) * level)
            if rank > len(known):
                raise ValueError(f"number {i + 1} must be known in at least {fewest(level)} cases, got {len(known)}")
            self.margin[i] = known[rank - 1]


def fewest(level: float) -> int:
    """Return the smallest number of dev numbers from which intervals of a level can be calibrated."""
    return math.ceil(level / (1 - level) - 1e-9)
