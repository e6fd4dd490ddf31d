"""Scores of predicted layers, their confidence intervals, and tests of their differences; without torch.

The names here are for your own figures: a score is a function of sums of counts, one row per sentence. For numbers
and alarms there are functions of arrays.
"""

from tagger.metrics.numbers.anomalies import Alarms, nab_score, point_scores, window_scores
from tagger.metrics.numbers.errors import coverage, mae, mase, naive_error, rmse, seasonal_naive
from tagger.metrics.resampling import RESAMPLES, Interval, accuracy, f1, interval
from tagger.metrics.run_groups import GroupComparison, Spread, compare_groups
from tagger.metrics.significance import Comparison, compare_paired, holm

__all__ = [
    "RESAMPLES",
    "Alarms",
    "Comparison",
    "GroupComparison",
    "Interval",
    "Spread",
    "accuracy",
    "compare_groups",
    "compare_paired",
    "coverage",
    "f1",
    "holm",
    "interval",
    "mae",
    "mase",
    "nab_score",
    "naive_error",
    "point_scores",
    "rmse",
    "seasonal_naive",
    "window_scores",
]
