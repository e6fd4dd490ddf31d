"""The gold and the predicted numbers of a layer, and their scores."""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from tagger.metrics.layer import Counts, ScoredLayer
from tagger.metrics.numbers.errors import Floats, coverage, mae, rmse
from tagger.metrics.resampling import Array, Statistic
from tagger.text.sentence import Values


@dataclass(frozen=True, slots=True)
class ValueScores:
    """Errors of predicted numbers. What is not defined is None.

    Args:
        mae: Mean absolute error.
        rmse: Root of the mean squared error.
        r2: Share of the variance of gold that the prediction explains; negative if the mean of gold is better.
        mase: Mean absolute error divided by that of the naive forecast, which repeats the number before.
        values: Number of values scored.
        unknown: Number of values that are not scored, because their gold value is unknown.
        coverage: Share of values in their intervals.
        level: The share that the intervals are to contain.
        width: Mean width of the intervals.
        headline: Variance of gold divided by itself plus the mean squared error: 1 without errors, 0.5 if the mean of
            gold is as good. It rises with R2, but stays from 0 to 1.
    """

    mae: float | None
    rmse: float | None
    r2: float | None
    mase: float | None
    values: int
    unknown: int
    coverage: float | None
    level: float | None
    width: float | None
    headline: float

    @property
    def rule(self) -> dict[str, str]:
        """What computed the scores, and by which rule."""
        return {"scorer": "tagger", "rule": "variance / (variance + squared error)"}

    def to_dict(self) -> dict[str, object]:
        """Return the scores as JSON values."""
        return asdict(self)

    def lines(self, *, most: int | None = None) -> list[str]:
        """Return the scores as lines of text."""
        if self.mae is None:
            return [f"score {self.headline:.4f} of 0 values"]
        lines = [f"score {self.headline:.4f} of {self.values} values; MAE {self.mae:.5g}, RMSE {self.rmse:.5g}"]
        if self.r2 is not None:
            lines.append(f"R2: {self.r2:.4f}")
        if self.mase is not None:
            lines.append(f"MASE: {self.mase:.4f} (below 1, it is better than repeating the value before)")
        if self.coverage is not None:
            told = "" if self.level is None else f", wanted {self.level:.4g}"
            lines.append(f"in their intervals: {self.coverage:.4f}{told}; mean width {self.width:.5g}")
        return [*lines, *([f"unknown values, not scored: {self.unknown}"] if self.unknown else [])]


class Sides(NamedTuple):
    """Gold and predicted numbers with the ends of their intervals, one after the other; NaN where there is none."""

    gold: Floats
    predicted: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class ValueLayer(ScoredLayer):
    """A layer of numbers."""

    kind: ClassVar[str] = "numbers"
    can_be_sure: ClassVar[bool] = False

    @cached_property
    def pairs(self) -> tuple[Sides, ...]:
        """The two sides of each sentence.

        Raises:
            ValueError: They do not have equally many numbers.
        """
        return tuple([_sides(one.values(self.name), two.values(self.name)) for one, two in self.both])

    @cached_property
    def all(self) -> Sides:
        """Those of all sentences together."""
        nothing = Sides(*(np.empty(0) for _ in Sides._fields))
        return Sides(*(np.concatenate(parts) for parts in zip(nothing, *self.pairs, strict=True)))

    @cached_property
    def counts(self) -> Counts:
        """Number of known values of each sentence, and sums of their squared errors, their values and their squares.

        Values are counted from the mean of all, so that squares of large values do not lose digits.
        """
        gold = self.all.gold
        middle = gold[~np.isnan(gold)].mean() if not np.isnan(gold).all() else 0.0
        rows = []
        for side in self.pairs:
            known = ~np.isnan(side.gold)
            values, errors = side.gold[known] - middle, (side.predicted - side.gold)[known]
            rows.append((known.sum(), (errors**2).sum(), values.sum(), (values**2).sum()))
        return np.array(rows, np.float64).reshape(-1, 4)

    @property
    def statistic(self) -> Statistic:
        """The variance of gold divided by itself plus the mean squared error."""
        return explained

    @cached_property
    def scores(self) -> ValueScores:
        """The scores of numbers."""
        gold, predicted, low, high = self.all
        known = ~np.isnan(gold)
        number, squared, total, squares = self.counts.sum(0)
        spread = squares - total**2 / number if number else 0.0
        error, naive = mae(gold, predicted), self._naive_error
        intervals = bool(known.any()) and not np.isnan(low[known]).any()
        return ValueScores(
            mae=error if number else None,
            rmse=rmse(gold, predicted) if number else None,
            r2=float(1 - squared / spread) if spread > 0 and not np.isnan(squared) else None,
            mase=error / naive if number and naive else None,
            values=int(number),
            unknown=int((~known).sum()),
            coverage=coverage(gold, low, high) if intervals else None,
            level=next((found.level for found in self._found if found.level is not None), None) if intervals else None,
            width=float((high - low)[known].mean()) if intervals else None,
            headline=self.headline,
        )

    @property
    def _naive_error(self) -> float | None:
        """The mean difference between neighbouring gold values of a sentence; None if there are none."""
        steps = np.abs(np.concatenate([np.empty(0), *(np.diff(side.gold) for side in self.pairs)]))
        known = steps[~np.isnan(steps)]
        return float(known.mean()) if known.size else None

    @property
    def _found(self) -> list[Values]:
        return [sentence.values(self.name) for sentence in self.predicted]


def explained(sums: Array) -> Array:
    """Return variance / (variance + mean squared error) from sums of `counts`; 0.0 where there is no value.

    It is 0.0 too where an error is NaN.
    """
    number = np.maximum(sums[..., 0], 1)
    spread = np.maximum(sums[..., 3] - sums[..., 2] ** 2 / number, 0)
    whole = spread + sums[..., 1]
    perfect: Array = np.array((sums[..., 0] > 0) & (whole == 0), np.float64)  # an error that is NaN is none
    np.divide(spread, whole, out=perfect, where=whole > 0)
    return perfect


def _sides(gold: Values, predicted: Values) -> Sides:
    size = len(gold.values)
    if len(predicted.values) != size:
        raise ValueError(f"gold and predicted must have equally many values, got {size} and {len(predicted.values)}")
    none = (None,) * size
    found = (gold.values, predicted.values, predicted.low or none, predicted.high or none)
    return Sides(*(np.array(part, np.float64) for part in found))
