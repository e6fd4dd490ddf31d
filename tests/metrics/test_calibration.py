import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from tagger.metrics.calibration import (
    brier_score,
    brier_score_of_classes,
    calibration_error,
    fit_temperature,
    log_loss,
    reliability,
)

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5]])
GOLD = [0, 1, 1, 2]


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def sample(temperature: float, *, number: int = 4000) -> tuple[np.ndarray, list[int]]:
    """Probabilities of a network that is `temperature` times too sure, and classes drawn from the true ones."""
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(number, 3)) * 2
    gold = [int(rng.choice(3, p=p)) for p in softmax(scores)]
    return softmax(scores * temperature), gold


def oracle_error(confidences: list[float], correct: list[bool], bins: int) -> float:
    total = 0.0
    for i in range(bins):
        inside = [n for n, c in enumerate(confidences) if i / bins <= c < (i + 1) / bins or (c == 1 and i == bins - 1)]
        if inside:
            sure = sum(confidences[n] for n in inside) / len(inside)
            right = sum(correct[n] for n in inside) / len(inside)
            total += len(inside) / len(confidences) * abs(sure - right)
    return total


@given(st.lists(st.tuples(st.integers(0, 64), st.booleans()), min_size=1, max_size=50))
@settings(deadline=None)
def test_calibration_error_is_the_sum_over_bins(rows: list[tuple[int, bool]]) -> None:
    confidences, correct = [n / 64 for n, _ in rows], [right for _, right in rows]  # exact in binary, as are 8 bins
    assert calibration_error(confidences, correct, bins=8) == pytest.approx(oracle_error(confidences, correct, 8))


def test_sure_and_right_is_calibrated_and_sure_and_wrong_is_not() -> None:
    assert calibration_error([1.0, 1.0], [True, True]) == 0.0
    assert calibration_error([1.0, 1.0], [False, False]) == 1.0
    assert calibration_error([], []) == 0.0
    with pytest.raises(ValueError, match="must have the same length, got 2 and 1"):
        calibration_error([0.5, 0.5], [True])


def test_log_loss_is_the_mean_negative_log_probability() -> None:
    assert log_loss(PROBABILITIES, GOLD) == pytest.approx(-np.log([0.7, 0.8, 0.3, 0.5]).mean())


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_temperature_divides_the_scores(temperature: float) -> None:
    scaled = softmax(np.log(PROBABILITIES) / temperature)
    expected = -np.log(scaled[range(4), GOLD]).mean()
    assert log_loss(PROBABILITIES, GOLD, temperature=temperature) == pytest.approx(expected)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_fitting_finds_by_how_much_a_network_is_too_sure(temperature: float) -> None:
    probabilities, gold = sample(temperature)
    found = fit_temperature(probabilities, gold)
    assert found == pytest.approx(temperature, rel=0.1)
    grid = [log_loss(probabilities, gold, temperature=t) for t in np.geomspace(0.05, 20, 400)]
    assert log_loss(probabilities, gold, temperature=found) <= min(grid) + 1e-9


def test_fitting_stays_within_its_bounds() -> None:
    assert fit_temperature([[0.6, 0.4], [0.4, 0.6]], [0, 1]) == pytest.approx(0.05, rel=1e-3)
    assert fit_temperature([[0.9, 0.1], [0.1, 0.9]], [1, 0]) == pytest.approx(20, rel=1e-3)
    with pytest.raises(ValueError, match="at least one sentence"):
        fit_temperature(np.zeros((0, 2)), [])


CONFIDENT = st.lists(st.tuples(st.integers(0, 64).map(lambda n: n / 64), st.booleans()), min_size=1, max_size=60)


@given(CONFIDENT)
@settings(deadline=None)
def test_bins_have_the_means_of_scikit_learn(rows: list[tuple[float, bool]]) -> None:
    sure, right = zip(*rows, strict=True)
    bins = [each for each in reliability(sure, right, bins=7) if each.predictions]  # no 64th is at an edge of 7 bins
    shares, means = calibration_curve(right, sure, n_bins=7)
    assert [each.right for each in bins] == pytest.approx(shares.tolist())
    assert [each.probability for each in bins] == pytest.approx(means.tolist())
    assert sum(each.predictions for each in bins) == len(rows)
    distance = sum(each.predictions * abs(each.right - each.probability) for each in bins) / len(rows)
    assert calibration_error(sure, right, bins=7) == pytest.approx(distance)


def test_the_last_bin_has_1_and_an_empty_bin_has_no_means() -> None:
    first, *middle, last = reliability([0.0, 1.0, 0.95], [False, True, False])
    assert first == (0.0, 0.1, 1, 0.0, 0.0)
    assert last == (0.9, 1.0, 2, pytest.approx(0.975), 0.5)
    assert {each[2:] for each in middle} == {(0, None, None)}


@given(CONFIDENT)
@settings(deadline=None)
def test_brier_score_equals_scikit_learn(rows: list[tuple[float, bool]]) -> None:
    sure, right = zip(*rows, strict=True)
    assert brier_score(sure, right) == pytest.approx(brier_score_loss(right, sure, scale_by_half=True))


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10), st.sampled_from("abc")), min_size=1, max_size=20))
@settings(deadline=None)
def test_brier_score_of_classes_equals_scikit_learn(rows: list[tuple[int, int, str]]) -> None:
    shares = np.array([(x, y, 1.0) for x, y, _ in rows])
    shares /= shares.sum(1, keepdims=True)
    gold = [name for *_, name in rows]
    expected = brier_score_loss(gold, shares, labels=list("abc"), scale_by_half=False)
    named = [dict(zip("abc", each.tolist(), strict=True)) for each in shares]
    assert brier_score_of_classes(named, gold) == pytest.approx(expected)


def test_brier_score_by_hand() -> None:
    assert brier_score([0.8, 0.4], [True, False]) == pytest.approx((0.04 + 0.16) / 2)
    assert brier_score_of_classes([{"a": 0.7, "b": 0.2, "c": 0.1}], ["b"]) == pytest.approx(0.49 + 0.64 + 0.01)
    assert brier_score_of_classes([{"a": 0.7, "b": 0.3}], ["a"]) == pytest.approx(2 * brier_score([0.7], [True]))
    assert brier_score_of_classes([{"a": 0.75, "b": 0.25}], ["new"]) == pytest.approx(0.5625 + 0.0625 + 1)


def test_a_class_that_is_no_choice_has_no_part_in_the_loss() -> None:
    rows = [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]
    masked = [[0.2, 0.3, np.nan], [0.6, np.nan, 0.1]]
    whole = [
        log_loss([[row[i] for i in kept]], [gold], temperature=2.0)
        for row, kept, gold in zip(rows, ((0, 1), (0, 2)), (1, 0), strict=True)
    ]
    assert log_loss(masked, [1, 0], temperature=2.0) == pytest.approx(np.mean(whole))
