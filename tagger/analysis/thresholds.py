"""Thresholds: what is left, and how good it is, if predictions with a lower probability are dropped.

`tagger tag --min-score` drops entities in the same way.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.analysis.reliability import missing_probabilities
from tagger.metrics.layer import ScoredLayer
from tagger.metrics.section import Curve, Section, Table

SHOWN = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
WANTED = (0.8, 0.9, 0.95, 0.99)
Counts = NDArray[np.int64]
POINTS = 101  # thresholds of a curve
NOTE = (
    "What is left if predictions with a probability below the threshold are dropped. Choose a threshold on dev data "
    "and report the scores on test data: one that is chosen on the data it is scored on looks better than it is."
)
MIN_SCORE = " For entities it is the value of `tagger tag --min-score`."


class Kept(NamedTuple):
    """The predictions that are left at a threshold; a rate is None where nothing can be counted.

    `precision` is the share of these that is right, `recall` the share of gold that is found.
    """

    threshold: float
    kept: int
    precision: float | None
    recall: float | None
    f1: float | None


class Thresholds:
    """Predictions in the order of their probability.

    Args:
        hits: The probability of each prediction, and whether it is right.
        gold: Number of gold entities, tokens or sentences.
    """

    def __init__(self, hits: Iterable[tuple[float, bool]], gold: int) -> None:
        ordered = sorted(hits)
        self.gold = gold
        self.scores: NDArray[np.float64] = np.array([score for score, _ in ordered], np.float64)
        right = np.array([hit for _, hit in ordered], np.int64)
        self.right: Counts = np.concatenate([right[::-1].cumsum()[::-1], [0]])  # of the predictions from the n-th on
        self.starts: Counts = np.unique(self.scores, return_index=True)[1]  # the first of each distinct probability

    def at(self, threshold: float) -> Kept:
        """Return what is left at a threshold."""
        first = int(np.searchsorted(self.scores, threshold, side="left"))
        kept, right = len(self.scores) - first, int(self.right[first])
        return Kept(
            threshold,
            kept,
            right / kept if kept else None,
            right / self.gold if self.gold else None,
            2 * right / (kept + self.gold) if kept + self.gold else None,
        )

    def best(self) -> Kept | None:
        """Return the threshold of the highest F1, the lowest of several; None if there is no gold or no prediction."""
        if not self.gold or not self.scores.size:
            return None
        kept, right = self._distinct()
        return self._at_start(int(np.argmax(2 * right / (kept + self.gold))))

    def reaching(self, precision: float) -> Kept | None:
        """Return the lowest threshold with at least this precision, so the highest recall; None if there is none."""
        kept, right = self._distinct()
        enough = np.flatnonzero(right / kept >= precision)
        return self._at_start(int(enough[0])) if enough.size else None

    def _distinct(self) -> tuple[Counts, Counts]:
        """Return how many predictions are left, and right, from each distinct probability on."""
        kept = len(self.scores) - self.starts
        return kept, self.right[self.starts]

    def _at_start(self, number: int) -> Kept:
        """Return what is left from a distinct probability on, with a threshold of few decimals."""
        below = self.scores[self.starts[number - 1]] if number else -1.0
        return self.at(_shortest(float(below), float(self.scores[self.starts[number]])))


def _shortest(below: float, score: float) -> float:
    """Return the number with the fewest decimals that is above `below` and at most `score`."""
    for digits in range(16):
        rounded = float(np.floor(score * 10**digits) / 10**digits)
        if below < rounded <= score:
            return rounded
    return score


def thresholds(layer: ScoredLayer, wanted: Sequence[float] = WANTED) -> Section:
    """Return precision, recall and F1 by threshold, and the lowest threshold for each wanted precision.

    Args:
        layer: The layer.
        wanted: The precisions, from 0 to 1.

    Source:
        Compared with a count for each threshold alone in tests/analysis/test_thresholds.py; at 0 the rates are those of
        the report.
    """
    note = NOTE + (MIN_SCORE if layer.kind == "entities" else "")
    if not layer.hits:
        why = missing_probabilities(layer)
        return Section("thresholds", "Thresholds", f"Not defined: {why}. {note}", None, (f"thresholds: {why}",))
    found = Thresholds(layer.hits, int(layer.counts[:, -1].sum()))
    rows, best = [found.at(threshold) for threshold in SHOWN], found.best()
    reached = {f"{precision:g}": found.reaching(precision) for precision in wanted}
    columns = ("threshold", "kept", "precision", "recall", "F1")
    return Section(
        key="thresholds",
        title="Thresholds",
        note=note,
        data={
            "table": [row._asdict() for row in rows],
            "best_f1": best and best._asdict(),
            "wanted_precision": {name: row and row._asdict() for name, row in reached.items()},
        },
        brief=_brief(best, reached),
        tables=(
            Table(columns, tuple(map(_cells, rows)), "Precision, recall and F1 by threshold"),
            Table(("", *columns), (("best F1", *_cells(best)),), "Threshold of the best F1"),
            Table(
                ("wanted precision", *columns),
                tuple((name, *_cells(row)) for name, row in reached.items()),
                "Lowest threshold with a wanted precision",
            ),
        ),
        curves=(_curve(found),),
    )


def _cells(row: Kept | None) -> tuple[str | int | float | None, ...]:
    return (None,) * 5 if row is None else (f"{row.threshold:.15g}", *row[1:])


def _brief(best: Kept | None, reached: Mapping[str, Kept | None]) -> tuple[str, ...]:
    first = f"best F1 {best.f1:.4f} at threshold {best.threshold:.15g}" if best else "no gold, so no best threshold"
    each = (
        f"{name}: {row.threshold:.15g} (recall {row.recall:.4f})" if row and row.recall is not None else f"{name}: none"
        for name, row in reached.items()
    )
    return first, f"lowest threshold for precision {', '.join(each)}"


def _curve(found: Thresholds) -> Curve:
    rows = [found.at(i / (POINTS - 1)) for i in range(POINTS)]
    lines = {
        name: tuple((row.threshold, value) for row in rows if (value := getattr(row, key)) is not None)
        for key, name in (("precision", "precision"), ("recall", "recall"), ("f1", "F1"))
    }
    return Curve("Precision, recall and F1 by threshold", "threshold", "score", lines)
