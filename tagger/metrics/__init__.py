"""Scores of predicted layers against gold layers, how sure they are, and whether two of them differ; without torch.

The names here are for figures of your own: a score is a function of sums of counts, one row per sentence.
"""

from tagger.metrics.resampling import RESAMPLES, Interval, accuracy, f1, interval
from tagger.metrics.run_groups import GroupComparison, Spread, compare_groups
from tagger.metrics.significance import Comparison, compare_paired, holm

__all__ = [
    "RESAMPLES",
    "Comparison",
    "GroupComparison",
    "Interval",
    "Spread",
    "accuracy",
    "compare_groups",
    "compare_paired",
    "f1",
    "holm",
    "interval",
]
