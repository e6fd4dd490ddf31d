"""Dropout drops the given share of features, independently, and keeps the expectation of sums."""

import pytest
import torch

from tagger.nn.dropout import Dropout


@pytest.mark.parametrize("probability", [0.1, 0.33, 0.5, 0.9])
def test_share_of_dropped_features_and_expectation(probability: float) -> None:
    torch.manual_seed(1)
    dropped = Dropout(probability).train()(torch.ones(1000, 1000))
    assert (dropped == 0).float().mean().item() == pytest.approx(probability, abs=0.002)
    assert dropped.mean().item() == pytest.approx(1, abs=0.01)
    assert len(dropped.unique()) == 2


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(2)
    kept = Dropout(0.5).train()(torch.ones(2**20)) != 0
    for distance in (1, 2, 3, 4, 8):
        both = (kept[distance:] & kept[:-distance]).float().mean().item()
        assert both == pytest.approx(0.25, abs=0.003)


def test_gradient_flows_through_what_is_kept() -> None:
    features = torch.randn(7, 3, requires_grad=True)
    dropped = Dropout(0.5).train()(features)
    dropped.sum().backward()
    torch.testing.assert_close(features.grad, (dropped / features).detach())


def test_nothing_is_dropped_in_evaluation_or_at_probability_zero() -> None:
    features = torch.randn(5)
    assert Dropout(0.5).eval()(features) is features
    assert Dropout(0.0).train()(features) is features


def test_a_seed_repeats_what_is_dropped() -> None:
    torch.manual_seed(3)
    first = Dropout(0.5).train()(torch.ones(99))
    torch.manual_seed(3)
    assert torch.equal(Dropout(0.5).train()(torch.ones(99)), first)


def test_a_generator_of_its_own_is_not_disturbed_by_other_draws() -> None:
    dropout, found = Dropout(0.5).train(), []
    for _ in range(2):
        dropout.generator = torch.Generator().manual_seed(3)
        found.append(dropout(torch.ones(99)))
        torch.rand(1)
    assert torch.equal(*found)


@pytest.mark.parametrize("probability", [-0.1, 1.0])
def test_a_probability_out_of_range_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match=rf"^probability must be from 0 to below 1, got {probability}$"):
        Dropout(probability)
