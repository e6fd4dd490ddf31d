"""What turns token states into labels: a tag for each token, or one class for the sentence."""

from typing import Literal, NamedTuple

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from tagger.nn.crf import LinearChainCRF, viterbi
from tagger.nn.pooling import AttentionPooling, LastPooling, MaxPooling, MeanPooling

Decoder = Literal["crf", "softmax"]
Pooling = Literal["attention", "last", "mean", "max"]


class TokensOutput(NamedTuple):
    """The tag of each token, and its probability given the sentence."""

    tag_ids: Int[Tensor, "batch tokens"]
    probabilities: Float[Tensor, "batch tokens"]


class SentenceOutput(NamedTuple):
    """The probability of each class, and the weight of each token where the pooling has one."""

    probabilities: Float[Tensor, "batch classes"]
    attention: Float[Tensor, "batch tokens"] | None


class TokensHead(nn.Module):
    """A tag for each token, by a CRF over the sentence or by a softmax at each token.

    Args:
        input_size: Width of a token's state.
        num_tags: Number of tags.
        decoder: `crf` or `softmax`. A softmax with tables decodes the most probable sequence that they allow.
        allowed: Which tag may follow which, `[from][to]`; all if left out.
        allowed_start: Which tags may come first.
        allowed_end: Which tags may come last.
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
    ) -> None:
        super().__init__()
        self.decoder = decoder
        self.linear = nn.Linear(input_size, num_tags)
        self.crf = LinearChainCRF(num_tags, allowed=allowed, allowed_start=allowed_start, allowed_end=allowed_end)
        if decoder == "softmax":
            for parameter in self.crf.parameters():
                nn.init.zeros_(parameter).requires_grad_(False)
        self.constrained = allowed is not None

    def loss(
        self,
        states: Float[Tensor, "batch tokens hidden"],
        mask: Bool[Tensor, "batch tokens"],
        tag_ids: Int[Tensor, "batch tokens"],
    ) -> Float[Tensor, ""]:
        """Negative log-likelihood of the tags, in nats a token."""
        emissions = self.linear(states)
        if self.decoder == "softmax":
            return F.cross_entropy(emissions[mask].float(), tag_ids[mask])
        return -self.crf.log_likelihood(emissions, tag_ids, mask).sum() / mask.sum()

    def forward(self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"]) -> TokensOutput:
        """The best tags and the probability of each: the CRF's marginal, or the softmax."""
        emissions = self.linear(states).float()
        if self.decoder == "crf":
            tag_ids = self.crf.best_path(emissions, mask)
            probabilities = self.crf.marginals(emissions, mask)
        else:
            constrained = self.constrained
            tag_ids = viterbi(emissions, mask.sum(1), *self.crf.scores()) if constrained else emissions.argmax(2)
            probabilities = emissions.softmax(2)
        return TokensOutput(tag_ids, probabilities.gather(2, tag_ids.unsqueeze(2)).squeeze(2))


class SentenceHead(nn.Module):
    """A class for the sentence: pooling, then a network of one hidden layer.

    Args:
        input_size: Width of a token's state.
        num_classes: Number of classes.
        forward_size: Features of a state that belong to the forward direction, for the last-state pooling.
        pooling: How token states become one vector.
        hidden_size: Width of the hidden layer.
        dropout: Probability with which a feature is dropped before each of the two layers.
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
    ) -> None:
        super().__init__()
        poolings: dict[str, nn.Module] = {
            "attention": AttentionPooling(hidden_size=input_size),
            "last": LastPooling(forward_size=forward_size),
            "mean": MeanPooling(),
            "max": MaxPooling(),
        }
        self.pooling = poolings[pooling]
        self.classify = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(input_size, hidden_size),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_size, num_classes),
        )

    def loss(
        self,
        states: Float[Tensor, "batch tokens hidden"],
        mask: Bool[Tensor, "batch tokens"],
        class_ids: Int[Tensor, " batch"],
    ) -> Float[Tensor, ""]:
        """Negative log-likelihood of the classes, in nats a sentence."""
        return F.cross_entropy(self.classify(self.pooling(states, mask).vector).float(), class_ids)

    def forward(
        self, states: Float[Tensor, "batch tokens hidden"], mask: Bool[Tensor, "batch tokens"]
    ) -> SentenceOutput:
        """The probability of each class, and the attention if there is one."""
        vector, attention = self.pooling(states, mask)
        return SentenceOutput(self.classify(vector).float().softmax(1), attention)
