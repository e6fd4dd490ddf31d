"""The scores of several runs together: mean, standard deviation, least, most and median of each.

Making the runs is left to `running/several/`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tagger.metrics.run_groups import Spread
from tagger.metrics.section import Table
from tagger.reporting.signature import Signature
from tagger.reporting.tables import latex_lines, markdown_lines, text_lines
from tagger.wording import counted, visible

SCORES = ("f1", "precision", "recall", "accuracy", "macro_f1")
DEVIATION = "sd is the sample standard deviation over the runs (n - 1)"
POOLED = "pooled is the score of the sentences of all folds together"

Values = Mapping[str, Mapping[str, Mapping[str, list[float]]]]  # layer → split → score → its value in each run


@dataclass(frozen=True)
class RunGroup:
    """Several runs of one recipe.

    Args:
        name: What the recipe is called.
        kind: Whether the runs differ in their seeds, or each has a fold as its test split.
        reports: The report of each finished run as JSON values, by the name of its folder.
        headlines: The headline of each layer: `f1` or `accuracy`.
        failed: Why other runs failed, by name.
        stopped: The names of runs that were stopped, or that were not begun.
        pooled: For folds: the scores of each layer on the sentences of all folds, as JSON values.
    """

    name: str
    kind: Literal["seeds", "folds"]
    reports: Mapping[str, Mapping[str, Any]]
    headlines: Mapping[str, str]
    failed: Mapping[str, str] = field(default_factory=dict)
    stopped: Sequence[str] = ()
    pooled: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def scores(self) -> dict[str, dict[str, dict[str, Spread]]]:
        """How each score varies: by layer, then by split (`test`, `dev`), then by the name of the score.

        On dev there is the headline alone, by which the weights were chosen.
        """
        return {layer: {k: v for k, v in self._splits(layer) if v} for layer in self.headlines}

    def _splits(self, layer: str) -> Iterator[tuple[str, dict[str, Spread]]]:
        tested = [report["scores"][layer] for report in self.reports.values() if layer in report["scores"]]
        names = [name for name in SCORES if all(name in scores for scores in tested)] if tested else []
        yield "test", {name: Spread.of([scores[name] for scores in tested]) for name in names}
        dev = [report["dev_scores"][layer] for report in self.reports.values() if layer in report["dev_scores"]]
        yield "dev", {self.headlines[layer]: Spread.of(dev)} if dev else {}

    def table(self) -> Table:
        """Return the figures in rows."""
        columns = ("layer", "split", "score", "mean ± sd", "min", "median", "max")
        rows = []
        for layer, splits in self.scores.items():
            for split, scores in splits.items():
                for name, spread in scores.items():
                    pooled = self.pooled.get(layer, {}).get(name) if split == "test" else None
                    cells = (layer, split, name, str(spread), spread.least, spread.median, spread.most)
                    rows.append((*cells, pooled) if self.pooled else cells)
        return Table((*columns, "pooled") if self.pooled else columns, tuple(rows))

    def notes(self) -> list[str]:
        """Return what the figures mean, and what is missing, one sentence each."""
        numbers = ", ".join(name.split("-")[1] for name in self.reports)
        noun = self.kind if len(self.reports) > 1 else self.kind.removesuffix("s")
        notes = [f"{self.name}: {counted(len(self.reports), 'run')}, {noun} {numbers}"]
        notes.append(DEVIATION if len(self.reports) > 1 else "one run has no standard deviation")
        if self.pooled:
            notes.append(POOLED)
        if not any("test" in splits for splits in self.scores.values()):
            notes.append("there is no test split, so these are scores on dev alone")
        notes += self._mismatches()
        notes += [f"{name} failed: {' '.join(reason.split())}" for name, reason in self.failed.items()]
        if self.stopped:
            notes.append(f"not finished: {', '.join(self.stopped)}; the same command goes on with them")
        return notes

    @property
    def signatures(self) -> dict[str, Signature]:
        """The signature of each run that was scored on test."""
        return {name: Signature(**report["signature"]) for name, report in self.reports.items() if report["scores"]}

    def _mismatches(self) -> list[str]:
        """Return in words which runs must not be summed up with the first one. Folds have other test sentences."""
        found, signatures = [], self.signatures
        for name, signature in signatures.items():
            first = next(iter(signatures))
            other = signature if self.kind == "seeds" else replace(signature, gold=signatures[first].gold)
            if reasons := signatures[first].differences(other):
                found.append(f"{name} is not comparable with {first}: {', '.join(reasons)}; use --overwrite")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the group as JSON values: `{"scores": {layer: {split: {score: {"mean": ..., ...}}}}, ...}`."""
        scores = {
            layer: {split: {name: s.to_dict() for name, s in found.items()} for split, found in splits.items()}
            for layer, splits in self.scores.items()
        }
        keys = ("seed", "epoch", "ended", "seconds", "scores", "dev_scores")
        runs = {name: {key: _brief(key, report[key]) for key in keys} for name, report in self.reports.items()}
        values = {"scores": scores, "recipe": self.name, "kind": self.kind, "runs": runs}
        values["signatures"] = {name: signature.to_dict() for name, signature in self.signatures.items()}
        pooled = {"pooled": _brief("scores", self.pooled)} if self.pooled else {}
        return {**values, **pooled, "failed": dict(self.failed), "stopped": list(self.stopped), "notes": self.notes()}

    def to_text(self) -> str:
        """Return the table as plain text, with notes."""
        head, *notes = self.notes()
        return visible("\n".join([head, "", *text_lines(self.table()), "", *notes]) + "\n")

    def to_markdown(self) -> str:
        """Return the table in Markdown, with notes."""
        head, *notes = self.notes()
        return "\n".join([f"{head}.", "", *markdown_lines(self.table()), "", *(f"{note}.  " for note in notes)]) + "\n"

    def to_latex(self) -> str:
        """Return the table in LaTeX, for the package `booktabs`, with notes as comments."""
        comments = [f"% {' '.join(note.split())}" for note in (*self.notes(), "needs \\usepackage{booktabs}")]
        return "\n".join([*comments, *latex_lines(self.table())]) + "\n"


def _brief(key: str, value: Any) -> Any:
    """Return a value of a report; of scores, the main ones of each layer."""
    if key != "scores":
        return value
    return {layer: {name: scores[name] for name in SCORES if name in scores} for layer, scores in value.items()}
