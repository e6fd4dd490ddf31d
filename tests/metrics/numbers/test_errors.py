"""Errors and intervals of numbers, by hand."""

import math

import numpy as np
import pytest

from tagger.metrics import coverage, mae, mase, naive_error, rmse, seasonal_naive


def test_errors_by_hand() -> None:
    gold, found = [1.0, 2.0, 4.0], [2.0, 2.0, 1.0]
    assert mae(gold, found) == pytest.approx(4 / 3)
    assert rmse(gold, found) == pytest.approx(math.sqrt(10 / 3))


def test_mase_is_the_error_in_units_of_the_naive_forecast() -> None:
    train = [1.0, 3.0, 2.0, 6.0]  # steps of 2, 1 and 4
    assert naive_error(train) == pytest.approx(7 / 3)
    assert mase([8.0, 10.0], [7.0, 12.0], train=train) == pytest.approx(1.5 / (7 / 3))
    assert mase([8.0, 10.0], [7.0, 12.0], train=train, period=2) == pytest.approx(1.5 / 2)


def test_the_naive_forecast_has_a_mase_of_one_on_its_own_series() -> None:
    series = np.random.default_rng(1).normal(size=50).cumsum()
    for period in (1, 7):
        assert mase(series[period:], series[:-period], train=series, period=period) == pytest.approx(1.0)


def test_the_seasonal_naive_forecast_repeats_the_last_period() -> None:
    assert seasonal_naive([9.0, 1.0, 2.0, 3.0], steps=5, period=3).tolist() == [1.0, 2.0, 3.0, 1.0, 2.0]
    with pytest.raises(ValueError, match="period must be from 1 to the 4 steps"):
        seasonal_naive([9.0, 1.0, 2.0, 3.0], steps=5, period=5)


def test_coverage_counts_known_numbers_and_both_ends() -> None:
    gold = [1.0, 2.0, None, 4.0]
    assert coverage(gold, [1.0, 0.0, 0.0, 0.0], [2.0, 2.0, 9.0, 3.9]) == pytest.approx(2 / 3)


def test_unknown_numbers_do_not_count() -> None:
    assert mae([1.0, None], [2.0, 5.0]) == 1.0
    assert math.isnan(mae([None], [5.0]))


def test_numbers_of_different_shapes_are_an_error() -> None:
    with pytest.raises(ValueError, match="one shape"):
        mae([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="one shape"):
        coverage([1.0], [1.0, 2.0], [1.0, 2.0])
