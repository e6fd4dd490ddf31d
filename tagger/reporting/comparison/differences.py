"""How the scores of several systems differ on one layer, and how sure the differences are.

Each system is compared with the first one: on the headline of the layer and, if there are two, on each type, tag or
class. `testing.py` tests the differences. Which sentences differ is left to `disagreements.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from tagger.metrics.layer import Counts, ScoredLayer
from tagger.metrics.resampling import RESAMPLES, f1
from tagger.metrics.section import Cell, Section, Table
from tagger.reporting.comparison.classes import GOLD, class_counts
from tagger.reporting.comparison.testing import Difference, tested_differences
from tagger.reporting.sections import LEVEL, units_of
from tagger.reporting.tables import text_lines
from tagger.wording import counted

SHOWN = 12  # types in a text without details
SCORES = {"entities": "F1", "tags": "accuracy", "labels": "accuracy"}
CLASSES = {"entities": ("type", "types"), "tags": ("tag", "tags"), "labels": ("class", "classes")}
GROUPS = (
    "Scores are means over runs; interval and p-value (Student's t) contain the variance of seeds and of sentences, "
    "whose standard errors are shown."
)


@dataclass(frozen=True, slots=True)
class Side:
    """One system on one layer.

    Args:
        name: A short name for tables, such as `A`.
        runs: What each of its runs predicted, all on the same gold sentences.
    """

    name: str
    runs: tuple[ScoredLayer, ...]

    @property
    def headline(self) -> float:
        """The mean of the headlines of the runs."""
        return fmean(run.headline for run in self.runs)

    def to_dict(self) -> dict[str, object]:
        """Return the score, and that of each run if there are several, as JSON values."""
        runs = {"runs": [run.headline for run in self.runs]} if len(self.runs) > 1 else {}
        return {"score": self.headline, **runs}


def score_section(sides: Sequence[Side], seed: int = 1) -> Section:
    """Return the headline of each system, and its difference from that of the first with interval and p-values."""
    first, *others = sides
    layer, counts = first.runs[0], [[run.counts for run in side.runs] for side in sides]
    units = units_of(layer)
    pairs = [(counts[0], each) for each in counts[1:]]
    tested = tested_differences(pairs, layer.statistic, units=units, seed=seed)
    number, what = (len(layer.gold), "sentences") if units is None else (len(set(units)), "documents")
    data = {
        "score": SCORES[layer.kind],
        "baseline": first.name,
        "over": what,
        "number": number,
        "level": LEVEL,
        "resamples": RESAMPLES,
        "systems": {side.name: side.to_dict() for side in sides},
        "differences": {side.name: each.to_dict() for side, each in zip(others, tested, strict=True)},
    }
    rows: list[tuple[Cell, ...]] = [(first.name, first.headline, *[None] * len(tested[0].columns))]
    rows += [(side.name, side.headline, *each.cells) for side, each in zip(others, tested, strict=True)]
    table = Table(("system", SCORES[layer.kind], *tested[0].columns), tuple(rows))
    note = _note(sides, f"{number} {what}")
    return Section("comparison", "Scores", note, data, (*text_lines(table), note), (table,))


def type_section(one: Side, two: Side, seed: int = 1) -> Section:
    """Return F1 of each type, tag or class in both systems and its difference, the surest difference first."""
    layer = one.runs[0]
    kind, kinds = CLASSES[layer.kind]
    counts = _counts_by_class(one, two)
    tested = _tested(counts, layer, seed)
    support = {name: int(first[0][:, GOLD].sum()) for name, (first, _) in counts.items()}
    scores = {name: [fmean(_f1(run) for run in runs) for runs in pair] for name, pair in counts.items()}
    data = {
        name: {"support": support[name], **dict(zip((one.name, two.name), scores[name], strict=True)), **each.to_dict()}
        for name, each in tested.items()
    }
    columns = (kind, "support", one.name, two.name, *next((each.columns for each in tested.values()), ()))
    rows = tuple([(name, support[name], *scores[name], *each.cells) for name, each in tested.items()])
    note = f"F1 of each {kind}, the surest difference first; p-values are corrected after Holm for {len(rows)} {kinds}."
    brief = text_lines(Table(columns, rows[:SHOWN])) if rows else [f"no {kind} occurs in gold or predictions"]
    more = [f"... and {counted(len(rows) - SHOWN, f'more {kind}')}"] if len(rows) > SHOWN else []
    return Section("types", f"Changes by {kind}", note, data, (*brief, *more), (Table(columns, rows),))


def _counts_by_class(one: Side, two: Side) -> dict[str, tuple[list[Counts], list[Counts]]]:
    """Return the counts of each run of both systems for each type, tag or class of gold or predictions."""
    first, second = ([class_counts(run) for run in side.runs] for side in (one, two))
    none = np.zeros((len(one.runs[0].gold), 3), np.int64)
    names = sorted({name for run in (*first, *second) for name in run})
    return {name: ([run.get(name, none) for run in first], [run.get(name, none) for run in second]) for name in names}


def _tested(
    counts: dict[str, tuple[list[Counts], list[Counts]]], layer: ScoredLayer, seed: int
) -> dict[str, Difference]:
    """Return the difference of each type, the surest first."""
    tested = tested_differences(list(counts.values()), f1, units=units_of(layer), seed=seed)
    found = zip(counts, tested, strict=True)
    return dict(sorted(found, key=lambda each: (max(each[1].p_values.values()), -abs(each[1].value), each[0])))


def _f1(counts: Counts) -> float:
    return float(f1(counts.sum(0).astype(float)))


def _note(sides: Sequence[Side], units: str) -> str:
    """Return how the differences were computed, in words."""
    first, several = sides[0].name, len(sides) > 2
    parts = [
        f"Difference from {first}, {100 * LEVEL:.0f} % interval, two-sided p-values: {units}, {RESAMPLES:,} resamples."
    ]
    parts += [GROUPS] if len(sides[0].runs) > 1 else []
    parts += [f"P-values are corrected after Holm for {len(sides) - 1} comparisons."] if several else []
    parts += ["Compare two systems to see changes by type and mistakes."] if several else []
    return " ".join(parts)
