"""Scores of layers without spans: a tag a token (parts of speech), or a label a sentence (sentiment, intent).

Each is counted from pairs of gold and predicted values. A value that stands on one side only is a class like any
other, with rates of 0.0. Entities are the business of `entities.py`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import fmean

from tagger.metrics.calibration import calibration_error
from tagger.metrics.rates import ClassScore, check_aligned, ratio

Pairs = Counter[tuple[str, str]]  # how often a gold value (first) was predicted as a value (second)


@dataclass(frozen=True, slots=True)
class TagScores:
    """How well predicted tags agree with gold ones.

    Args:
        accuracy: Share of tokens with the right tag, from 0 to 1.
        sentence_accuracy: Share of sentences in which every tag is right, from 0 to 1.
        tokens: Tokens scored.
        sentences: Sentences scored.
        tags: The score of each tag that stands in gold or prediction, by name.
        calibration_error: How far the probabilities of predicted tags are from how often they are right, from 0 to 1;
            None where the predictions have none.
    """

    accuracy: float
    sentence_accuracy: float
    tokens: int
    sentences: int
    tags: Mapping[str, ClassScore]
    calibration_error: float | None = None

    @property
    def headline(self) -> float:
        """The token accuracy, from 0 to 1."""
        return self.accuracy

    def to_dict(self) -> dict[str, object]:
        """The scores as JSON has them."""
        return {
            "accuracy": self.accuracy,
            "sentence_accuracy": self.sentence_accuracy,
            "tokens": self.tokens,
            "sentences": self.sentences,
            "tags": {name: score.to_dict() for name, score in self.tags.items()},
            "calibration_error": self.calibration_error,
        }


@dataclass(frozen=True, slots=True)
class LabelScores:
    """How well predicted labels agree with gold ones.

    Args:
        accuracy: Share of sentences with the right label, from 0 to 1.
        macro_f1: The plain mean of F1 over the classes that stand in gold or prediction, from 0 to 1.
        sentences: Sentences scored.
        classes: The score of each of these classes, by name.
        confusion: How often a gold class (first key) was predicted as a class (second key); pairs that never occur
            are left out.
        calibration_error: How far the probabilities are from how often they are right, from 0 to 1; None where the
            predictions have none.
    """

    accuracy: float
    macro_f1: float
    sentences: int
    classes: Mapping[str, ClassScore]
    confusion: Mapping[str, Mapping[str, int]]
    calibration_error: float | None = None

    @property
    def headline(self) -> float:
        """The accuracy, from 0 to 1."""
        return self.accuracy

    def to_dict(self) -> dict[str, object]:
        """The scores as JSON has them."""
        return {
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "sentences": self.sentences,
            "classes": {name: score.to_dict() for name, score in self.classes.items()},
            "confusion": {name: dict(counts) for name, counts in self.confusion.items()},
            "calibration_error": self.calibration_error,
        }


def score_tags(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> TagScores:
    """The scores of predicted tags against gold ones, sentence by sentence.

    Raises:
        ValueError: Gold and predicted differ in length.
    """
    check_aligned(gold, predicted)
    pairs = Pairs(zip(chain.from_iterable(gold), chain.from_iterable(predicted), strict=True))
    right = sum(list(left) == list(right) for left, right in zip(gold, predicted, strict=True))
    return TagScores(_accuracy(pairs), ratio(right, len(gold)), pairs.total(), len(gold), _class_scores(pairs))


def score_labels(
    gold: Sequence[str], predicted: Sequence[str], confidences: Sequence[float] | None = None
) -> LabelScores:
    """The scores of one predicted label a sentence against the gold one.

    Args:
        gold: The gold labels.
        predicted: The predicted labels.
        confidences: The probability of each predicted label, where there is one.

    Raises:
        ValueError: Gold, predicted or confidences differ in length.
    """
    if len(gold) != len(predicted):
        raise ValueError(f"gold and predicted must have as many labels, got {len(gold)} and {len(predicted)}")
    pairs = Pairs(zip(gold, predicted, strict=True))
    classes = _class_scores(pairs)
    macro_f1 = fmean(score.f1 for score in classes.values()) if classes else 0.0
    correct = [left == right for left, right in zip(gold, predicted, strict=True)]
    error = None if confidences is None else calibration_error(confidences, correct)
    return LabelScores(_accuracy(pairs), macro_f1, len(gold), classes, _confusion(pairs), error)


def _accuracy(pairs: Pairs) -> float:
    return ratio(sum(count for (gold, predicted), count in pairs.items() if gold == predicted), pairs.total())


def _class_scores(pairs: Pairs) -> dict[str, ClassScore]:
    """The score of each class that stands on either side, by name in order."""
    in_gold: Counter[str] = Counter()
    in_predicted: Counter[str] = Counter()
    for (gold, predicted), count in pairs.items():
        in_gold[gold] += count
        in_predicted[predicted] += count
    return {
        name: ClassScore.from_counts(correct=pairs[name, name], predicted=in_predicted[name], gold=in_gold[name])
        for name in sorted(in_gold | in_predicted)
    }


def _confusion(pairs: Pairs) -> dict[str, dict[str, int]]:
    confusion: dict[str, dict[str, int]] = {}
    for (gold, predicted), count in sorted(pairs.items()):
        confusion.setdefault(gold, {})[predicted] = count
    return confusion
