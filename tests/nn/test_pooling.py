"""Each pooling against a sentence-by-sentence computation."""

import pytest
import torch
from torch import Tensor, nn

from tagger.nn.pooling import AttentionPooling, LastPooling, MaxPooling, MeanPooling

LENGTHS = (4, 1, 3)
NAMES = ["mean", "max", "last", "attention"]


def make_pooling(name: str) -> nn.Module:
    torch.manual_seed(1)
    return {
        "mean": MeanPooling,
        "max": MaxPooling,
        "last": lambda: LastPooling(forward_size=4),
        "attention": lambda: AttentionPooling(hidden_size=6),
    }[name]()


def make_batch() -> tuple[Tensor, Tensor]:
    states = torch.randn(len(LENGTHS), max(LENGTHS), 6, generator=torch.Generator().manual_seed(2))
    return states, torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS).unsqueeze(1)


@pytest.mark.parametrize("value", [1e6, -1e6, torch.inf, torch.nan])
@pytest.mark.parametrize("name", NAMES)
def test_padding_never_reaches_the_vector(name: str, value: float) -> None:
    pooling, (states, mask) = make_pooling(name), make_batch()
    spoiled = states.masked_fill(~mask.unsqueeze(-1), value)
    assert torch.equal(pooling(spoiled, mask).vector, pooling(states, mask).vector)


@pytest.mark.parametrize("name", NAMES)
def test_padding_gets_no_gradient(name: str) -> None:
    pooling, (states, mask) = make_pooling(name), make_batch()
    states.requires_grad_()
    pooling(states, mask).vector.sum().backward()
    assert (states.grad[~mask] == 0).all()
    assert states.grad.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_batch_equals_one_sentence_at_a_time(name: str) -> None:
    pooling, (states, mask) = make_pooling(name), make_batch()
    alone = [pooling(states[i : i + 1, :n], mask[i : i + 1, :n]).vector for i, n in enumerate(LENGTHS)]
    torch.testing.assert_close(pooling(states, mask).vector, torch.cat(alone))


@pytest.mark.parametrize("name", ["mean", "max", "last"])
def test_poolings_without_attention_say_so(name: str) -> None:
    assert make_pooling(name)(*make_batch()).attention is None


def test_attention_sums_to_one_and_is_exactly_zero_at_padding() -> None:
    states, mask = make_batch()
    attention = make_pooling("attention")(states, mask).attention
    torch.testing.assert_close(attention.sum(1), torch.ones(len(LENGTHS)))
    assert (attention[~mask] == 0).all()


def test_attention_of_one_token_is_one() -> None:
    states, mask = make_batch()
    assert make_pooling("attention")(states, mask).attention[1, 0] == 1


def test_attention_equals_the_equations_of_the_paper() -> None:
    pooling, (states, mask) = make_pooling("attention"), make_batch()
    inner, outer = pooling.score[0], pooling.score[2]
    for i, length in enumerate(LENGTHS):
        scores = [outer.weight[0] @ torch.tanh(inner.weight @ h + inner.bias) for h in states[i, :length]]
        weights = torch.stack(scores).exp() / torch.stack(scores).exp().sum()
        expected = sum(weight * h for weight, h in zip(weights, states[i], strict=False))
        torch.testing.assert_close(pooling(states, mask).vector[i], expected)


def test_mean_equals_the_arithmetic_mean_of_each_sentence() -> None:
    states, mask = make_batch()
    expected = torch.stack([states[i, :n].mean(0) for i, n in enumerate(LENGTHS)])
    torch.testing.assert_close(make_pooling("mean")(states, mask).vector, expected)


def test_max_of_negative_states_is_negative() -> None:
    states, mask = make_batch()
    states = -states.abs() - 1
    expected = torch.stack([states[i, :n].max(0).values for i, n in enumerate(LENGTHS)])
    assert torch.equal(make_pooling("max")(states, mask).vector, expected)


def test_last_takes_the_forward_state_at_the_end_and_the_backward_state_at_the_start() -> None:
    states, mask = make_batch()
    expected = torch.stack([torch.cat((states[i, n - 1, :4], states[i, 0, 4:])) for i, n in enumerate(LENGTHS)])
    assert torch.equal(make_pooling("last")(states, mask).vector, expected)


def test_last_of_undivided_states_is_the_last_token() -> None:
    states, mask = make_batch()
    expected = torch.stack([states[i, n - 1] for i, n in enumerate(LENGTHS)])
    assert torch.equal(LastPooling(forward_size=6)(states, mask).vector, expected)
