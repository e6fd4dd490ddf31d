"""Whether probabilities are what they say: how often the predicted class is right, against how sure it was.

One temperature for all sentences makes a network surer or less sure and changes no predicted class.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 10
LOWEST, HIGHEST = 0.05, 20.0  # temperatures beyond these say that the score is not one to be calibrated
SMALLEST = 1e-38  # of a probability, so that its logarithm is finite


def calibration_error(confidences: Sequence[float], correct: Sequence[bool], *, bins: int = BINS) -> float:
    """The mean distance between how sure the predictions were and how many were right, from 0 to 1.

    Args:
        confidences: Probability of each predicted class.
        correct: Whether each prediction is right.
        bins: Predictions are compared in so many groups of like confidence, of equal width.

    Raises:
        ValueError: There are not as many of the one as of the other.

    Source:
        Guo et al. (2017), "On Calibration of Modern Neural Networks", equation 3.
        Compared with its sum bin by bin in tests/metrics/test_calibration.py.
    """
    sure, right = np.asarray(confidences, float), np.asarray(correct, float)
    if sure.shape != right.shape:
        raise ValueError(f"confidences and correct must be as many, got {sure.size} and {right.size}")
    if not sure.size:
        return 0.0
    group = np.minimum((sure * bins).astype(int), bins - 1)
    return float(np.abs(np.bincount(group, right - sure, bins)).sum() / sure.size)


def log_loss(probabilities: ArrayLike, gold: Sequence[int], *, temperature: float = 1.0) -> float:
    """The mean negative log-probability of the gold classes, in nats, at another temperature.

    Args:
        probabilities: Of each class of each sentence, of shape (sentences, classes), at temperature 1.
        gold: The gold class of each sentence.
        temperature: Divides the logarithms before they are normalised again.
    """
    logs = _logs(probabilities) / temperature
    peak = logs.max(1, keepdims=True)
    partition = np.log(np.exp(logs - peak).sum(1)) + peak[:, 0]
    return float((partition - logs[np.arange(len(logs)), np.asarray(gold)]).mean())


def fit_temperature(probabilities: ArrayLike, gold: Sequence[int]) -> float:
    """The temperature, from 0.05 to 20, at which the log loss is least; shapes as in `log_loss`.

    Raises:
        ValueError: There is no sentence.

    Source:
        Guo et al. (2017), section 4.2. The loss is convex in the inverse of the temperature, so the minimum is the one.
        Compared with a search over all temperatures in tests/metrics/test_calibration.py.
    """
    from scipy.optimize import minimize_scalar

    if not len(gold):
        raise ValueError("there must be at least one sentence to choose a temperature, got none")
    found = minimize_scalar(
        lambda inverse: log_loss(probabilities, gold, temperature=1 / inverse),
        bounds=(1 / HIGHEST, 1 / LOWEST),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(1 / found.x)


def _logs(probabilities: ArrayLike) -> NDArray[np.float64]:
    return np.log(np.maximum(np.asarray(probabilities, np.float64), SMALLEST))
