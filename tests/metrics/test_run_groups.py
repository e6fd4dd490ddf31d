"""Comparison of groups of runs: by hand, at its limits, and in simulated experiments."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from tagger.metrics.resampling import accuracy, f1
from tagger.metrics.run_groups import GroupComparison, compare_groups
from tagger.metrics.significance import compare_paired

Runs = list[np.ndarray]


def right(*shares: float, size: int = 200) -> Runs:
    """Return a run for each share of right sentences; a run with more is right wherever one with fewer is."""
    return [np.stack([np.arange(size) < share * size, np.ones(size)], axis=1) for share in shares]


def test_with_runs_alone_it_is_the_t_test_of_welch() -> None:
    ones, others = (
        [np.tile(run, (500, 1)) for run in group] for group in ([[90, 100], [93, 100]], [[80, 100], [84, 100]])
    )
    found = compare_groups(ones, others, accuracy)
    theirs = stats.ttest_ind([0.9, 0.93], [0.8, 0.84], equal_var=False)
    assert found.p == pytest.approx(theirs.pvalue)
    assert found.interval == pytest.approx(tuple(theirs.confidence_interval()))
    assert found.sentence_error == pytest.approx(0)


def test_with_equal_runs_in_each_group_it_is_the_bootstrap_over_sentences() -> None:
    one, two = right(0.8, 0.7)
    two = two[::-1]
    found, paired = compare_groups([one] * 3, [two] * 3, accuracy), compare_paired(one, two, accuracy)
    assert paired.interval is not None
    assert found.seed_error == pytest.approx(0)
    assert found.difference == pytest.approx(0.1)
    assert found.interval == pytest.approx(paired.interval, abs=0.01)


def test_exchanging_the_groups_changes_only_the_sign() -> None:
    ones, others = right(0.8, 0.83, 0.9), right(0.7, 0.74)
    forth, back = compare_groups(ones, others, accuracy), compare_groups(others, ones, accuracy)
    assert (back.difference, back.p) == pytest.approx((-forth.difference, forth.p), rel=0.05)


def test_documents_are_drawn_whole() -> None:
    ones, others = right(0.8, 0.83), right(0.7, 0.74)
    units = [place // 10 for place in range(200)]
    summed = [[run.reshape(20, 10, 2).sum(1) for run in group] for group in (ones, others)]
    assert compare_groups(ones, others, accuracy, units=units) == compare_groups(*summed, accuracy)


@pytest.mark.parametrize(
    ("ones", "others", "difference", "found", "p"),
    [
        (np.zeros((2, 0, 2)), np.zeros((2, 0, 2)), 0.0, None, 1.0),
        ([[[1, 1]], [[1, 1]]], [[[0, 1]], [[0, 1]]], 1.0, None, 1.0),
        ([[[1, 1]] * 5] * 2, [[[1, 1]] * 5] * 2, 0.0, (0.0, 0.0), 1.0),
        ([[[1, 1]] * 5] * 2, [[[0, 1]] * 5] * 2, 1.0, (1.0, 1.0), 0.0),
    ],
    ids=["no sentence", "one sentence", "no difference", "every sentence differs"],
)
def test_groups_without_variance_are_defined(ones: Any, others: Any, difference: float, found: Any, p: float) -> None:
    compared = compare_groups(ones, others, accuracy)
    assert (compared.difference, compared.interval, compared.p) == (difference, found, p)


def test_a_group_of_one_run_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two runs, got 1 and 2; single runs are compared with"):
        compare_groups(right(0.9), right(0.7, 0.8), accuracy)


def without_difference(
    ones: int, others: int, sentences: int, *, seed: int, seed_effect: float, group_effect: float = 0.5
) -> GroupComparison:
    """Compare two groups of equal mean quality on one simulated test set.

    How easy an entity is depends on its sentence, on what the group makes of the sentence, on the run and on what the
    run makes of the sentence.
    """
    rng = np.random.default_rng(seed)
    gold, ease = rng.poisson(1.5, sentences), rng.normal(1.2, 1.2, sentences)
    groups = []
    for size in (ones, others):
        of_group = ease + rng.normal(0, group_effect, sentences)
        of_runs = rng.normal(0, seed_effect, (size, 1)) + rng.normal(0, 0.7, (size, sentences))
        correct = rng.binomial(gold, expit(of_group + of_runs))
        wrong = rng.poisson(0.3, correct.shape)
        groups.append(np.stack([correct, correct + wrong, np.broadcast_to(gold, correct.shape)], axis=-1))
    return compare_groups(*groups, f1, resamples=300, seed=seed)


@pytest.mark.parametrize(
    ("ones", "others", "sentences"),
    [
        (3, 3, 200),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in [(5, 5, 200), (10, 10, 200), (3, 3, 1000), (5, 5, 1000)]
        ),
    ],
)
def test_without_a_difference_p_values_are_uniform_and_95_of_100_intervals_cover_zero(
    ones: int, others: int, sentences: int
) -> None:
    found = [without_difference(ones, others, sentences, seed=seed, seed_effect=0.2) for seed in range(1000)]
    assert stats.kstest([each.p for each in found], "uniform").pvalue > 0.01
    assert 0.03 <= np.mean([each.p <= 0.05 for each in found]) <= 0.07
    covered = [each.interval is not None and each.interval.low <= 0 <= each.interval.high for each in found]
    assert 0.93 <= np.mean(covered) <= 0.97


def test_p_values_are_right_also_where_the_error_of_sentences_is_often_estimated_as_zero() -> None:
    found = [without_difference(3, 3, 200, seed=seed, seed_effect=0.2, group_effect=0) for seed in range(400)]
    assert np.mean([each.sentence_error == 0 for each in found]) > 0.3
    assert 0.02 <= np.mean([each.p <= 0.05 for each in found]) <= 0.08
