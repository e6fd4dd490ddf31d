import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.metrics.calibration import calibration_error, fit_temperature, log_loss

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
