"""Whether two groups of runs differ, such as two recipes with several seeds each, on the same test sentences.

The means over the runs differ by chance for two reasons: other seeds give other networks, and another test set has
other sentences. Two single models are compared in `significance.py`.
"""

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median, stdev
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from tagger.metrics.resampling import RESAMPLES, TOLERANCE, Array, Interval, Statistic, resampled_sums, sums_per_unit


class GroupComparison(NamedTuple):
    """The difference of two mean scores, its confidence interval, its p-value (two-sided) and where its error is from.

    Args:
        difference: Mean score of the first group minus that of the second.
        interval: Confidence interval of the difference; None if there are fewer than two sentences or documents.
        p: Probability of a difference at least as large if there is no true difference.
        seed_error: Standard error of the difference from the choice of seeds, with what single runs make of single
            sentences: the part that more runs make smaller.
        sentence_error: Standard error of the difference from the choice of test sentences: the part that all runs of a
            group share, which more runs do not make smaller. Its square is an estimate that may be below 0, and the
            error is then 0: the sentences that are hard for one group are as hard for the other.
    """

    difference: float
    interval: Interval | None
    p: float
    seed_error: float
    sentence_error: float


def compare_groups(
    ones: Sequence[ArrayLike],
    others: Sequence[ArrayLike],
    statistic: Statistic,
    *,
    units: Sequence[Hashable] | None = None,
    resamples: int = RESAMPLES,
    level: float = 0.95,
    seed: int = 1,
) -> GroupComparison:
    """Return the mean score of one group of runs minus that of another, with the variance of seeds and sentences.

    All runs share the test sentences, so there are two sources of variance that cross each other. The variance of the
    scores within each group is that of seeds, and contains what single runs make of single sentences. The covariance
    between runs is that of sentences, and comes from a bootstrap of the sentences. The sum of both gives a t-test with
    the degrees of freedom of Welch and Satterthwaite, as few seeds leave their variance uncertain.

    Equal seeds in both groups are not pairs: a seed has nothing in common between two recipes.

    Args:
        ones: For each run of the first group, what each sentence contributes to its score: (sentences, columns).
        others: The same of the second group; the numbers of runs may differ.
        statistic: The score as a function of sums of these counts.
        units: The document of each sentence; default: each sentence is a unit of its own.
        resamples: Number of bootstrap resamples of the sentences, which are the same for all runs.
        level: Probability that the interval covers the true difference.
        seed: Seed of the resampling.

    Raises:
        ValueError: A group has fewer than two runs, or the runs differ in shape.

    Source:
        Obuchowski and Rockette (1995), "Hypothesis testing of diagnostic accuracy for multiple readers and multiple
        tests", with runs as readers; degrees of freedom as in Hillis (2007), "A comparison of denominator degrees of
        freedom methods for multiple observer ROC analysis". Why seeds count: Reimers and Gurevych (2017), "Reporting
        Score Distributions Makes a Difference"; why other data count too: Bouthillier et al. (2021), "Accounting for
        Variance in Machine Learning Benchmarks".

        In 1,000 simulated experiments each, with 200 or 1,000 sentences and 3, 5 or 10 runs in each group, 94 to 96 %
        of 95 % intervals covered the true difference (tests/metrics/test_run_groups.py). With 2 runs they did too, but
        they are wide, and p-values below 0.01 occurred up to 2.5 times as often as they should; with 3 runs against 10,
        twice as often. The scores of runs were normally distributed; recipes that fail with some seeds need more runs.
        Where both groups found the same sentences hard, the part of the sentences was estimated as 0 in almost half of
        400 experiments, and p-values below 0.05 still occurred in 5 %. A bootstrap of both runs and sentences was not
        chosen: with 3 runs and 200 sentences it covered 98 %, because it counts three times what single runs make of
        single sentences (Owen 2007, "The pigeonhole bootstrap").
    """
    if min(len(ones), len(others)) < 2:
        raise ValueError(
            f"each group must have at least two runs, got {len(ones)} and {len(others)}; "
            "single runs are compared with `compare_paired`"
        )
    runs = np.stack([sums_per_unit(run, units) for run in (*ones, *others)], axis=1)  # (units, runs, columns)
    scores = statistic(runs.sum(0))
    groups = scores[: len(ones)], scores[len(ones) :]
    difference = float(groups[0].mean() - groups[1].mean())
    seeds = [float(group.var(ddof=1)) / len(group) for group in groups]
    if len(runs) < 2:
        return GroupComparison(difference, None, 1.0, sum(seeds) ** 0.5, 0.0)
    sentences = _sentence_variance(runs, len(ones), statistic, resamples, seed)
    freedom = [(part, len(group) - 1) for part, group in zip(seeds, groups, strict=True)]
    reach, p = _student(difference, [*freedom, (sentences, len(runs) - 1)], level)
    found = Interval(difference - reach, difference + reach)
    return GroupComparison(difference, found, p, sum(seeds) ** 0.5, sentences**0.5)


def _sentence_variance(runs: Array, ones: int, statistic: Statistic, resamples: int, seed: int) -> float:
    """Return the variance of the difference that all runs share, because they have the same test sentences."""
    number, _, columns = runs.shape
    drawn = resampled_sums(runs.reshape(number, -1), resamples, seed)
    scores = np.concatenate([statistic(sums.reshape(len(sums), -1, columns)) for sums in drawn])
    covariance = np.cov(scores, rowvar=False)  # (runs, runs)
    within = [_mean_off_diagonal(block) for block in (covariance[:ones, :ones], covariance[ones:, ones:])]
    return max(0.0, float(sum(within) - 2 * covariance[:ones, ones:].mean()))


def _mean_off_diagonal(block: Array) -> float:
    return float((block.sum() - block.trace()) / (len(block) * (len(block) - 1)))


def _student(difference: float, parts: Sequence[tuple[float, int]], level: float) -> tuple[float, float]:
    """Return half the width of the interval, and the p-value, from variances and their degrees of freedom."""
    from scipy.special import stdtr, stdtrit

    variance = sum(part for part, _ in parts)
    if variance < TOLERANCE**2:
        return 0.0, float(abs(difference) < TOLERANCE)
    freedom = variance**2 / sum(part**2 / free for part, free in parts)
    error = variance**0.5
    p = 2 * stdtr(freedom, -abs(difference) / error)
    return float(stdtrit(freedom, (1 + level) / 2)) * error, float(p)


@dataclass(frozen=True, slots=True)
class Spread:
    """How a score varies over runs.

    Args:
        mean: The mean.
        deviation: The sample standard deviation, with n - 1; None for one run.
        least: The smallest value.
        median: The median.
        most: The largest value.
        values: The value of each run.

    Source:
        Computed by the standard library; compared with numpy in tests/reporting/test_run_group.py.
    """

    mean: float
    deviation: float | None
    least: float
    median: float
    most: float
    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return how values vary; there must be at least one."""
        deviation = stdev(values) if len(values) > 1 else None
        return cls(fmean(values), deviation, min(values), median(values), max(values), tuple(values))

    def __str__(self) -> str:
        return f"{self.mean:.4f}" + ("" if self.deviation is None else f" ± {self.deviation:.4f}")

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        names = {"deviation": "sd", "least": "min", "most": "max"}
        return {names.get(key, key): list(v) if isinstance(v, tuple) else v for key, v in asdict(self).items()}
