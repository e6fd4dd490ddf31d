"""Calibration of a tokens head after training: probabilities that match how often the head is right."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from tagger.nn.heads import TokensHead

LOWEST, HIGHEST = 0.05, 20.0  # temperatures; a value beyond them means that the head cannot be calibrated
FURTHEST = 10.0  # largest shift, in nats: the tag becomes e ** 10 times as probable


class HeldOut(NamedTuple):
    """Sentences that the head was not trained on, with their tags, which tags each token may have, or their numbers."""

    states: Float[Tensor, "batch tokens hidden"]
    mask: Bool[Tensor, "batch tokens"]
    targets: Int[Tensor, "batch tokens"] | Bool[Tensor, "batch tokens tags"] | Float[Tensor, "batch numbers"]


class Calibration(NamedTuple):
    """How a tokens head was calibrated.

    Args:
        temperature: Divisor of all scores.
        shift: Score that was added to one tag afterwards, in nats.
        before: Negative log-likelihood of the gold tags before calibration, in nats per token.
        after: The same after calibration.
    """

    temperature: float
    shift: float
    before: float
    after: float


def calibrate_tokens(head: TokensHead, sentences: Sequence[HeldOut], *, shifted: int | None = None) -> Calibration:
    """Fit a temperature and a shift to held-out sentences, and change the weights of the head accordingly.

    All scores, including transitions, are divided by the temperature; then the shift is added to the score of one tag.
    The shift corrects a different frequency of entities: a head trained on text with few entities finds `O` too likely
    everywhere. It can change which tags are the most probable; a temperature alone cannot.

    Args:
        head: The head, on the device of the states.
        sentences: Held-out sentences in batches, with valid gold tags.
        shifted: The tag to shift; default: none.

    Raises:
        ValueError: There is no sentence.

    Source:
        Guo et al. (2017), "On Calibration of Modern Neural Networks", section 4.2, for the temperature; Alexandari,
        Kundaje and Shrikumar (2020), "Maximum Likelihood with Bias-Corrected Calibration is Hard-To-Beat at Label
        Shift Adaptation", for the shift. The loss is convex in the shift and the inverse of the temperature, so there
        is one minimum. Compared with a search over both in tests/nn/test_calibrate_tokens.py.
    """
    from scipy.optimize import minimize

    if not sentences:
        raise ValueError("expected at least one sentence to calibrate a head, got none")
    weights = [(p, p.detach().clone()) for p in head.parameters() if p.requires_grad]
    tokens = int(sum(part.mask.sum() for part in sentences))

    def set_weights(inverse: float, shift: float) -> None:
        with torch.no_grad():
            for parameter, trained in weights:
                parameter.copy_(trained * inverse)
            if shifted is not None:
                head.linear.bias[shifted] += shift

    best = (math.inf, (1.0, 0.0))

    def loss(point: NDArray[np.float64]) -> tuple[float, list[float]]:
        """Return the loss at an inverse temperature and a shift, and its slope in both."""
        nonlocal best
        set_weights(*point)
        head.zero_grad(set_to_none=True)
        total = 0.0
        with torch.enable_grad():
            for part in sentences:
                value = head.loss(*part) * (part.mask.sum() / tokens)
                value.backward()
                total += value.item()
        # All weights are a trained value times the inverse temperature, so the slope in that is the sum of gradient
        # times trained value.
        slope = sum(float((p.grad * trained).sum()) for p, trained in weights if p.grad is not None)
        best = min(best, (total, tuple(point)))
        bias = head.linear.bias.grad
        return total, [slope, 0.0 if shifted is None or bias is None else float(bias[shifted])]

    bounds = [(1 / HIGHEST, 1 / LOWEST), (-FURTHEST, FURTHEST)]
    before, _ = loss(np.array([1.0, 0.0]))
    minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-9})
    # Near the minimum the float32 loss is flat except for rounding, and a line search that fails there stops at an
    # arbitrary point. The best of all points that it tried does not depend on where it stopped.
    after, (inverse, shift) = best
    set_weights(inverse, shift)
    head.zero_grad(set_to_none=True)
    return Calibration(float(1 / inverse), float(shift), before, after)
