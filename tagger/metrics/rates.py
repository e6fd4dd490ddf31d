"""Precision, recall and F1, and the counts they are made of.

A rate whose denominator is zero is 0.0, as published scores have it. What counts as correct is the business of
`entities.py` and `accuracy.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Average:
    """Precision, recall and F1 over several classes, each from 0 to 1."""

    precision: float = 0.0
    recall: float = 0.0
    f1: float = 0.0

    def to_dict(self) -> dict[str, object]:
        """The three rates by name."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1}


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Precision, recall and F1 of one class, each from 0 to 1, and how often it stands in gold."""

    precision: float
    recall: float
    f1: float
    support: int

    @classmethod
    def from_counts(cls, *, correct: int, predicted: int, gold: int) -> "ClassScore":
        """The score of a class that stands `gold` times in gold and was predicted `predicted` times.

        Source:
            Van Rijsbergen (1979), "Information Retrieval", chapter 7: F1 is the harmonic mean of precision and recall.
            Compared with scikit-learn in tests/metrics/test_accuracy.py.
        """
        return cls(ratio(correct, predicted), ratio(correct, gold), ratio(2 * correct, predicted + gold), gold)

    def to_dict(self) -> dict[str, object]:
        """The rates and the support by name."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1, "support": self.support}


def ratio(part: int, whole: int) -> float:
    """`part` of `whole`; 0.0 of nothing."""
    return part / whole if whole else 0.0


def check_aligned(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> None:
    """Nothing, if both sides have the same number of sentences and each pair the same number of tokens.

    Raises:
        ValueError: They do not; names the first sentence that differs, counted from 0.
    """
    if len(gold) != len(predicted):
        raise ValueError(f"gold and predicted must have as many sentences, got {len(gold)} and {len(predicted)}")
    for i, (left, right) in enumerate(zip(gold, predicted, strict=True)):
        if len(left) != len(right):
            raise ValueError(
                f"sentence {i}: gold and predicted must have as many tags, got {len(left)} and {len(right)}"
            )
