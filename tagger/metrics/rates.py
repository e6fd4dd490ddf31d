"""Precision, recall and F1, and the counts that they are computed from.

A rate whose denominator is zero is 0.0, as in published scores. What counts as correct is defined in `entities.py` and
`classes.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tagger.wording import counted, table_lines

COLUMNS = ("precision", "recall", "f1", "support")


@dataclass(frozen=True, slots=True)
class Average:
    """Precision, recall and F1 over several classes, each from 0 to 1."""

    precision: float = 0.0
    recall: float = 0.0
    f1: float = 0.0

    def __str__(self) -> str:
        return f"F1 {self.f1:.4f}, precision {self.precision:.4f}, recall {self.recall:.4f}"


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Precision, recall and F1 of one class, each from 0 to 1, and its number of gold occurrences."""

    precision: float
    recall: float
    f1: float
    support: int

    @classmethod
    def from_counts(cls, *, correct: int, predicted: int, gold: int) -> "ClassScore":
        """Return the score of a class with `gold` gold occurrences that was predicted `predicted` times.

        Source:
            Van Rijsbergen (1979), "Information Retrieval", chapter 7: F1 is the harmonic mean of precision and recall.
            Compared with scikit-learn in tests/metrics/test_classes.py.
        """
        return cls(ratio(correct, predicted), ratio(correct, gold), ratio(2 * correct, predicted + gold), gold)


def class_lines(
    heading: str,
    classes: Mapping[str, ClassScore],
    averages: Mapping[str, Average] | None = None,
    *,
    support: int = 0,
    most: int | None = None,
) -> list[str]:
    """Return a table of classes as lines; below them the averages, if any, each with the same support.

    Args:
        heading: What a class is, such as `type`.
        classes: The score of each class.
        averages: The averages by name.
        support: Their support.
        most: Number of classes, those with the largest support; default: all.
    """
    shown = set(sorted(classes, key=lambda name: -classes[name].support)[:most])
    rows: list[Sequence[str] | None] = [(heading, *COLUMNS), None]
    rows += [(name, *_figures(score, score.support)) for name, score in classes.items() if name in shown]
    if len(shown) < len(classes):
        rows.append((f"{len(classes) - len(shown)} more (--details)",))
    rows += [None] if averages and classes else []
    rows += [(name, *_figures(average, support)) for name, average in (averages or {}).items()]
    return table_lines([*rows, None], narrowest=max(map(len, COLUMNS)))


def _figures(score: Average | ClassScore, support: int) -> tuple[str, ...]:
    return f"{score.precision:.4f}", f"{score.recall:.4f}", f"{score.f1:.4f}", str(support)


def ratio(part: int, whole: int) -> float:
    """Return `part` divided by `whole`, or 0.0 if `whole` is 0."""
    return part / whole if whole else 0.0


def unknown_lines(tokens: int, entities: int | None = None) -> list[str]:
    """Return the line of a report on what is not scored because gold is unknown; none if everything is scored."""
    if not (tokens or entities):
        return []
    noun = "predicted entity" if entities == 1 else "predicted entities"
    also = "" if entities is None else f", {entities} {noun}"
    return [f"not scored, because gold is unknown there: {counted(tokens, 'token')}{also}"]


def check_aligned(gold: Sequence[Sequence[str | None]], predicted: Sequence[Sequence[str]]) -> None:
    """Refuse two sides that differ in the number of sentences, or of tags in a sentence.

    Raises:
        ValueError: They differ; names the first such sentence, counted from 0.
    """
    if len(gold) != len(predicted):
        raise ValueError(
            f"gold and predicted must have the same number of sentences, got {len(gold)} and {len(predicted)}"
        )
    for i, (left, right) in enumerate(zip(gold, predicted, strict=True)):
        if len(left) != len(right):
            raise ValueError(
                f"sentence {i}: gold and predicted must have the same number of tags, got {len(left)} and {len(right)}"
            )
