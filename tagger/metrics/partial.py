"""Partial credit for entities, as in SemEval-2013 task 9: four measures of how predicted entities agree with gold.

`strict` wants type and boundaries, `exact` the boundaries alone, `partial` gives half a point where boundaries overlap,
and `type` wants an overlap and the same type.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tagger.metrics.entity_layer import EntityLayer, SpanPair
from tagger.metrics.rates import ratio
from tagger.metrics.section import Section, Table
from tagger.text.schemes import Boundary
from tagger.text.sentence import Sentence

Sides = tuple[Sequence[Boundary], Sequence[Boundary]]  # gold and predicted entities of a sentence
Indices = tuple[int, int]  # of a gold and a predicted entity

MEASURES = ("strict", "exact", "partial", "type")
POINTS = {"correct": 2, "partial": 1, "incorrect": 0}  # in halves
COLUMNS = ("COR", "INC", "PAR", "MIS", "SPU", "POS", "ACT", "precision", "recall", "F1")
NOTE = (
    "The measures of SemEval-2013 task 9 (Segura-Bedmar et al., 2013). strict: type and boundaries are right; "
    "exact: boundaries are right; partial: half a point for boundaries that overlap; type: an overlap with the same "
    "type. Each gold entity is paired with at most one predicted entity that overlaps it, so that each measure is as "
    "high as possible. COR, INC and PAR are pairs that are correct, incorrect and partly correct, MIS missed and "
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


def score_partial(sentences: Iterable[Sides]) -> dict[str, dict[str, Credit]]:
    """Return for each measure the credit of all entities, under `ALL`, and of each type, by its name.

    In the credit of a type, pairs and missed entities are those of its gold entities; spurious and actual entities and
    precision are those of its predicted entities. So strict credit agrees with the strict scores of the type.

    Args:
        sentences: The gold and the predicted entities of each sentence, both in tokens or both in characters.

    Source:
        Segura-Bedmar, Martínez and Herrero-Zazo (2013), "SemEval-2013 Task 9", after Chinchor and Sundheim (1993),
        "MUC-5 evaluation metrics". The texts leave open how entities are paired where several overlap: here one to one,
        for each measure with the most points and then the most pairs. Compared with the examples of the task and with
        all possible assignments in tests/metrics/test_partial.py.
    """
    sure: Counter[Match] = Counter()
    chosen: dict[str, Counter[Match]] = {measure: Counter() for measure in MEASURES}
    for sides in sentences:
        close = overlapping(*sides)
        if close == alone(close):  # nothing to choose, as nearly always
            sure.update(matches(sides, close))
            continue
        for measure in MEASURES:
            chosen[measure].update(matches(sides, paired(sides, close, measure)))
    return {measure: _credits(sure + counts, measure) for measure, counts in chosen.items()}


def overlapping(gold: Sequence[Boundary], predicted: Sequence[Boundary]) -> list[Indices]:
    """Return the index of each gold entity and each predicted entity that overlap."""
    return [
        (i, j)
        for i, (_, start, end) in enumerate(gold)
        for j, (_, other_start, other_end) in enumerate(predicted)
        if start < other_end and other_start < end
    ]


def alone(close: Sequence[Indices]) -> list[Indices]:
    """Return the pairs of entities that overlap each other and nothing else."""
    gold, predicted = Counter(i for i, _ in close), Counter(j for _, j in close)
    return [(i, j) for i, j in close if gold[i] == predicted[j] == 1]


def paired(sides: Sides, close: Sequence[Indices], measure: str) -> list[Indices]:
    """Return the pairs that give a measure the most points, and of such pairings one with the most pairs.

    Args:
        sides: The gold and predicted entities.
        close: Which of them overlap, by their indices; each entity is in one pair of the result at most.
        measure: One of the `MEASURES`.
    """
    from scipy.optimize import linear_sum_assignment

    sure = alone(close)
    others = sorted(set(close).difference(sure))
    if not others:
        return sure
    rows, columns = (sorted(set(side)) for side in zip(*others, strict=True))
    worth = np.zeros((len(rows), len(columns)))
    for i, j in others:
        points = POINTS[_match(sides, i, j).outcome(measure)]
        worth[rows.index(i), columns.index(j)] = 1 + points * (len(rows) + 1)  # half a point is worth all pairs
    found = zip(*linear_sum_assignment(worth, maximize=True), strict=True)
    return [*sure, *((rows[i], columns[j]) for i, j in found if worth[i, j])]


def matches(sides: Sides, pairs: Sequence[Indices]) -> Iterator[Match]:
    """Yield what became of each entity of a sentence, given the pairs."""
    gold, predicted = sides
    yield from (_match(sides, i, j) for i, j in pairs)
    for i in {*range(len(gold))}.difference(i for i, _ in pairs):
        yield Match(gold[i].type, None)
    for j in {*range(len(predicted))}.difference(j for _, j in pairs):
        yield Match(None, predicted[j].type)


def _match(sides: Sides, i: int, j: int) -> Match:
    gold, predicted = sides[0][i], sides[1][j]
    return Match(gold.type, predicted.type, gold[1:] == predicted[1:])


def partial(layer: EntityLayer) -> Section:
    """Return the partial credit of a layer as a section of its report."""
    scores = score_partial(_sides(pair, gold) for pair, gold in zip(layer.pairs, layer.gold, strict=True))
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


def _sides(pair: SpanPair, sentence: Sentence) -> Sides:
    """Return the entities of a sentence: in tokens, or in characters if tokens cannot express them all."""
    if not (pair.beside or pair.stray):
        return pair.gold, pair.predicted
    offsets = sentence.offsets
    gold, predicted = (
        [Boundary(name, offsets[start][0], offsets[end - 1][1]) for name, start, end in side]
        for side in (pair.gold, pair.predicted)
    )
    found = [entity for entity, found in pair.beside if found]
    beside = [entity for entity, _ in pair.beside]
    return [*gold, *(Boundary(*e) for e in beside)], [*predicted, *(Boundary(*e) for e in (*found, *pair.stray))]


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
    return ratio(sum(POINTS.get(name, 0) * number for name, number in outcomes.items()), 2 * outcomes.total())
