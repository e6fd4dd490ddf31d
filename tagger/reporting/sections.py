"""What a report says about a layer: one section after the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tagger.analysis.breakdown import breakdown
from tagger.analysis.confusion import confusion
from tagger.analysis.knowledge import TrainKnowledge
from tagger.analysis.mistakes import entity_errors
from tagger.analysis.ranking import ranking
from tagger.analysis.reliability import calibration
from tagger.analysis.suspect_list import suspects_section
from tagger.analysis.suspects import Suspects
from tagger.analysis.thresholds import WANTED, thresholds
from tagger.analysis.wrong_values import class_errors, tag_errors, value_errors
from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ClassLayer, ScoredLayer, TokenLayer
from tagger.metrics.numbers.layer import ValueLayer
from tagger.metrics.partial import partial
from tagger.metrics.readings import readings
from tagger.metrics.resampling import RESAMPLES, interval
from tagger.metrics.section import Section, Table
from tagger.wording import counted

LEVEL = 0.95  # of confidence intervals
BRIEF = 5  # lines of the text of a section
FEW = 100  # sentences or documents; intervals of fewer may be too narrow


@dataclass(frozen=True, slots=True)
class Context:
    """What sections need beside gold and predicted sentences.

    Args:
        by: Keys of the metadata of sentences, whose values group the sentences.
        wanted_precision: Precisions for which the lowest threshold is looked up.
        train: What train has, for the scores of what was seen there; None if that is not known.
        suspects: Likely errors of gold by layer, if they were searched; a saved report keeps only their figures.
        metrics: The scores that the heads ask for in `metrics`, by layer and name.
    """

    by: tuple[str, ...] = ()
    wanted_precision: tuple[float, ...] = WANTED
    train: TrainKnowledge | None = None
    suspects: Mapping[str, Suspects] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        train = {} if self.train is None else {"train": self.train.to_dict()}
        metrics = {"metrics": {layer: dict(scores) for layer, scores in self.metrics.items()}} if self.metrics else {}
        return {"by": list(self.by), "wanted_precision": list(self.wanted_precision), **train, **metrics}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Context":
        """Return what `to_dict` has written.

        Raises:
            LookupError, TypeError, AttributeError: The values are others.
        """
        train = TrainKnowledge.from_dict(values["train"]) if "train" in values else None
        metrics = {layer: dict(scores) for layer, scores in (values.get("metrics") or {}).items()}
        return cls(tuple(values["by"]), tuple(values["wanted_precision"]), train, metrics=metrics)


def sections_of(layer: ScoredLayer, context: Context) -> list[Section]:
    """Return the sections of a layer, the most important first."""
    found = [make(layer, context) for make in SECTIONS]
    return [section for section in found if section is not None]


def units_of(layer: ScoredLayer) -> Sequence[int] | None:
    """Return the number of the document of each sentence; None if they are not from several documents.

    A sentence without a document counts as one.
    """
    numbers: dict[object, int] = {}
    names = [i if sentence.document is None else sentence.document for i, sentence in enumerate(layer.gold)]
    found = [numbers.setdefault(name, len(numbers)) for name in names]
    known = any(sentence.document is not None for sentence in layer.gold)
    return found if known and len(numbers) > 1 else None


def headline_interval(layer: ScoredLayer, context: Context) -> Section:
    """Return the confidence interval of the headline."""
    title, units = "Confidence interval", units_of(layer)
    number, what = (len(layer.gold), "sentence") if units is None else (max(units) + 1, "document")
    found = interval(layer.counts, layer.statistic, units=units, level=LEVEL)
    if found is None:
        why = f"no confidence interval: {_why_none(layer, number, what)}"
        return Section("interval", title, why, None, (why,))
    note = f"bootstrap over {counted(number, what)}, {RESAMPLES:,} resamples"
    if number < FEW:
        note += f"; with fewer than {FEW} {what}s it may be too narrow"
    data = {**found._asdict(), "level": LEVEL, "resamples": RESAMPLES, "over": f"{what}s"}
    brief = f"{100 * LEVEL:.0f} % interval: {found.low:.4f} to {found.high:.4f}, {note}"
    return Section("interval", title, note, data, (brief,))


def _why_none(layer: ScoredLayer, number: int, what: str) -> str:
    """Return why a layer has no interval, given its number of sentences or documents."""
    if not layer.counts.any():
        return "there is nothing to score"
    if number < 2:
        return f"it needs at least two {what}s, got {number}"
    return f"all resamples have the same score, so the {number} {what}s do not show how much it varies"


def own_metrics(layer: ScoredLayer, context: Context) -> Section | None:
    """Return the scores that the head asks for, if there are any."""
    scores = context.metrics.get(layer.name)
    if not scores:
        return None
    table = Table(("metric", "score"), tuple((name, None if s is None else float(s)) for name, s in scores.items()))
    brief = tuple(f"{name}: {'-' if score is None else f'{score:.4f}'}" for name, score in [*scores.items()][:BRIEF])
    return Section("metrics", "Further metrics", "named in `metrics` of the head", dict(scores), brief, (table,))


def errors(layer: ScoredLayer, context: Context) -> Section | None:
    """Return the mistakes, counted and in context."""
    if isinstance(layer, EntityLayer):
        return entity_errors(layer)
    if isinstance(layer, TokenLayer):
        return tag_errors(layer)
    if isinstance(layer, ValueLayer):
        return value_errors(layer)
    return class_errors(layer) if isinstance(layer, ClassLayer) else None


def likely_errors(layer: ScoredLayer, context: Context) -> Section | None:
    """Return the likely errors of gold, if they were searched."""
    found = context.suspects.get(layer.name)
    return suspects_section(found) if found is not None else None


def confusion_matrix(layer: ScoredLayer, context: Context) -> Section | None:
    """Return which types, tags or classes are confused with which."""
    return confusion(layer) if isinstance(layer, EntityLayer | TokenLayer | ClassLayer) else None


def groups(layer: ScoredLayer, context: Context) -> Section | None:
    """Return the scores of groups of entities, tokens and sentences."""
    if not isinstance(layer, EntityLayer | TokenLayer | ClassLayer):
        return None
    return breakdown(layer, context.train, by=context.by, units=units_of(layer))


def readings_of_tags(layer: ScoredLayer, context: Context) -> Section | None:
    """Return the scores of other ways to read invalid tags, of a layer of entities."""
    return readings(layer) if isinstance(layer, EntityLayer) else None


def partial_credit(layer: ScoredLayer, context: Context) -> Section | None:
    """Return the credit for entities that are partly right, of a layer of entities."""
    return partial(layer) if isinstance(layer, EntityLayer) else None


SECTIONS: tuple[Callable[[ScoredLayer, Context], Section | None], ...] = (
    headline_interval,
    own_metrics,
    readings_of_tags,
    partial_credit,
    errors,
    likely_errors,
    confusion_matrix,
    groups,
    lambda layer, _: calibration(layer) if layer.can_be_sure else None,
    lambda layer, context: thresholds(layer, context.wanted_precision) if layer.can_be_sure else None,
    lambda layer, _: ranking(layer),
)
