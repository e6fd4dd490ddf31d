"""Scores of tags that are as sure as they are right: what held-out sentences teach a head once training is over."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from tagger.nn.heads import TokensHead

LOWEST, HIGHEST = 0.05, 20.0  # temperatures beyond these say that the tags are not ones to be calibrated
FURTHEST = 10.0  # shift: e ** 10 times as probable


class HeldOut(NamedTuple):
    """Sentences that the head was not trained on."""

    states: Float[Tensor, "batch tokens hidden"]
    mask: Bool[Tensor, "batch tokens"]
    tag_ids: Int[Tensor, "batch tokens"]


class Calibration(NamedTuple):
    """How a tokens head was calibrated.

    Args:
        temperature: What its scores were divided by.
        shift: What was added to the score of one tag afterwards.
        before: Negative log-likelihood of the gold tags before, in nats a token.
        after: The same afterwards.
    """

    temperature: float
    shift: float
    before: float
    after: float


def calibrate_tokens(head: TokensHead, sentences: Sequence[HeldOut], *, shifted: int | None = None) -> Calibration:
    """Change the weights of a head so that gold tags are as likely as one temperature and one shift can make them.

    All scores, those of transitions too, are divided by the temperature; then the shift is added to one tag's. Where
    there are more entities than in training, `O` is thought too likely everywhere: that is what the shift is for. It
    changes which tags are the most probable, a temperature alone does not.

    Args:
        head: What is calibrated, on the device of the states.
        sentences: Held-out sentences in batches, with legal gold tags.
        shifted: The tag that is shifted; none if left out.

    Raises:
        ValueError: There is no sentence.

    Source:
        Guo et al. (2017), "On Calibration of Modern Neural Networks", section 4.2, for the temperature; Alexandari,
        Kundaje and Shrikumar (2020), "Maximum Likelihood with Bias-Corrected Calibration is Hard-To-Beat at Label
        Shift Adaptation", for the shift. The loss is convex in the shift and the inverse of the temperature, so the
        minimum is the one. Compared with a search over both in tests/nn/test_calibrate_tokens.py.
    """
    from scipy.optimize import minimize

    if not sentences:
        raise ValueError("there must be at least one sentence to calibrate a head, got none")
    weights = [(p, p.detach().clone()) for p in head.parameters() if p.requires_grad]
    tokens = int(sum(part.mask.sum() for part in sentences))

    def put(inverse: float, shift: float) -> None:
        with torch.no_grad():
            for parameter, trained in weights:
                parameter.copy_(trained * inverse)
            if shifted is not None:
                head.linear.bias[shifted] += shift

    best = (math.inf, (1.0, 0.0))

    def loss(point: NDArray[np.float64]) -> tuple[float, list[float]]:
        """Return the loss at an inverse temperature and a shift, and its slope in both."""
        nonlocal best
        put(*point)
        head.zero_grad(set_to_none=True)
        total = 0.0
        with torch.enable_grad():
            for part in sentences:
                value = head.loss(*part) * (part.mask.sum() / tokens)
                value.backward()
                total += value.item()
        slope = sum(float((p.grad * trained).sum()) for p, trained in weights if p.grad is not None)
        best = min(best, (total, tuple(point)))
        bias = head.linear.bias.grad
        return total, [slope, 0.0 if shifted is None or bias is None else float(bias[shifted])]

    bounds = [(1 / HIGHEST, 1 / LOWEST), (-FURTHEST, FURTHEST)]
    before, _ = loss(np.array([1.0, 0.0]))
    minimize(loss, [1.0, 0.0], jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-9})
    # Close to the minimum the loss in float32 is flat but for rounding, and a line search that fails there ends at any
    # point that it tried. The best of all points does not depend on where the search gave up.
    after, (inverse, shift) = best
    put(inverse, shift)
    head.zero_grad(set_to_none=True)
    return Calibration(float(1 / inverse), float(shift), before, after)
