"""How a character language model is trained, and what is known after each round of its training."""

import math
from dataclasses import dataclass

from tagger.wording import counted

WARMUP = 0.05  # share of the training during which the learning rate rises from zero


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a model is trained. The defaults had the lowest perplexity after some minutes on one core of those tried.

    Args:
        hidden_size: Width of a state in each direction.
        dimension: Width of a character's vector.
        dropout: Probability with which a feature of a state is dropped before the prediction.
        batch_size: Number of parts of the text that are read side by side.
        window: Number of characters through which the loss of a step is propagated back. States go on beyond.
        learning_rate: Highest learning rate, which falls to zero along half a cosine.
        epochs: Number of passes over the text; None if `minutes` ends the training.
        minutes: Time to train; None if `epochs` ends the training.
        seed: Determines weights, dropout, and where each pass starts.
    """

    hidden_size: int = 256
    dimension: int = 64
    dropout: float = 0.25
    batch_size: int = 16
    window: int = 125
    learning_rate: float = 0.008
    epochs: int | None = 10
    minutes: float | None = None
    seed: int = 1

    @property
    def length(self) -> str:
        """When the training ends, in words."""
        return counted(self.epochs or 1, "epoch") if self.minutes is None else f"{self.minutes:g} minutes"

    def rate_at(self, done: float) -> float:
        """Return the learning rate when a share of the training is done."""
        return self.learning_rate * min(1.0, done / WARMUP) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One line of `log.jsonl`: a part of the training after which the model was scored.

    Args:
        round: Its number, from 1.
        epochs: Passes over the text so far.
        perplexity: Of a character in training, over both directions.
        dev_rightward: Perplexity of a held-out character given those on its left.
        dev_leftward: Perplexity of a held-out character given those on its right.
        dev_perplexity: The same over both directions: the exponential of their mean loss.
        dev_bits: Bits per held-out character, over both directions.
        best: Whether it is the lowest so far.
        learning_rate: Learning rate of the last step.
        characters_per_second: Characters of the text read per second, each in both directions.
        seconds: Time since the training started, without interruptions.
    """

    round: int
    epochs: float
    perplexity: float
    dev_rightward: float
    dev_leftward: float
    dev_perplexity: float
    dev_bits: float
    best: bool
    learning_rate: float
    characters_per_second: float
    seconds: float


class Listener:
    """Receives the events of a training; this base class ignores them."""

    def noted(self, message: str) -> None:
        """Take a note on what was found or done."""

    def stepped(self, done: float, epochs: float, perplexity: float, characters_per_second: float) -> None:
        """Take what is done: the share of the training, passes, and the perplexity and speed of this round."""

    def scored(self, last: Round, done: float) -> None:
        """Take the scores of a round, and the share of the training that is done."""
