"""The scores of all layers together, as JSON and as text.

Each kind of score describes itself. Computing them is left to `entities.py` and `accuracy.py`, writing files and
printing to the caller.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Protocol


class Scores(Protocol):
    """The scores of one layer."""

    @property
    def headline(self) -> float:
        """The main figure of the layer, from 0 to 1; higher is better."""
        ...

    def to_dict(self) -> dict[str, object]:
        """Return the scores as JSON values."""
        ...

    def lines(self) -> list[str]:
        """Return the scores as lines of text, the headline first."""
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an evaluation.

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
        """Return the main figure of a layer, from 0 to 1: strict micro F1 of entities, accuracy of tags and labels.

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
        """Return the report as JSON values: `{"scores": {layer: {...}}, ...}`."""
        return {"scores": {layer: scores.to_dict() for layer, scores in self.scores.items()}, **self.extra}

    def to_text(self) -> str:
        """Return the scores as plain text: for each layer its headline, a table and the settings of the scores."""
        parts = [f"{layer}: " + "\n".join(scores.lines()) for layer, scores in self.scores.items()]
        if len(self.scores) > 1:
            parts.append(f"mean of {', '.join(self.scores)}: {self.main_score:.4f}")
        return "\n\n".join(parts) + "\n"
