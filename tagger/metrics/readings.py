"""The same tags read in four ways, because published scores differ in how they read invalid tags.

Readings differ only where a sequence of tags is invalid in its scheme. `counting.py` finds the entities of each, and
`entities.py` has their rates.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from tagger.metrics.counting import Rule, SpanSets, find_spans, pack_both
from tagger.metrics.entities import micro_average
from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.rates import Average
from tagger.metrics.section import Section, Table
from tagger.wording import table_lines

RULES = {
    "strict": "an entity counts if its tags are exactly as the scheme writes it (seqeval's strict mode; the headline)",
    "default": "seqeval's default mode, in which a tag that cannot continue the entity before it begins an entity",
    "discarded": "what conlleval reads as an entity is discarded if the scheme does not write it so (the `discard` "
    "repair of Palen-Michel et al., 2021)",
    "repaired": "invalid tags are repaired as conlleval reads them, so that `I-X` after `O` or another type begins an "
    "entity (their `begin` repair)",
}
REPAIRS: tuple[Rule, Rule] = ("discarded", "repaired")
HEADINGS = ("strict", "seqeval default", "discarded", "repaired")
NOTE = (
    "The same tags, read in four ways. "
    + "; ".join(f"{heading}: {rule}" for heading, rule in zip(HEADINGS, RULES.values(), strict=True))
    + ". By these rules `discarded` differs from `strict` only for invalid IOB1, and then the interval, partial "
    "credit, mistakes and groups read tags as `discarded` does. `repaired` equals seqeval's default mode, to which "
    "`L-` and `U-` are given as `E-` and `S-`. A sequence is the tags of a sentence."
)
OTHERS = "; interval, partial credit, mistakes and groups are of `discarded`"


@dataclass(frozen=True, slots=True)
class Reading:
    """The micro rates and the numbers of entities of one way to read tags.

    Args:
        rates: Precision, recall and F1 over all entities.
        gold_entities: Number of gold entities.
        predicted_entities: Number of predicted entities.
        correct_entities: Number of entities in both.
    """

    rates: Average
    gold_entities: int
    predicted_entities: int
    correct_entities: int

    def to_dict(self) -> dict[str, float]:
        """Return the rates and numbers as JSON values."""
        values = asdict(self)
        return {**values.pop("rates"), **values}


def readings(layer: EntityLayer) -> Section:
    """Return the four readings of a layer as a section of its report.

    Source:
        Palen-Michel, Holley and Lignos (2021), "SeqScore: Addressing Barriers to Reproducible Named Entity Recognition
        Evaluation", for both repairs, which it has for IOB2; here the rules of each scheme define them. Tjong Kim Sang
        and Buchholz (2000) for conlleval, which reads IOB1 and IOB2; `E-` and `S-` are read as by seqeval, because
        conlleval joins an `E-X` with a `B-X` after it. Compared with conlleval's published example and with the
        examples of SeqScore in tests/metrics/test_readings.py.
    """
    found, invalid = read_four_ways(layer)
    rates = {name: {**found[name].to_dict(), "rule": rule} for name, rule in RULES.items()}
    numbers = {"invalid_gold_sequences": invalid[0], "invalid_predicted_sequences": invalid[1]}
    return Section(
        "readings",
        "Readings of invalid tags",
        NOTE,
        {"sentences": len(layer.gold), **numbers, **rates},
        _brief(found, invalid, len(layer.gold)),
        (_table(found),),
    )


def read_four_ways(layer: EntityLayer) -> tuple[dict[str, Reading], tuple[int, int]]:
    """Return the readings of a layer, by the names of `RULES`, and the number of invalid sequences of each side."""
    scores, (gold, predicted) = layer.scores, pack_both(*layer.tags, layer.scheme)
    discarded, repaired = (_reading(find_spans(gold, rule), find_spans(predicted, rule)) for rule in REPAIRS)
    strict = Reading(scores.micro, scores.gold_entities, scores.predicted_entities, scores.correct_entities)
    default = replace(repaired, rates=scores.default)  # the same entities, so the rates are equal too
    found = dict(zip(RULES, (strict, default, discarded, repaired), strict=True))
    return found, (gold.num_invalid(), predicted.num_invalid())


def _reading(gold: SpanSets, predicted: SpanSets) -> Reading:
    return Reading(micro_average(gold, predicted), len(gold), len(predicted), gold.num_shared(predicted))


def _table(found: Mapping[str, Reading]) -> Table:
    """Return the readings side by side."""
    columns = [reading.to_dict() for reading in found.values()]
    return Table(
        ("", *HEADINGS),
        tuple([(name.replace("_", " "), *[column[name] for column in columns]) for name in columns[0]]),
    )


def _brief(found: Mapping[str, Reading], invalid: tuple[int, int], sentences: int) -> tuple[str, ...]:
    """Return the rates side by side, or in one line that all readings are equal."""
    numbers = f"invalid sequences of tags: {invalid[0]} in gold, {invalid[1]} in prediction, of {sentences}"
    if len({*found.values()}) == 1:
        return (f"{numbers}; all four readings agree",)
    rates = {"F1": "f1", "precision": "precision", "recall": "recall"}
    rows = [(row, *(f"{getattr(r.rates, name):.4f}" for r in found.values())) for row, name in rates.items()]
    others = "" if found["strict"] == found["discarded"] else OTHERS
    return (*table_lines([("reading of tags", *HEADINGS), *rows]), f"{numbers}{others}")
