"""The scores of every layer together, as JSON and as text.

Computing scores is the business of `entities.py` and `accuracy.py`; writing files and printing that of the caller.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import fmean

from tagger.metrics.accuracy import LabelScores, TagScores
from tagger.metrics.calibration import BINS
from tagger.metrics.entities import SEQEVAL_SCHEMES, EntityScores
from tagger.metrics.rates import Average, ClassScore

Scores = EntityScores | TagScores | LabelScores

COLUMNS = ("precision", "recall", "f1", "support")
WIDEST_NAME = 40  # a longer name gets a line of its own, so that the figures stay on the screen


@dataclass(frozen=True, slots=True)
class Report:
    """What an evaluation found.

    Args:
        scores: The scores of each layer, by name.
        extra: More keys for the top of the JSON form, such as the model and the files; values that JSON can hold.

    Raises:
        ValueError: `extra` has a key `scores`.
    """

    scores: Mapping[str, Scores]
    extra: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if "scores" in self.extra:
            raise ValueError("extra: the key `scores` is the report's own; choose another")

    def headline(self, layer: str) -> float:
        """The one figure of a layer, from 0 to 1: strict micro F1 of entities, accuracy of tags and labels.

        Raises:
            ValueError: The report has no such layer.
        """
        if layer not in self.scores:
            raise ValueError(f"the report has no layer `{layer}`; its layers are: {', '.join(self.scores) or 'none'}")
        return self.scores[layer].headline

    @property
    def main_score(self) -> float:
        """The mean of the headlines of all layers, from 0 to 1.

        Raises:
            ValueError: The report has no layer.
        """
        if not self.scores:
            raise ValueError("a report without layers has no main score")
        return fmean(scores.headline for scores in self.scores.values())

    def to_dict(self) -> dict[str, object]:
        """The report as JSON has it: `{"scores": {layer: {...}}, ...}`."""
        return {"scores": {layer: scores.to_dict() for layer, scores in self.scores.items()}, **self.extra}

    def to_text(self) -> str:
        """The scores as plain text: for each layer its headline, a table, and the settings that made them."""
        parts = ["\n".join(_lines(layer, scores)) for layer, scores in self.scores.items()]
        if len(self.scores) > 1:
            parts.append(f"mean of {', '.join(self.scores)}: {self.main_score:.4f}")
        return "\n\n".join(parts) + "\n"


def _lines(layer: str, scores: Scores) -> list[str]:
    match scores:
        case EntityScores():
            return _entity_lines(layer, scores)
        case TagScores():
            return _tag_lines(layer, scores)
        case LabelScores():
            return _label_lines(layer, scores)


def _entity_lines(layer: str, scores: EntityScores) -> list[str]:
    averages = {"micro average": scores.micro, "macro average": scores.macro, "weighted average": scores.weighted}
    return [
        f"{layer}: {_rates(scores.micro)}",
        *_table("type", scores.types, {name: (average, scores.gold_entities) for name, average in averages.items()}),
        f"entities: {scores.gold_entities} gold, {scores.predicted_entities} predicted, "
        f"{scores.correct_entities} correct",
        f"seqeval default mode: {_rates(scores.default)}{_default_note(scores)}",
        f"invalid predicted sequences: {scores.invalid_sequences} of {scores.sentences}",
        *_calibration_lines(scores.calibration_error),
        f"settings: {scores.library}, mode={scores.mode}, scheme={SEQEVAL_SCHEMES[scores.scheme]}, average=micro",
    ]


def _tag_lines(layer: str, scores: TagScores) -> list[str]:
    return [
        f"{layer}: accuracy {scores.accuracy:.4f} of {scores.tokens} tokens",
        *_table("tag", scores.tags),
        f"sentences with every tag right: {scores.sentence_accuracy:.4f} of {scores.sentences}",
        *_calibration_lines(scores.calibration_error),
    ]


def _label_lines(layer: str, scores: LabelScores) -> list[str]:
    return [
        f"{layer}: accuracy {scores.accuracy:.4f} of {scores.sentences} sentences",
        *_table("class", scores.classes),
        f"macro F1: {scores.macro_f1:.4f}",
        *_calibration_lines(scores.calibration_error),
    ]


def _calibration_lines(error: float | None) -> list[str]:
    return (
        [] if error is None else [f"calibration error of the probabilities: {error:.4f} ({BINS} bins of equal width)"]
    )


def _rates(average: Average) -> str:
    return f"F1 {average.f1:.4f}, precision {average.precision:.4f}, recall {average.recall:.4f}"


def _default_note(scores: EntityScores) -> str:
    return "" if scores.default_scheme == scores.scheme else f" (tags given as {scores.default_scheme.upper()})"


def _table(
    heading: str, classes: Mapping[str, ClassScore], averages: Mapping[str, tuple[Average, int]] | None = None
) -> list[str]:
    """A row a class, then a row an average, below one heading."""
    averages = averages or {}
    width = max(len(name) for name in (heading, *classes, *averages) if len(name) <= WIDEST_NAME)
    lines = [_row(heading, COLUMNS, width)]
    rule = "-" * len(lines[0])
    lines.append(rule)
    for name, score in classes.items():
        lines += _figures(name, score, score.support, width)
    if averages and classes:
        lines.append(rule)
    for name, (average, support) in averages.items():
        lines += _figures(name, average, support, width)
    return [*lines, rule]


def _figures(name: str, score: Average | ClassScore, support: int, width: int) -> list[str]:
    """The row of a class or an average, below its name where that is wider than the column."""
    cells = (f"{score.precision:.4f}", f"{score.recall:.4f}", f"{score.f1:.4f}", str(support))
    return [_row(name, cells, width)] if len(name) <= width else [name, _row("", cells, width)]


def _row(name: str, cells: Iterable[str], width: int) -> str:
    return name.ljust(width) + "".join(f"  {cell:>9}" for cell in cells)
