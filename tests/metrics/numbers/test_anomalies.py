"""Scores of alarms: steps and windows by hand, and the score of NAB by its published figures and formulas."""

import math

import pytest

from tagger.metrics import Alarms, nab_score, point_scores, window_scores
from tagger.metrics.numbers.anomalies import Weights, nab_points, nab_weight

WEIGHTS = Weights(1.1, 0.11, 1.2)


def make_alarms(gold: str, alarms: str) -> Alarms:
    """A series as two strings in which `1` marks an anomaly or an alarm."""
    return Alarms.of([c == "1" for c in gold], [c == "1" for c in alarms])


def points(gold: str, alarms: str, *, probation: int = 0) -> float:
    return nab_points(make_alarms(gold, alarms), WEIGHTS, probation=probation)


def test_runs_of_anomalies_are_windows() -> None:
    assert make_alarms("0110010", "0000000").windows == ((1, 3), (5, 6))
    with pytest.raises(ValueError, match="as many steps, got 2 and 1"):
        Alarms.of([True, False], [True])


def test_steps_and_windows_by_hand() -> None:
    series = [make_alarms("0111001100", "1101101000"), make_alarms("0000", "0110")]
    steps = point_scores(series)
    assert (steps.precision, steps.recall, steps.support) == (3 / 7, 3 / 5, 5)
    windows = window_scores(series)  # both found; false alarms at step 0, step 4, and steps 1 to 2 of the other
    assert (windows.precision, windows.recall, windows.support) == (2 / 5, 1.0, 2)


def test_a_false_alarm_that_goes_on_counts_once_for_windows() -> None:
    assert window_scores([make_alarms("0000100", "1110000")]).precision == 0.0
    assert window_scores([make_alarms("0000100", "1110100")]).precision == 0.5


@pytest.mark.parametrize(
    ("position", "weight"),
    [(-1.0, 0.98661), (-0.5, 0.84828), (0.0, 0.0), (1.0, -0.98661), (3.0, -1.0), (50.0, -1.0)],
)
def test_the_weight_of_a_position(position: float, weight: float) -> None:
    """The figures are those that the authors' implementation documents for its scaled sigmoid."""
    assert nab_weight(position) == pytest.approx(weight, abs=1e-5)


def test_points_of_small_series() -> None:
    """The formulas: a window counts by its first alarm, a missed one and false alarms before any window in full."""
    half = 1.1 * nab_weight(-0.5) / nab_weight(-1.0)
    assert points("00000", "00000") == 0
    assert points("00000", "01010") == pytest.approx(-2 * 0.11)
    assert points("00000", "01010", probation=4) == 0
    assert points("00000", "01010", probation=3) == pytest.approx(-0.11)
    assert points("0110110", "0000000") == pytest.approx(-2 * 1.2)
    assert points("0110000", "0010000") == pytest.approx(half)
    assert points("0110110", "0010000") == pytest.approx(half - 1.2)
    assert points("0000110", "0000110") == pytest.approx(1.1)  # the second alarm in a window adds nothing
    assert points("0110110", "0010100") == pytest.approx(half + 1.1)


def test_a_false_alarm_costs_the_more_the_further_it_is_behind_a_window() -> None:
    costs = [points("0111" + "0" * 9, "0100" + "0" * i + "1" + "0" * (8 - i)) - 1.1 for i in range(9)]
    assert costs[0] == pytest.approx(0.11 * (2 / (1 + math.exp(2.5)) - 1))  # one step behind a window of three
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == pytest.approx(-0.11)


def test_the_score_is_100_for_a_perfect_detector_and_0_for_a_silent_one() -> None:
    gold = "0" * 40 + "1" * 10 + "0" * 50
    first = "0" * 40 + "1" + "0" * 59
    for profile in ("standard", "few_false", "few_missed"):
        assert nab_score([make_alarms(gold, first)], profile) == pytest.approx(100)
        assert nab_score([make_alarms(gold, "0" * 100)], profile) == pytest.approx(0)
    assert nab_score([make_alarms(gold, "1" * 100)]) < 0
    assert math.isnan(nab_score([make_alarms("0" * 100, first)]))


def test_the_first_part_of_a_series_does_not_count() -> None:
    gold = "0" * 40 + "1" * 10 + "0" * 50
    before, after = ("0" * i + "1" + "0" * (39 - i) + "1" + "0" * 59 for i in (14, 15))
    assert nab_score([make_alarms(gold, before)]) == pytest.approx(100)
    assert nab_score([make_alarms(gold, after)]) == pytest.approx(100 - 100 * 0.11 / 2)
