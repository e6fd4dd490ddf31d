"""Scores of layers without spans: one tag per token (parts of speech) or one label per sentence (sentiment, intent).

All are computed from pairs of gold and predicted values. A value that occurs on one side only is a class like any
other, with rates of 0.0. Entities are scored in `entities.py`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from statistics import fmean

from tagger.metrics.calibration import calibration_error, error_lines
from tagger.metrics.rates import ClassScore, check_aligned, class_lines, ratio, unknown_lines

Pairs = Counter[tuple[str, str]]  # (gold value, predicted value) → number of occurrences


@dataclass(frozen=True, slots=True)
class _Accuracy:
    """What the scores of tags and of labels have in common."""

    accuracy: float

    @property
    def headline(self) -> float:
        """The share of tokens or sentences that are right, from 0 to 1."""
        return self.accuracy

    @property
    def rule(self) -> dict[str, str]:
        """What computed the scores, and by which rule."""
        return {"scorer": "tagger", "rule": "accuracy"}

    def to_dict(self) -> dict[str, object]:
        """Return the scores as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TagScores(_Accuracy):
    """Agreement of predicted tags with gold tags.

    Args:
        accuracy: Share of tokens with the right tag, from 0 to 1.
        sentence_accuracy: Share of sentences in which every tag is right, from 0 to 1.
        tokens: Number of tokens scored.
        sentences: Number of sentences scored.
        tags: The score of each tag that occurs in gold or prediction, by name.
        calibration_error: Mean difference between the probabilities of predicted tags and the share that is right, from
            0 to 1; None if the predictions have no probabilities.
        unknown_tokens: Number of tokens that are not scored, because their gold tag is unknown.
    """

    sentence_accuracy: float
    tokens: int
    sentences: int
    tags: Mapping[str, ClassScore]
    calibration_error: float | None = None
    unknown_tokens: int = 0

    def lines(self, *, most: int | None = None) -> list[str]:
        """Return the scores as lines of text, with at most `most` classes, if given."""
        return [
            f"accuracy {self.accuracy:.4f} of {self.tokens} tokens",
            *class_lines("tag", self.tags, most=most),
            f"sentences with every tag right: {self.sentence_accuracy:.4f} of {self.sentences}",
            *unknown_lines(self.unknown_tokens),
            *error_lines(self.calibration_error),
        ]


@dataclass(frozen=True, slots=True)
class LabelScores(_Accuracy):
    """Agreement of predicted labels with gold labels.

    Args:
        accuracy: Share of sentences with the right label, from 0 to 1.
        macro_f1: The unweighted mean of F1 over the classes that occur in gold or prediction, from 0 to 1.
        sentences: Number of sentences scored.
        classes: The score of each of these classes, by name.
        confusion: How often a gold class (first key) was predicted as a class (second key); only pairs that occur.
        calibration_error: Mean difference between the probabilities of predicted labels and the share that is right,
            from 0 to 1; None if the predictions have no probabilities.
    """

    macro_f1: float
    sentences: int
    classes: Mapping[str, ClassScore]
    confusion: Mapping[str, Mapping[str, int]]
    calibration_error: float | None = None

    def lines(self, *, most: int | None = None) -> list[str]:
        """Return the scores as lines of text, with at most `most` classes, if given."""
        return [
            f"accuracy {self.accuracy:.4f} of {self.sentences} sentences",
            *class_lines("class", self.classes, most=most),
            f"macro F1: {self.macro_f1:.4f}",
            *error_lines(self.calibration_error),
        ]


def score_tags(gold: Sequence[Sequence[str | None]], predicted: Sequence[Sequence[str]]) -> TagScores:
    """Return the scores of predicted tags against gold tags, sentence by sentence.

    Tokens whose gold tag is unknown (None) are not scored, and neither are sentences with only such tokens.

    Raises:
        ValueError: Gold and predicted differ in length.
    """
    check_aligned(gold, predicted)
    tokens = sum(map(len, gold))
    both = [[(g, p) for g, p in zip(*each, strict=True) if g is not None] for each in zip(gold, predicted, strict=True)]
    scored = [known for known, tags in zip(both, gold, strict=True) if known or not tags]
    pairs = Pairs(chain.from_iterable(scored))
    right = ratio(sum(all(g == p for g, p in known) for known in scored), len(scored))
    unknown = tokens - pairs.total()
    return TagScores(_accuracy(pairs), right, pairs.total(), len(scored), _class_scores(pairs), unknown_tokens=unknown)


def score_labels(
    gold: Sequence[str], predicted: Sequence[str], confidences: Sequence[float] | None = None
) -> LabelScores:
    """Return the scores of one predicted label per sentence against the gold label.

    Args:
        gold: The gold labels.
        predicted: The predicted labels.
        confidences: The probability of each predicted label, if known.

    Raises:
        ValueError: Gold, predicted or confidences differ in length.
    """
    if len(gold) != len(predicted):
        raise ValueError(
            f"gold and predicted must have the same number of labels, got {len(gold)} and {len(predicted)}"
        )
    pairs = Pairs(zip(gold, predicted, strict=True))
    classes = _class_scores(pairs)
    macro_f1 = fmean(score.f1 for score in classes.values()) if classes else 0.0
    correct = [left == right for left, right in zip(gold, predicted, strict=True)]
    error = None if confidences is None else calibration_error(confidences, correct)
    return LabelScores(_accuracy(pairs), macro_f1, len(gold), classes, _confusion(pairs), error)


def _accuracy(pairs: Pairs) -> float:
    return ratio(sum(count for (gold, predicted), count in pairs.items() if gold == predicted), pairs.total())


def _class_scores(pairs: Pairs) -> dict[str, ClassScore]:
    """Return the score of each class that occurs on either side, sorted by name."""
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
