"""Calibration: whether predictions with a probability of, say, 0.8 are right 80 % of the time.

One temperature for all sentences makes probabilities more or less extreme and changes no predicted class.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 10
LOWEST, HIGHEST = 0.05, 20.0  # a fit that reaches these shows that the scores carry no information
SMALLEST = 1e-38  # smallest probability, so that its logarithm is finite


def calibration_error(confidences: Sequence[float], correct: Sequence[bool], *, bins: int = BINS) -> float:
    """Return the mean difference between the probabilities of predictions and the share that is right, from 0 to 1.

    Args:
        confidences: Probability of each predicted class.
        correct: Whether each prediction is right.
        bins: Number of groups, of equal width in confidence, in which predictions are compared.

    Raises:
        ValueError: The two differ in length.

    Source:
        Guo et al. (2017), "On Calibration of Modern Neural Networks", equation 3.
        Compared with its sum bin by bin in tests/metrics/test_calibration.py.
    """
    sure, right = np.asarray(confidences, float), np.asarray(correct, float)
    if sure.shape != right.shape:
        raise ValueError(f"confidences and correct must have the same length, got {sure.size} and {right.size}")
    if not sure.size:
        return 0.0
    return float(np.abs(np.bincount(_groups(sure, bins), right - sure, bins)).sum() / sure.size)


class Bin(NamedTuple):
    """Predictions with a probability from `low` to below `high` (1.0 is in the last bin).

    `probability` is their mean probability, `right` the share that is right; both are None if there is no prediction.
    """

    low: float
    high: float
    predictions: int
    probability: float | None
    right: float | None


def reliability(confidences: Sequence[float], correct: Sequence[bool], *, bins: int = BINS) -> list[Bin]:
    """Return the predictions in bins of equal width; arguments as in `calibration_error`.

    Source:
        DeGroot and Fienberg (1983), "The Comparison and Evaluation of Forecasters".
        Compared with scikit-learn's `calibration_curve` in tests/metrics/test_calibration.py.
    """
    sure, right = np.asarray(confidences, float), np.asarray(correct, float)
    group = _groups(sure, bins)
    numbers = np.bincount(group, minlength=bins).tolist()
    sums = [np.bincount(group, values, bins).tolist() for values in (sure, right)]
    return [
        Bin(i / bins, (i + 1) / bins, number, *(total / number if number else None for total in totals))
        for i, (number, *totals) in enumerate(zip(numbers, *sums, strict=True))
    ]


def brier_score(confidences: Sequence[float], correct: Sequence[bool]) -> float:
    """Return the mean squared difference between the probability of a prediction and 1 if it is right, 0 if not.

    Args:
        confidences: Probability of each prediction; at least one.
        correct: Whether each is right.

    Source:
        Brier (1950), "Verification of Forecasts Expressed in Terms of Probability", in the form for one event, which is
        half of the sum over both outcomes. Compared with scikit-learn in tests/metrics/test_calibration.py.
    """
    return float(np.square(np.asarray(confidences, float) - np.asarray(correct, float)).mean())


def brier_score_of_classes(probabilities: Sequence[Mapping[str, float]], gold: Sequence[str]) -> float:
    """Return the mean over sentences of the squared differences summed over the classes, from 0 to 2.

    A class that a sentence has no probability of has 0, also where it is the gold class.

    Args:
        probabilities: Probability of each class, for each sentence; at least one sentence.
        gold: The gold class of each sentence.

    Source:
        Brier (1950), equation 2. Compared with scikit-learn in tests/metrics/test_calibration.py.
    """
    total = 0.0
    for shares, name in zip(probabilities, gold, strict=True):
        total += sum((share - (other == name)) ** 2 for other, share in shares.items()) + (name not in shares)
    return total / len(gold)


def _groups(sure: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    return np.minimum((sure * bins).astype(np.int64), bins - 1)


def error_lines(error: float | None) -> list[str]:
    """Return the line of a report that states the calibration error; none if there is no error."""
    if error is None:
        return []
    return [f"calibration error of the probabilities: {error:.4f} ({BINS} bins of equal width)"]


def log_loss(probabilities: ArrayLike, gold: Sequence[int], *, temperature: float = 1.0) -> float:
    """Return the mean negative log-probability of the gold classes, in nats, at a temperature.

    Args:
        probabilities: Probability of each class of each sentence at temperature 1, of shape (sentences, classes); NaN
            for a class that is no choice.
        gold: The gold class of each sentence.
        temperature: Divides the logarithms, which are then normalised again.
    """
    given = np.asarray(probabilities, np.float64)
    logs = np.where(np.isnan(given), -np.inf, np.log(np.maximum(given, SMALLEST)) / temperature)
    peak = logs.max(1, keepdims=True)
    partition = np.log(np.exp(logs - peak).sum(1)) + peak[:, 0]
    return float((partition - logs[np.arange(len(logs)), np.asarray(gold)]).mean())


def fit_temperature(probabilities: ArrayLike, gold: Sequence[int]) -> float:
    """Return the temperature, from 0.05 to 20, with the smallest log loss; shapes as in `log_loss`.

    Raises:
        ValueError: There is no sentence.

    Source:
        Guo et al. (2017), section 4.2. The loss is convex in the inverse of the temperature, so there is one minimum.
        Compared with a search over all temperatures in tests/metrics/test_calibration.py.
    """
    from scipy.optimize import minimize_scalar

    if not len(gold):
        raise ValueError("there must be at least one sentence to fit a temperature, got none")
    found = minimize_scalar(
        lambda inverse: log_loss(probabilities, gold, temperature=1 / inverse),
        bounds=(1 / HIGHEST, 1 / LOWEST),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(1 / found.x)
