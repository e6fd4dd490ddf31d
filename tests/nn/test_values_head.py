"""The head of numbers: its losses by their formulas, its intervals on simulated numbers."""

import numpy as np
import pytest
import torch

from tagger.nn.heads import ValuesHead, fewest


def make_head(*, values: int = 1, pooling: str | None = None, level: float | None = None) -> ValuesHead:
    torch.manual_seed(1)
    head = ValuesHead(input_size=5, num_values=values, forward_size=5, pooling=pooling, level=level)  # type: ignore[arg-type]
    head.mean.fill_(10.0)
    head.deviation.fill_(4.0)
    return head


def make_batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(2)
    mask = torch.tensor([[True, True, True], [True, False, False]])
    return torch.randn(2, 3, 5), mask


def test_the_squared_error_is_that_of_known_standardised_numbers() -> None:
    head, (states, mask) = make_head(), make_batch()
    targets = torch.tensor([[3.0, torch.nan, 20.0], [7.0, torch.nan, torch.nan]])
    found = head(states, mask).values.detach().numpy()
    errors = [(found[row, i] - float(targets[row, i])) / 4 for row, i in ((0, 0), (0, 2), (1, 0))]
    assert head.loss(states, mask, targets).item() == pytest.approx(np.mean(np.square(errors)), rel=1e-5)
    assert head.count(mask, targets).item() == 3
    assert head.have_targets(targets).tolist() == [True, True]
    assert head.have_targets(torch.full((2, 3), torch.nan)).tolist() == [False, False]


def test_the_quantile_loss_is_the_mean_over_three_quantiles() -> None:
    head, (states, mask) = make_head(level=0.8), make_batch()
    targets = torch.tensor([[3.0, 11.0, 20.0], [7.0, torch.nan, torch.nan]])
    found = head.standardised(states, mask).detach().numpy()
    losses = []
    for row, i in ((0, 0), (0, 1), (0, 2), (1, 0)):
        above = (float(targets[row, i]) - 10) / 4 - found[row, i]
        losses += [q * a if a > 0 else (q - 1) * a for q, a in zip((0.1, 0.5, 0.9), above, strict=True)]
    assert head.loss(states, mask, targets).item() == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.parametrize("pooling", [None, "last", "mean", "max", "attention"])
def test_padding_changes_no_number(pooling: str | None) -> None:
    head, (states, mask) = make_head(values=1 if pooling is None else 3, pooling=pooling, level=0.9), make_batch()
    changed = states.masked_fill(~mask.unsqueeze(2), 50.0)
    for one, two in zip(head(states, mask), head(changed, mask), strict=True):
        torch.testing.assert_close(one, two)


def test_ends_stay_on_both_sides_of_the_number() -> None:
    head, (states, mask) = make_head(level=0.9), make_batch()
    for margin in (-100.0, 0.0, 3.0):
        head.margin.fill_(margin)
        values, low, high = head(states, mask)
        assert bool(((low <= values) & (values <= high)).all())


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_calibrated_intervals_hold_new_numbers_with_the_wanted_probability(level: float) -> None:
    """Over many draws of 30 dev numbers and one new one, the share is from the level to the level plus 1 / 31."""
    rng, head, inside = np.random.default_rng(1), make_head(), 0
    draws = 2000
    for _ in range(draws):
        errors = np.abs(rng.standard_cauchy(31))
        head.calibrate(torch.tensor(errors[:30, None], dtype=torch.float32), level)
        inside += errors[30] <= head.margin.item()
    noise = 3 * np.sqrt(level * (1 - level) / draws)
    assert level - noise <= inside / draws <= level + 1 / 31 + noise


def test_each_number_has_a_margin_of_its_own_and_unknown_ones_do_not_count() -> None:
    head = make_head(values=2, pooling="last")
    nan = float("nan")
    head.calibrate(torch.tensor([[1.0, 10.0], [2.0, 20.0], [3.0, nan], [nan, 30.0]]), 0.75)
    assert head.margin.tolist() == [3.0, 30.0]


@pytest.mark.parametrize(("level", "number"), [(0.5, 1), (0.75, 3), (0.9, 9), (0.95, 19), (0.99, 99)])
def test_the_fewest_numbers_that_can_calibrate(level: float, number: int) -> None:
    assert fewest(level) == number
    head = make_head()
    head.calibrate(torch.zeros(number, 1), level)
    with pytest.raises(ValueError, match=f"at least {number} cases"):
        head.calibrate(torch.zeros(number - 1, 1), level)
