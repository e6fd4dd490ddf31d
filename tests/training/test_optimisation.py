"""Learning rates, clipping and lazy updates, compared with torch on dense copies and with hand-made figures."""

import math

import pytest
import torch
from torch import Tensor, nn

from tagger.config import TrainingConfig
from tagger.nn.embeddings import WordVectors
from tagger.nn.pretrained.transformer import FineTunedEncoder, PieceEncoder, ScalarMix
from tagger.training.optimisation import WeightAverage, clip_gradients, make_optimizers, rate_factor, set_rates


class Tiny(nn.Module):
    """Word vectors below one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        self.words = WordVectors(torch.randn(5, 3, generator=generator), torch.randn(2, 3, generator=generator).half())
        self.linear = nn.Linear(3, 1)
        self.still = nn.Parameter(torch.ones(2), requires_grad=False)

    def loss(self, *word_ids: int) -> Tensor:
        return (self.linear(self.words(torch.tensor(word_ids))) ** 2).sum()


def make_tiny() -> Tiny:
    torch.manual_seed(1)
    return Tiny()


def with_transformer() -> Tiny:
    """The same beside a transformer of two layers, with a warm-up over half of the steps."""
    network = make_tiny()
    encoder = PieceEncoder(nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1)), [0])
    rates = {"learning_rate": 0.01, "warmup": 0.5, "layer_decay": 0.1}
    network.transformer = FineTunedEncoder(encoder, ScalarMix(1, 1), windows=lambda ids: (ids, ids), **rates)
    return network


def step(network: Tiny, optimizers: list[torch.optim.Optimizer], *word_ids: int) -> None:
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    network.loss(*word_ids).backward()
    for optimizer in optimizers:
        optimizer.step()


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_rows_that_are_not_in_the_batch_do_not_change(optimizer: str) -> None:
    network = make_tiny()
    optimizers = make_optimizers(network, TrainingConfig(optimizer=optimizer, learning_rate=0.1, weight_decay=0.1))
    step(network, optimizers, 0, 1, 2)
    before = network.words.weight.detach().clone()
    step(network, optimizers, 1, 3, 5)  # 5 is frozen
    moved = (network.words.weight != before).any(1)
    assert moved.tolist() == [False, True, False, True, False]


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_batch_of_frozen_words_alone_moves_the_dense_weights_only(optimizer: str) -> None:
    network = make_tiny()
    optimizers = make_optimizers(network, TrainingConfig(optimizer=optimizer, learning_rate=0.1))
    step(network, optimizers, 0, 1)
    words, weight = network.words.weight.detach().clone(), network.linear.weight.detach().clone()
    step(network, optimizers, 5, 6)
    assert torch.equal(network.words.weight, words)
    assert not torch.equal(network.linear.weight, weight)


@pytest.mark.parametrize("make", [make_tiny, with_transformer])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_each_trained_parameter_has_one_optimizer_and_still_ones_have_none(optimizer: str, make) -> None:
    network = make()
    optimizers = make_optimizers(network, TrainingConfig(optimizer=optimizer))
    held = [id(p) for o in optimizers for group in o.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in network.parameters() if p.requires_grad)


def test_first_sgd_step_is_the_gradient_times_the_rate() -> None:
    network = make_tiny()
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    step(network, make_optimizers(network, TrainingConfig(optimizer="sgd", learning_rate=0.1)), 0, 4, 4)
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            gradient = parameter.grad.to_dense() if parameter.grad.is_sparse else parameter.grad
            torch.testing.assert_close(parameter.detach(), before[name] - 0.1 * gradient)


def test_weight_decay_leaves_word_vectors_alone() -> None:
    ends = []
    for decay in (0.0, 0.5):
        network = make_tiny()
        step(network, make_optimizers(network, TrainingConfig(learning_rate=0.1, weight_decay=decay)), 0, 1)
        ends.append(network)
    assert torch.equal(ends[0].words.weight, ends[1].words.weight)
    assert not torch.equal(ends[0].linear.weight, ends[1].linear.weight)


def gradients_of(network: Tiny) -> list[Tensor]:
    network.loss(0, 4, 4, 5, 4).backward()
    return [p.grad for p in network.parameters() if p.grad is not None]


@pytest.mark.parametrize("max_norm", [1e-3, 0.5, 1e6])
def test_clipping_equals_torch_on_dense_copies(max_norm: float) -> None:
    network = make_tiny()
    copies = [nn.Parameter(torch.zeros_like(g.to_dense())) for g in gradients_of(network)]
    for copy, gradient in zip(copies, [p.grad for p in network.parameters() if p.grad is not None], strict=True):
        copy.grad = gradient.to_dense().clone()
    expected = nn.utils.clip_grad_norm_(copies, max_norm)
    assert clip_gradients(network.parameters(), max_norm) == pytest.approx(float(expected), rel=1e-5)
    found = [p.grad for p in network.parameters() if p.grad is not None]
    for gradient, copy in zip(found, copies, strict=True):
        torch.testing.assert_close(gradient.to_dense(), copy.grad, rtol=1e-5, atol=1e-7)


def test_the_norm_of_sparse_gradients_sums_repeated_rows_first() -> None:
    words = WordVectors(torch.zeros(2, 1), torch.zeros(0, 1).half())
    words(torch.tensor([1, 1, 1])).sum().backward()
    assert clip_gradients(words.parameters(), 100.0) == pytest.approx(3.0)


def make_config(schedule: str, warmup: float) -> TrainingConfig:
    return TrainingConfig(schedule=schedule, warmup=warmup)


@pytest.mark.parametrize(
    ("schedule", "warmup", "expected"),
    [
        ("constant", 0.0, {0: 1.0, 50: 1.0, 99: 1.0}),
        ("linear", 0.0, {0: 1.0, 50: 0.5, 99: 0.01}),
        ("cosine", 0.0, {0: 1.0, 50: 0.5, 25: 0.5 + math.sqrt(0.125), 99: 0.00025}),
        ("constant", 0.2, {0: 0.05, 9: 0.5, 19: 1.0, 20: 1.0, 99: 1.0}),
        ("linear", 0.2, {0: 0.05, 19: 1.0, 20: 1.0, 60: 0.5, 99: 0.0125}),
        ("cosine", 0.2, {0: 0.05, 19: 1.0, 20: 1.0, 60: 0.5, 99: 0.0004}),
    ],
)
def test_the_rate_rises_over_the_warmup_and_then_follows_its_schedule(
    schedule: str, warmup: float, expected: dict[int, float]
) -> None:
    config = make_config(schedule, warmup)
    assert {s: rate_factor(s, 100, config) for s in expected} == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_transformer_has_rates_and_a_warmup_of_its_own(optimizer: str) -> None:
    network, config = with_transformer(), TrainingConfig(optimizer=optimizer, learning_rate=0.1, warmup=0.0)
    optimizers = make_optimizers(network, config)

    def rates(step: int) -> list[float]:
        assert set_rates(optimizers, step, 100, config) == pytest.approx(0.1 * (1 - step / 100))
        found = {id(p): group["lr"] for o in optimizers for group in o.param_groups for p in group["params"]}
        return [found[id(p)] for p in (network.linear.weight, network.transformer.mix.weight, *layers)]

    layers = [layer.weight for layer in network.transformer.encoder.model]
    assert rates(0) == pytest.approx([0.1, 0.1, 0.001 / 50, 0.01 / 50])
    assert rates(50) == pytest.approx([0.05, 0.05, 0.001, 0.01])
    assert rates(75) == pytest.approx([0.025, 0.025, 0.0005, 0.005])


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.5, 0.99])
@pytest.mark.parametrize("steps", [1, 2, 37])
def test_every_step_has_a_positive_rate_of_at_most_one(schedule: str, warmup: float, steps: int) -> None:
    factors = [rate_factor(i, steps, make_config(schedule, warmup)) for i in range(steps)]
    assert all(0 < factor <= 1 for factor in factors)


def test_the_average_is_the_sum_of_all_weights_by_their_age() -> None:
    layer, average_decay = nn.Linear(1, 1, bias=False), 0.9
    average = WeightAverage(layer, average_decay)
    expected = layer.weight.item()
    for step in range(1, 201):
        layer.weight.data.fill_(math.sin(step))
        average.update()
        decay = min(average_decay, step / (step + 10))
        expected = decay * expected + (1 - decay) * math.sin(step)
    with average.in_place():
        assert layer.weight.item() == pytest.approx(expected, abs=1e-5)
    assert layer.weight.item() == pytest.approx(math.sin(200))
    with average.in_place():
        assert layer.weight.item() == pytest.approx(expected, abs=1e-5)


def test_without_decay_no_average_is_kept_and_the_weights_stay() -> None:
    layer = nn.Linear(2, 2)
    average = WeightAverage(layer, 0.0)
    average.update()
    before = layer.weight.clone()
    with average.in_place():
        assert torch.equal(layer.weight, before)
    assert average.average == []
