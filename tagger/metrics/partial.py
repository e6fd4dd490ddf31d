"""Partial credit for entities, as in SemEval-2013 task 9: four measures of the same pairs of entities.

`strict` wants type and boundaries, `exact` the boundaries alone, `partial` gives half a point where boundaries overlap,
and `type` wants an overlap and the same type.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tagger.metrics.layer import EntityLayer, SpanPair
from tagger.metrics.rates import ratio
from tagger.metrics.section import Section, Table
from tagger.text.schemes import Boundary

MEASURES = ("strict", "exact", "partial", "type")
COLUMNS = ("COR", "INC", "PAR", "MIS", "SPU", "POS", "ACT", "precision", "recall", "F1")
NOTE = (
    "Partial credit as in SemEval-2013 task 9 (Segura-Bedmar et al., 2013). strict: type and boundaries are right; "
    "exact: boundaries are right; partial: half a point for boundaries that overlap; type: an overlap with the same "
    "type. Each gold entity is paired with at most one predicted entity that shares a token with it, so that a measure "
    "is as high as possible. COR, INC and PAR are pairs that are correct, incorrect and partly correct, MIS missed and "
    "SPU spurious entities; POS counts gold, ACT predicted entities; precision is (COR + PAR / 2) / ACT, recall "
    "(COR + PAR / 2) / POS."
)
TYPES_TITLE = (
    "by type (COR, INC, PAR, MIS, POS and recall of its gold entities; SPU, ACT and precision of predicted ones)"
)
ALL = ""  # in the place of a type: all entities together


class Match(NamedTuple):
    """What became of an entity: its gold and its predicted type, None if it is on one side only."""

    gold: str | None
    predicted: str | None
    same_boundaries: bool = False

    def outcome(self, measure: str) -> str:
        """Return the outcome in one of the `MEASURES`."""
        if self.gold is None or self.predicted is None:
            return "spurious" if self.gold is None else "missed"
        same_type = self.gold == self.predicted
        if measure == "partial":
            return "correct" if self.same_boundaries else "partial"
        right = {
            "strict": same_type and self.same_boundaries,
            "exact": self.same_boundaries,
            "type": same_type,
        }
        return "correct" if right[measure] else "incorrect"


@dataclass(frozen=True, slots=True)
class Credit:
    """The outcomes of one measure, and the rates that follow from them; a rate without entities is 0.0.

    Args:
        gold: How many gold entities have each outcome: correct, incorrect, partial or missed.
        predicted: How many predicted entities have each outcome: correct, incorrect, partial or spurious.
    """

    gold: "Counter[str]"
    predicted: "Counter[str]"

    @property
    def precision(self) -> float:
        """Points per predicted entity, from 0 to 1."""
        return _points_per_entity(self.predicted)

    @property
    def recall(self) -> float:
        """Points per gold entity, from 0 to 1."""
        return _points_per_entity(self.gold)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def to_dict(self) -> dict[str, int | float]:
        """Return outcomes and rates as JSON values, in the order of `COLUMNS`."""
        return {
            **{name: self.gold[name] for name in ("correct", "incorrect", "partial", "missed")},
            "spurious": self.predicted["spurious"],
            "possible": self.gold.total(),
            "actual": self.predicted.total(),
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
        }


def score_partial(pairs: Sequence[SpanPair]) -> dict[str, dict[str, Credit]]:
    """Return for each measure the credit of all entities, under `ALL`, and of each type, by its name.

    In the credit of a type, pairs and missed entities are those of its gold entities; spurious and actual entities and
    precision are those of its predicted entities. So strict credit agrees with the strict scores of the type.

    Source:
        Segura-Bedmar, Martínez and Herrero-Zazo (2013), "SemEval-2013 Task 9", section 4.1, after Chinchor and
        Sundheim (1993), "MUC-5 evaluation metrics". The texts leave open how entities are paired where several overlap:
        here one to one, for each measure with the most points and then the most pairs. Compared with the examples of
        the task and with all possible assignments in tests/metrics/test_partial.py.
    """
    by_overlap = Counter(match for pair in pairs for match in matches(pair, by_type=False))
    by_type = Counter(match for pair in pairs for match in matches(pair, by_type=True))
    found = {measure: by_type if measure == "type" else by_overlap for measure in MEASURES}
    return {measure: _credits(counts, measure) for measure, counts in found.items()}


def matches(pair: SpanPair, *, by_type: bool) -> Iterator[Match]:
    """Yield the matches of all entities of a sentence.

    Args:
        pair: The gold and predicted entities.
        by_type: Whether pairs of the same type are preferred; otherwise those with the same boundaries are.
    """
    same = {*pair.gold} & {*pair.predicted}
    gold, predicted = ([span for span in side if span not in same] for side in (pair.gold, pair.predicted))
    yield from (Match(span.type, span.type, same_boundaries=True) for span in same)
    for left, right in paired(gold, predicted, by_type=by_type):
        yield Match(left.type, right.type, (left.start, left.end) == (right.start, right.end))
        gold.remove(left)
        predicted.remove(right)
    yield from (Match(span.type, None) for span in gold)
    yield from (Match(None, span.type) for span in predicted)
    for entity, found in pair.beside:
        yield Match(entity.type, entity.type if found else None, found)


def paired(
    gold: Sequence[Boundary], predicted: Sequence[Boundary], *, by_type: bool
) -> list[tuple[Boundary, Boundary]]:
    """Return pairs of entities that share tokens, each entity in one pair at most.

    The most pairs possible have the same type (`by_type`) or the same boundaries, and among such pairings it is one
    with the most pairs.
    """
    close = [(g, p) for g in gold for p in predicted if g.start < p.end and p.start < g.end]
    if len({g for g, _ in close}) == len(close) == len({p for _, p in close}):
        return close  # nothing to choose
    from scipy.optimize import linear_sum_assignment

    worth = np.zeros((len(gold), len(predicted)))
    for left, right in close:
        preferred = left.type == right.type if by_type else left[1:] == right[1:]
        worth[gold.index(left), predicted.index(right)] = 1 + preferred * (min(worth.shape) + 1)
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return [(gold[i], predicted[j]) for i, j in zip(rows, columns, strict=True) if worth[i, j]]


def partial(layer: EntityLayer) -> Section:
    """Return the partial credit of a layer as a section of its report."""
    scores = score_partial(layer.pairs)
    whole = {measure: credits[ALL] for measure, credits in scores.items()}
    types = [name for name in scores["strict"] if name != ALL]
    figures = ", ".join(f"{measure} {credit.f1:.4f}" for measure, credit in whole.items())
    brief = f"partial credit (SemEval-2013), F1: {figures}{'' if types else '; no entities'}"
    rows = [(name, measure, *scores[measure][name].to_dict().values()) for name in types for measure in MEASURES]
    return Section(
        "partial",
        "Partial credit",
        NOTE,
        {
            measure: {**credits[ALL].to_dict(), "types": {name: credits[name].to_dict() for name in types}}
            for measure, credits in scores.items()
        },
        (brief,),
        (
            Table(("measure", *COLUMNS), tuple([(measure, *c.to_dict().values()) for measure, c in whole.items()])),
            *([Table(("type", "measure", *COLUMNS), tuple(rows), TYPES_TITLE)] if types else []),
        ),
    )


def _credits(counts: "Counter[Match]", measure: str) -> dict[str, Credit]:
    """Return the credit of all entities and of each type."""
    types = sorted({name for match in counts for name in match[:2] if name is not None})
    found = {name: Credit(Counter(), Counter()) for name in (ALL, *types)}
    for match, number in counts.items():
        outcome = match.outcome(measure)
        for name in (ALL, match.gold) if match.gold is not None else ():
            found[name].gold[outcome] += number
        for name in (ALL, match.predicted) if match.predicted is not None else ():
            found[name].predicted[outcome] += number
    return found


def _points_per_entity(outcomes: "Counter[str]") -> float:
    return ratio(2 * outcomes["correct"] + outcomes["partial"], 2 * outcomes.total())
