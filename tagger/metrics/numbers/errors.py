"""Errors of predicted numbers, and how often intervals hold the number. Unknown numbers are NaN and do not count."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def mae(gold: ArrayLike, predicted: ArrayLike) -> float:
    """Return the mean absolute error; NaN if no number is known on both sides.

    Raises:
        ValueError: Gold and predicted differ in shape.
    """
    return _mean(np.abs(_difference(gold, predicted)))


def rmse(gold: ArrayLike, predicted: ArrayLike) -> float:
    """Return the root of the mean squared error; NaN if no number is known on both sides.

    Raises:
        ValueError: Gold and predicted differ in shape.
    """
    return float(np.sqrt(_mean(_difference(gold, predicted) ** 2)))


def naive_error(series: ArrayLike, *, period: int = 1) -> float:
    """Return the mean absolute error of the forecast that repeats the number of `period` steps before, in a series.

    Raises:
        ValueError: The period is below 1.
    """
    numbers = _numbers(series)
    if period < 1:
        raise ValueError(f"period must be at least 1 step, got {period}")
    return _mean(np.abs(numbers[period:] - numbers[:-period]))


def mase(gold: ArrayLike, predicted: ArrayLike, *, train: ArrayLike, period: int = 1) -> float:
    """Return the mean absolute scaled error: below 1, errors are smaller than those of the naive forecast in train.

    Args:
        gold: The numbers.
        predicted: Their forecasts.
        train: The series before.
        period: Steps between a number and the one that the naive forecast repeats, such as those of a day.

    Raises:
        ValueError: Gold and predicted differ in shape, or the period is below 1.

    Source:
        Hyndman and Koehler (2006), "Another look at measures of forecast accuracy", section 3.
        A worked example is in tests/metrics/numbers/test_errors.py.
    """
    scale = naive_error(train, period=period)
    return mae(gold, predicted) / scale if scale else float("nan")


def seasonal_naive(history: ArrayLike, *, steps: int, period: int) -> Floats:
    """Return the forecast of the next steps that repeats the last period of a series.

    Raises:
        ValueError: The period is below 1 or longer than the series.
    """
    numbers = _numbers(history)
    if not 1 <= period <= len(numbers):
        raise ValueError(f"period must be from 1 to the {len(numbers)} steps of the series, got {period}")
    last = numbers[-period:]
    return np.resize(last, steps)


def coverage(gold: ArrayLike, low: ArrayLike, high: ArrayLike) -> float:
    """Return the share of known numbers that lie in their intervals, ends included; NaN if none is known.

    Raises:
        ValueError: The arrays differ in shape.
    """
    numbers, least, most = _numbers(gold), _numbers(low), _numbers(high)
    if not numbers.shape == least.shape == most.shape:
        raise ValueError(f"gold, low and high must have one shape, got {numbers.shape}, {least.shape}, {most.shape}")
    known = ~np.isnan(numbers)
    return _mean(((least <= numbers) & (numbers <= most))[known].astype(np.float64))


def _numbers(values: ArrayLike | Sequence[float | None]) -> Floats:
    """Return numbers as an array; None becomes NaN."""
    return np.asarray(values, dtype=np.float64)


def _difference(gold: ArrayLike, predicted: ArrayLike) -> Floats:
    wanted, found = _numbers(gold), _numbers(predicted)
    if wanted.shape != found.shape:
        raise ValueError(f"gold and predicted must have one shape, got {wanted.shape} and {found.shape}")
    return found - wanted


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
