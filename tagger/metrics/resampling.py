"""How sure a score is: its bootstrap interval over sentences or documents.

A score is a function of sums: each sentence contributes a row of counts, and the rows of all sentences are added up.
Resampling draws units, which are sentences, or documents with all their sentences. Units with equal counts can be
exchanged, so only the number of each distinct row is drawn. Differences of scores are tested in `significance.py`.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Statistic = Callable[[Array], Array]  # sums of counts, of shape (..., columns), to scores, of shape (...)
RESAMPLES = 10_000
CELLS = 2_000_000  # most numbers drawn at once, so that memory stays bounded
REPEATS = 8  # at fewer occurrences of a row than this, drawing each unit by its index is faster
TOLERANCE = 1e-12  # differences of scores that are equal but for rounding


class Interval(NamedTuple):
    """The lower and the upper end of a confidence interval."""

    low: float
    high: float


def f1(sums: Array) -> Array:
    """Return F1 from the numbers of correct, predicted and gold entities; 0.0 where there is none."""
    return _ratio(2 * sums[..., 0], sums[..., 1] + sums[..., 2])


def accuracy(sums: Array) -> Array:
    """Return accuracy from the number of right predictions and the number of all; 0.0 where there is none."""
    return _ratio(sums[..., 0], sums[..., 1])


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> Array:
    """Return the quotient of two arrays of one shape; 0.0 where the divisor is 0."""
    quotient: Array = np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole > 0)
    return quotient


def interval(
    counts: ArrayLike,
    statistic: Statistic,
    *,
    units: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int = 1,
) -> Interval | None:
    """Return the bootstrap confidence interval of a score, or None if it is undefined.

    It is undefined if there are fewer than two units, or if the score is the same in each resample: nothing to score
    (all counts are 0), everything right, or everything wrong. The sentences then do not show how much the score varies,
    and an interval of no width would look like certainty.

    Args:
        counts: What each sentence contributes to the score, of shape (sentences, columns).
        statistic: The score as a function of sums of these counts.
        units: The document of each sentence; default: each sentence is a unit of its own.
        resamples: Number of resamples.
        level: Probability that the interval covers the true score.
        seed: Seed of the resampling.

    Raises:
        ValueError: `units` has another length than `counts`.

    Source:
        Efron (1987), "Better Bootstrap Confidence Intervals" (BCa); Efron and Tibshirani (1993), "An Introduction to
        the Bootstrap", equations 14.9 to 14.15. Chosen over the percentile interval because scores near 1 are skewed:
        where percentile intervals of simulated corpora of 50 to 1,000 sentences were up to four times as often too
        high as too low, these missed about equally often on either side. Their coverage was 93 to 97 % from 150
        sentences on; with 50 sentences, accuracy of tags had 91 %. Compared with scipy, and with the true scores of
        simulated corpora, in tests/metrics/test_resampling.py.
    """
    rows = sums_per_unit(counts, units)
    if len(rows) < 2:
        return None
    scores = np.concatenate([statistic(sums) for sums in resampled_sums(rows, resamples, seed)])
    if scores.min() == scores.max():
        return None
    return bca_interval(scores, rows, statistic, level)


def bca_interval(scores: Array, rows: Array, statistic: Statistic, level: float) -> Interval:
    """Return the interval between two quantiles of resampled scores, corrected for bias and skewness."""
    observed, normal = statistic(rows.sum(0)), NormalDist()
    below = np.count_nonzero(scores < observed) + np.count_nonzero(scores <= observed)
    bias = normal.inv_cdf((below + 1) / (2 * len(scores) + 2))
    skewness = _acceleration(rows, statistic)
    shifts = [bias + normal.inv_cdf(share) for share in ((1 - level) / 2, (1 + level) / 2)]
    low, high = np.quantile(scores, [normal.cdf(bias + shift / (1 - skewness * shift)) for shift in shifts])
    return Interval(float(low), float(high))


def _acceleration(rows: Array, statistic: Statistic) -> float:
    """Return the skewness of what each unit contributes to the score, by leaving out one unit at a time."""
    distinct, numbers = np.unique(rows, axis=0, return_counts=True)
    without = statistic(rows.sum(0) - distinct)
    change = np.average(without, weights=numbers) - without
    spread = float((change**2 @ numbers) ** 1.5)
    return float(change**3 @ numbers) / (6 * spread) if spread else 0.0


def sums_per_unit(counts: ArrayLike, units: Sequence[Hashable] | None) -> Array:
    """Return the counts of each unit, of shape (units, columns): added up over its sentences.

    Raises:
        ValueError: `units` has another length than `counts`.
    """
    rows = np.asarray(counts, float)
    if units is None:
        return rows
    if len(units) != len(rows):
        raise ValueError(f"units must have one id for each of the {len(rows)} rows of counts, got {len(units)} ids")
    place = {unit: number for number, unit in enumerate(dict.fromkeys(units))}
    sums = np.zeros((len(place), rows.shape[1]))
    np.add.at(sums, [place[unit] for unit in units], rows)
    return sums


def resampled_sums(rows: Array, resamples: int, seed: int) -> Iterator[Array]:
    """Yield the sums of as many rows as there are, drawn with replacement, in chunks of shape (resamples, columns)."""
    distinct, numbers = np.unique(rows, axis=0, return_counts=True)
    total, rng = len(rows), np.random.default_rng(seed)
    for size in chunks(resamples, total):
        if len(distinct) * REPEATS <= total:
            yield rng.multinomial(total, numbers / total, size) @ distinct
        else:
            yield _drawn_by_index(total, size, rng) @ np.repeat(distinct, numbers, axis=0)  # sorted: any order agrees


def chunks(resamples: int, width: int) -> Iterator[int]:
    """Yield how many resamples to draw at once if each needs `width` numbers."""
    most = max(1, CELLS // max(width, 1))
    for done in range(0, resamples, most):
        yield min(most, resamples - done)


def _drawn_by_index(total: int, size: int, rng: np.random.Generator) -> Array:
    """Return how often each of `total` units was drawn, of shape (size, total)."""
    drawn = rng.integers(0, total, (size, total))
    drawn += total * np.arange(size)[:, None]  # so that one count over all serves each resample
    return np.bincount(drawn.ravel(), minlength=size * total).reshape(size, total).astype(float)
