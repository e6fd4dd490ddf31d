"""Whether two scores on the same sentences differ by more than chance, for two models or two groups of runs.

A p-value is the probability of a difference at least as large as the observed one if there is no true difference.
Intervals of single scores are in `resampling.py`.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tagger.metrics.resampling import (
    REPEATS,
    RESAMPLES,
    TOLERANCE,
    Array,
    Interval,
    Statistic,
    bca_interval,
    chunks,
    resampled_sums,
    sums_per_unit,
)


class Comparison(NamedTuple):
    """The difference of two scores, its confidence interval, and two p-values (two-sided)."""

    difference: float
    interval: Interval | None
    p_bootstrap: float
    p_randomisation: float


def compare_paired(
    one: ArrayLike,
    two: ArrayLike,
    statistic: Statistic,
    *,
    units: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int = 1,
) -> Comparison:
    """Return the score of `one` minus that of `two` on the same sentences, and how sure the difference is.

    The bootstrap draws units with both their predictions. Approximate randomisation exchanges the predictions of each
    unit with probability 1/2. With fewer than two units there is no evidence: no interval, and p-values of 1.0.

    Args:
        one: What each sentence contributes to the first score, of shape (sentences, columns).
        two: What it contributes to the second score.
        statistic: The score as a function of sums of these counts.
        units: The document of each sentence; default: each sentence is a unit of its own.
        resamples: Number of resamples of each method.
        level: Probability that the interval covers the true difference.
        seed: Seed of the resampling.

    Raises:
        ValueError: `one` and `two` differ in shape, or `units` has another length.

    Source:
        Paired bootstrap: Berg-Kirkpatrick, Burkett and Klein (2012), "An Empirical Investigation of Statistical
        Significance in NLP". Approximate randomisation: Noreen (1989), "Computer-Intensive Methods for Testing
        Hypotheses"; Yeh (2000), "More accurate tests for the statistical significance of result differences".
    """
    left, right = sums_per_unit(one, units), sums_per_unit(two, units)
    if left.shape != right.shape:
        raise ValueError(f"both must have counts of the same shape, got {left.shape} and {right.shape}")

    def difference_of(sums: Array) -> Array:
        return statistic(sums[..., : left.shape[1]]) - statistic(sums[..., left.shape[1] :])

    both = np.concatenate([left, right], axis=1)
    difference = float(difference_of(both.sum(0)))
    if len(both) < 2 or not both.any():
        return Comparison(difference, None, 1.0, 1.0)
    drawn = np.concatenate([difference_of(sums) for sums in resampled_sums(both, resamples, seed)])
    exchanged = np.concatenate([difference_of(sums) for sums in _exchanged_sums(left, right, resamples, seed)])
    return Comparison(
        difference,
        bca_interval(drawn, both, difference_of, level),
        _p_value(drawn - difference, difference),
        _p_value(exchanged, difference),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, in the order given, each at most 1.0.

    Source:
        Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    corrected, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[place] * (len(p_values) - rank)))
        corrected[place] = largest
    return corrected


def _exchanged_sums(one: Array, two: Array, resamples: int, seed: int) -> Iterator[Array]:
    """Yield the sums of both, side by side, after each random exchange; units that are equal in both need no draw."""
    changes, rng = (two - one)[(one != two).any(1)], np.random.default_rng(seed)
    distinct, numbers = np.unique(changes, axis=0, return_counts=True)
    for size in chunks(resamples, len(changes)):
        if len(distinct) * REPEATS <= len(changes):
            moved = rng.binomial(numbers, 0.5, (size, len(distinct))) @ distinct
        else:
            moved = rng.integers(0, 2, (size, len(changes)), np.int8).astype(float) @ np.repeat(
                distinct, numbers, axis=0
            )
        yield np.concatenate([one.sum(0) + moved, two.sum(0) - moved], axis=1)


def _p_value(differences: Array, observed: float) -> float:
    """Return how often a difference without effect is as large as the observed one, on either side.

    The observed one is counted as well, so that a p-value is never 0 (Davison and Hinkley 1997, equation 4.11).
    """
    as_large = int(np.count_nonzero(np.abs(differences) >= abs(observed) - TOLERANCE))
    return (1 + as_large) / (1 + len(differences))
