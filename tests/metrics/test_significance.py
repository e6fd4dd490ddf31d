"""Significance of differences: by enumeration, against scipy, and p-values where there is no difference."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tagger.metrics.resampling import Statistic, accuracy, f1, interval
from tagger.metrics.significance import Comparison, compare_paired, holm

Pair = tuple[np.ndarray, np.ndarray]


def two_models(size: int, *, seed: int = 1, better: float = 0.0) -> Pair:
    """Return correct, predicted and gold entities of random sentences for two models."""
    rng = np.random.default_rng(seed)
    gold = rng.poisson(1.5, size)
    ease = rng.beta(2, 1, size)
    correct = [rng.binomial(gold, ease * share) for share in (1.0, 1.0 - better)]
    one, two = (np.stack([right, right + rng.poisson(0.4, size), gold], axis=1) for right in correct)
    return one, two


def enumerated(one: np.ndarray, two: np.ndarray, statistic: Statistic) -> float:
    """Return the share of all exchanges whose difference is as large as the observed one."""
    differences = []
    for sides in product([False, True], repeat=len(one)):
        swap = np.array(sides)[:, None]
        left, right = (np.where(swap, *pair).sum(0).astype(float) for pair in ((two, one), (one, two)))
        differences.append(float(statistic(left) - statistic(right)))
    return float(np.mean(np.abs(differences) >= abs(differences[0]) - 1e-12))


@pytest.mark.parametrize("statistic", [f1, accuracy])
@pytest.mark.parametrize("seed", range(1, 6))
def test_randomisation_agrees_with_enumeration_of_all_exchanges(seed: int, statistic: Statistic) -> None:
    one, two = two_models(6, seed=seed, better=0.5)
    found = compare_paired(one, two, statistic, resamples=100_000)
    assert found.p_randomisation == pytest.approx(enumerated(one, two, statistic), abs=0.01)
    assert found.difference == pytest.approx(float(statistic(one.sum(0)) - statistic(two.sum(0))))


def test_randomisation_of_six_sentences_by_hand() -> None:
    one, two = np.array([[1, 1]] * 5 + [[0, 1]]), np.array([[0, 1]] * 5 + [[1, 1]])
    found = compare_paired(one, two, accuracy, resamples=200_000)
    assert found.difference == pytest.approx(4 / 6)
    assert found.p_randomisation == pytest.approx((1 + 6 + 6 + 1) / 64, abs=0.005)  # six, five, one or no sign positive


@pytest.mark.parametrize("size", [10, 400], ids=["distinct rows", "repeated rows"])
def test_comparison_equals_that_of_scipy(size: int) -> None:
    one, two = two_models(size, better=0.15)

    def difference(*parts: Any, axis: int = -1) -> Any:
        sums = np.stack([part.sum(axis) for part in parts], axis=-1)
        return f1(sums[..., :3]) - f1(sums[..., 3:])

    columns = tuple(np.concatenate([one, two], axis=1).T.astype(float))
    rng = np.random.default_rng(2)
    drawn = stats.bootstrap(
        columns, difference, paired=True, vectorized=True, n_resamples=20_000, method="BCa", rng=rng
    )
    theirs = drawn.confidence_interval
    found = compare_paired(one, two, f1, resamples=20_000)
    assert found.interval == pytest.approx(tuple(theirs), abs=0.05 * (theirs.high - theirs.low))
    as_large = np.abs(drawn.bootstrap_distribution - found.difference) >= abs(found.difference) - 1e-12
    assert found.p_bootstrap == pytest.approx(as_large.mean(), abs=0.02)


def test_randomisation_equals_that_of_scipy() -> None:
    one, two = two_models(300, better=0.1)
    rows = np.concatenate([one, two])  # scipy exchanges the numbers of these rows

    def difference(left: Any, right: Any, axis: int = -1) -> Any:
        return f1(rows[left.astype(int)].sum(-2)) - f1(rows[right.astype(int)].sum(-2))

    theirs = stats.permutation_test(
        (np.arange(300), np.arange(300, 600)), difference, permutation_type="samples", vectorized=True,
        n_resamples=5000, batch=500, rng=np.random.default_rng(2),
    )  # fmt: skip
    found = compare_paired(one, two, f1)
    assert 0.001 < theirs.pvalue < 0.8
    assert found.p_randomisation == pytest.approx(theirs.pvalue, abs=0.025)


def test_documents_are_exchanged_and_drawn_whole() -> None:
    one, two = two_models(60, better=0.2)
    units = [place % 7 for place in range(60)]
    summed = [np.stack([counts[place::7].sum(0) for place in range(7)]) for counts in (one, two)]
    assert compare_paired(one, two, f1, units=units) == compare_paired(*summed, f1)
    found = compare_paired(one, two, f1, units=units, resamples=100_000)
    assert found.p_randomisation == pytest.approx(enumerated(*summed, f1), abs=0.01)


def test_exchanging_the_models_changes_only_the_sign() -> None:
    one, two = two_models(200, better=0.1)
    forth, back = compare_paired(one, two, f1), compare_paired(two, one, f1)
    assert forth.interval is not None
    assert back.interval is not None
    assert back.difference == -forth.difference
    assert back.interval == pytest.approx((-forth.interval.high, -forth.interval.low), abs=0.005)
    assert back[2:] == pytest.approx(forth[2:], abs=0.02)


def test_a_perfect_opponent_leaves_the_interval_of_the_score_itself() -> None:
    one, _ = two_models(200)
    gold = one[:, [2, 2, 2]]
    against, alone = compare_paired(gold, one, f1).interval, interval(one, f1)
    assert against is not None
    assert alone is not None
    assert against == pytest.approx((1 - alone.high, 1 - alone.low), abs=0.005)


@pytest.mark.parametrize(
    ("one", "two", "found"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3)), Comparison(0.0, None, 1.0, 1.0)),
        ([[1, 1, 1]], [[0, 1, 1]], Comparison(1.0, None, 1.0, 1.0)),
        ([[0, 0, 0]] * 9, [[0, 0, 0]] * 9, Comparison(0.0, None, 1.0, 1.0)),
        ([[1, 2, 2]] * 9, [[1, 2, 2]] * 9, Comparison(0.0, (0.0, 0.0), 1.0, 1.0)),
        ([[0, 0, 2]] * 9, [[0, 0, 2]] * 9, Comparison(0.0, (0.0, 0.0), 1.0, 1.0)),
    ],
    ids=["no sentence", "one sentence", "no entity", "equal predictions", "empty predictions"],
)
def test_comparison_without_evidence_is_defined(one: Any, two: Any, found: Comparison) -> None:
    assert compare_paired(one, two, f1) == found


def test_comparison_of_other_sentences_is_refused() -> None:
    one, two = two_models(9)
    with pytest.raises(ValueError, match=r"the same shape, got \(9, 3\) and \(8, 3\)"):
        compare_paired(one, two[:8], f1)


@pytest.mark.parametrize(
    ("given", "corrected"),
    [
        ([0.03, 0.01, 0.04], [0.06, 0.03, 0.06]),
        ([0.01], [0.01]),
        ([], []),
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.02, 0.02], [0.04, 0.04]),
        ([0.04, 0.001, 0.03, 0.2], [0.09, 0.004, 0.09, 0.2]),
    ],
)
def test_holm_multiplies_the_smallest_by_the_number_of_comparisons(given: list[float], corrected: list[float]) -> None:
    assert holm(given) == pytest.approx(corrected)


def without_difference(experiments: int, sentences: int) -> list[Comparison]:
    """Compare two models of equal quality on each of many simulated test sets."""
    return [
        compare_paired(*two_models(sentences, seed=seed), f1, resamples=1000, seed=seed) for seed in range(experiments)
    ]


@pytest.mark.parametrize("size", [80, pytest.param(500, marks=pytest.mark.slow)])
def test_without_a_difference_p_values_are_uniform_and_95_of_100_intervals_cover_zero(size: int) -> None:
    found = without_difference(1000, size)
    for p_values in ([each.p_bootstrap for each in found], [each.p_randomisation for each in found]):
        assert stats.kstest(p_values, "uniform").pvalue > 0.01
        assert 0.035 <= np.mean(np.array(p_values) <= 0.05) <= 0.065
    covered = [each.interval is not None and each.interval.low <= 0 <= each.interval.high for each in found]
    assert 0.93 <= np.mean(covered) <= 0.97


def test_a_true_difference_has_small_p_values() -> None:
    found = [compare_paired(*two_models(300, seed=seed, better=0.15), f1, resamples=1000) for seed in range(50)]
    assert np.median([each.p_bootstrap for each in found]) < 0.01
    assert np.median([each.p_randomisation for each in found]) < 0.01
