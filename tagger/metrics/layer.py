"""What was compared: the gold and the predicted version of one layer, sentence by sentence.

All scores, intervals, lists of errors and pictures of a layer are computed from one of these objects. `TokenLayer` has
tags without spans, `ClassLayer` one label per sentence, and `EntityLayer` (in `entity_layer.py`) entities.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from tagger.metrics.calibration import calibration_error
from tagger.metrics.classes import LabelScores, TagScores, score_labels, score_tags
from tagger.metrics.resampling import Statistic, accuracy
from tagger.text.gaps import known_of
from tagger.text.sentence import Label, Sentence

Counts = NDArray[Any]  # of numbers


class Scores(Protocol):
    """The scores of one layer."""

    @property
    def headline(self) -> float:
        """The main figure of the layer, from 0 to 1; higher is better."""
        ...

    @property
    def rule(self) -> Mapping[str, str]:
        """What computed the scores, and by which rule."""
        ...

    def to_dict(self) -> dict[str, object]:
        """Return the scores as JSON values."""
        ...

    def lines(self, *, most: int | None = None) -> list[str]:
        """Return the scores as lines of text, the headline first; with at most `most` classes, if given."""
        ...


@dataclass(frozen=True)
class ScoredLayer(ABC):
    """The gold and the predicted version of a layer.

    Args:
        name: The name of the layer.
        gold: The sentences whose gold version has the layer.
        predicted: The same sentences with predicted layers.

    Attributes:
        kind: What the layer has.
        can_be_sure: Whether predictions can have probabilities.
    """

    kind: ClassVar[str]
    can_be_sure: ClassVar[bool] = True

    name: str
    gold: tuple[Sentence, ...]
    predicted: tuple[Sentence, ...]

    def __post_init__(self) -> None:
        if len(self.gold) != len(self.predicted):
            raise ValueError(
                f"gold and predicted must have the same number of sentences, got {len(self.gold)} and "
                f"{len(self.predicted)}"
            )

    @property
    def both(self) -> Iterator[tuple[Sentence, Sentence]]:
        """Each gold sentence with its predicted version."""
        return zip(self.gold, self.predicted, strict=True)

    @property
    @abstractmethod
    def counts(self) -> Counts:
        """What each sentence adds to the headline, of shape (sentences, counts)."""

    @property
    @abstractmethod
    def statistic(self) -> Statistic:
        """The function from sums of `counts` to the headline."""

    @property
    def headline(self) -> float:
        """The main figure of the layer, from 0 to 1, computed fast from `counts`.

        It equals that of `scores`, except for invalid IOB1, which seqeval's strict mode reads in its own way.
        """
        return float(self.statistic(self.counts.sum(0).astype(float)))

    @property
    def hits(self) -> tuple[tuple[float, bool], ...]:
        """The probability of each prediction that counts and whether it is right; nothing if one has none."""
        return ()

    @property
    @abstractmethod
    def scores(self) -> Scores:
        """All scores of the layer."""

    @property
    def rule(self) -> dict[str, str]:
        """What was scored, by what and by which rule; without them a score says nothing."""
        return {"kind": self.kind, **self.scores.rule}


@dataclass(frozen=True)
class TokenLayer(ScoredLayer):
    """A tag layer whose tags have no spans, such as parts of speech."""

    kind: ClassVar[str] = "tags"

    @cached_property
    def pairs(self) -> tuple[tuple[tuple[str, str], ...], ...]:
        """Gold and predicted tag of each token of each sentence whose gold tag is known."""
        found = []
        for wanted, tags in zip(self._gold_tags, self._predicted_tags, strict=True):
            found.append(tuple([(g, p) for g, p in zip(wanted, tags, strict=True) if g is not None]))
        return tuple(found)

    @cached_property
    def counts(self) -> Counts:
        """Number of right tokens and of all tokens of each sentence."""
        return np.array([(sum(g == p for g, p in pairs), len(pairs)) for pairs in self.pairs], np.int64).reshape(-1, 2)

    @property
    def statistic(self) -> Statistic:
        """The share of tokens that are right."""
        return accuracy

    @cached_property
    def hits(self) -> tuple[tuple[float, bool], ...]:
        """The probability of each predicted tag and whether it is right; nothing if one has none."""
        found = []
        for (gold, predicted), wanted, tags in zip(self.both, self._gold_tags, self._predicted_tags, strict=True):
            scores = predicted.tag_scores(self.name)
            if scores is None and len(gold):
                return ()
            found += [(s, g == p) for s, g, p in zip(scores or (), wanted, tags, strict=True) if g is not None]
        return tuple(found)

    @cached_property
    def scores(self) -> TagScores:
        """The scores of tags."""
        return replace(score_tags(self._gold_tags, self._predicted_tags), calibration_error=error_of(self.hits))

    @property
    def _gold_tags(self) -> list[tuple[str | None, ...]]:
        return [sentence.tags(self.name) for sentence in self.gold]

    @property
    def _predicted_tags(self) -> list[list[str]]:
        return [known_of(sentence.tags(self.name)) for sentence in self.predicted]


@dataclass(frozen=True)
class ClassLayer(ScoredLayer):
    """One label per sentence."""

    kind: ClassVar[str] = "labels"

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Gold and predicted label of each sentence."""
        return tuple([(g.label(self.name).value, p.value) for g, p in zip(self.gold, self._found, strict=True)])

    @cached_property
    def counts(self) -> Counts:
        """Whether each sentence is right, and 1."""
        return np.array([(g == p, 1) for g, p in self.pairs], np.int64).reshape(-1, 2)

    @property
    def statistic(self) -> Statistic:
        """The share of sentences that are right."""
        return accuracy

    @cached_property
    def hits(self) -> tuple[tuple[float, bool], ...]:
        """The probability of each predicted label and whether it is right; nothing if one has none."""
        scores = [label.score for label in self._found]
        known = [score for score in scores if score is not None]
        return tuple(zip(known, [g == p for g, p in self.pairs], strict=True)) if len(known) == len(scores) else ()

    @cached_property
    def scores(self) -> LabelScores:
        """The scores of labels."""
        scores = score_labels([gold for gold, _ in self.pairs], [found for _, found in self.pairs])
        return replace(scores, calibration_error=error_of(self.hits))

    @property
    def _found(self) -> list[Label]:
        return [sentence.label(self.name) for sentence in self.predicted]


def error_of(hits: tuple[tuple[float, bool], ...]) -> float | None:
    """Return the calibration error of predictions; None if there are none."""
    return calibration_error([score for score, _ in hits], [right for _, right in hits]) if hits else None
