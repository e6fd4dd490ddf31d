"""The report: the scores of all layers together, as text, as JSON and as a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

from tagger.metrics.layer import ScoredLayer, Scores
from tagger.metrics.section import Section
from tagger.reporting.output import check_page, check_path, to_json, write_text
from tagger.reporting.saved import layers_of_json, read_rows, sentences_to_json
from tagger.reporting.sections import Context, sections_of
from tagger.reporting.signature import Signature, hash_of_gold
from tagger.reporting.tables import text_lines
from tagger.wording import visible

NUM_CLASSES = 12  # in the table of a text without details, which is to fit on one screen
SUFFIXES = (".json", ".html", ".txt")
OWN = ("scores", "signature", "context", "sentences")  # keys of the JSON form


@dataclass(frozen=True)
class Report:
    """The result of an evaluation.

    Args:
        layers: What was compared, by the name of the layer.
        signature: What the scores were computed from, and how.
        extra: More keys for the top of the JSON form, such as the files; values that JSON can hold.
        context: What sections of the report need beside `layers`.

    Raises:
        ValueError: `extra` has a key that is the report's own.
    """

    layers: Mapping[str, ScoredLayer]
    signature: Signature
    extra: Mapping[str, object] = field(default_factory=dict)
    context: Context = field(default_factory=Context)

    def __post_init__(self) -> None:
        for key in OWN:
            if key in self.extra:
                raise ValueError(f"extra: the key `{key}` is the report's own; choose another")

    @cached_property
    def scores(self) -> Mapping[str, Scores]:
        """The scores of each layer, by name."""
        return {name: layer.scores for name, layer in self.layers.items()}

    @cached_property
    def sections(self) -> Mapping[str, list[Section]]:
        """What the report says beside the scores, for each layer."""
        return {name: sections_of(layer, self.context) for name, layer in self.layers.items()}

    def headline(self, layer: str) -> float:
        """Return the main figure of a layer, from 0 to 1: strict micro F1 of entities, accuracy of tags and labels.

        Raises:
            ValueError: The report has no such layer.
        """
        if layer not in self.layers:
            raise ValueError(f"the report has no layer `{layer}`; its layers are: {', '.join(self.layers) or 'none'}")
        return self.scores[layer].headline

    @property
    def main_score(self) -> float:
        """The mean of the headlines of all layers, from 0 to 1.

        Raises:
            ValueError: The report has no layer.
        """
        if not self.layers:
            raise ValueError("a report without layers has no main score")
        return fmean(scores.headline for scores in self.scores.values())

    def to_dict(self, *, sentences: bool = False) -> dict[str, Any]:
        """Return the report as JSON values: `{"scores": {layer: {...}}, "signature": {...}, ...}`.

        Args:
            sentences: Whether to add all gold and predicted sentences, from which `load_report` makes the same report.
        """
        scores = {
            name: {**self.scores[name].to_dict(), **{section.key: section.data for section in sections}}
            for name, sections in self.sections.items()
        }
        found = {"scores": scores, "signature": self.signature.to_dict(), **self.extra}
        if not sentences:
            return found
        return {**found, "context": self.context.to_dict(), "sentences": sentences_to_json(self.layers)}

    def to_text(self, *, details: bool = False) -> str:
        """Return the report as plain text: for each layer its scores and sections, then the signature.

        Args:
            details: Whether to write all tables of the sections; otherwise only their most important figures.
        """
        parts = ["\n".join(self._lines(name, details=details)) for name in self.layers]
        if len(self.layers) > 1:
            parts.append(f"mean of {', '.join(self.layers)}: {self.main_score:.4f}")
        return visible("\n\n".join([*parts, "\n".join(self.signature.lines())]) + "\n")

    def scores_text(self) -> str:
        """Return the scores alone as plain text, without intervals, and without any sentence of the data."""
        parts = (f"{name}: " + "\n".join(scores.lines()) for name, scores in self.scores.items())
        return visible("\n\n".join(parts) + "\n")

    def _lines(self, name: str, *, details: bool) -> list[str]:
        first, *others = self.scores[name].lines(most=None if details else NUM_CLASSES)
        interval, *sections = self.sections[name]
        lines = [f"{name}: {first}", *interval.brief, *others]
        for section in sections:
            lines += section.brief
            if details and section.tables:
                lines += [
                    "",
                    f"{section.title}: {section.note}",
                    *(line for t in section.tables for line in text_lines(t)),
                ]
        return lines

    def to_html(self) -> str:
        """Return the report as a page that loads nothing from elsewhere: all figures, curves, and mistakes to filter.

        Raises:
            MissingExtraError: jinja2 is not installed.
        """
        check_page()
        from tagger.reporting.page import PageLayer, report_page  # scoring alone needs no jinja2

        layers = [PageLayer(name, self.scores[name].to_dict(), self.sections[name]) for name in self.layers]
        model = self.signature.model
        return report_page(f"Scores of {model}" if model else "Scores", layers, self.signature.to_dict())

    def save(self, path: str | Path) -> None:
        """Write the report to a file, according to the suffix of its name: `.json`, `.html` or `.txt`.

        JSON has all sentences, so that `load_report` can read it.

        Raises:
            RecipeError: The name has another suffix.
            MissingExtraError: It is a page, and jinja2 is not installed.
            DataError: The file cannot be written.
        """
        check_path(Path(path), SUFFIXES)
        match Path(path).suffix.lower():
            case ".json":
                text = self.to_json()
            case ".html":
                text = self.to_html()
            case _:
                text = self.to_text(details=True)
        write_text(Path(path), text)

    def to_json(self) -> str:
        """Return the text of a JSON file with all sentences, which `load_report` can read."""
        return to_json(self.to_dict(sentences=True))


def load_report(path: str | Path) -> Report:
    """Return the report that was saved as JSON, or that a run folder holds.

    Args:
        path: A `.json` file, or the folder of a run.

    Raises:
        DataError: The file cannot be read, or has no sentences.
    """
    file = Path(path) / "report.json" if Path(path).is_dir() else Path(path)
    values = read_rows(file)
    layers = layers_of_json(values)
    signature = values.pop("signature")
    extra = {key: value for key, value in values.items() if key not in OWN}
    context = Context.from_dict(values["context"]) if values.get("context") else Context()
    return Report(layers, Signature(**signature), extra, context)


def signature_of(layers: Mapping[str, ScoredLayer], **known: Any) -> Signature:
    """Return the signature of a report on these layers; `known` are more of its values."""
    return Signature({name: layer.rule for name, layer in layers.items()}, hash_of_gold(layers), **known)
