"""Optimisers, learning rate schedules and gradient clipping, for dense and sparse gradients; averaged weights.

Word vectors get sparse gradients, so a step costs time for the words of its batch only. torch's Adam and norm clipping
do not accept sparse gradients: these parameters use torch's lazy `SparseAdam`, and the norm is computed here.

A pretrained transformer that is trained further has learning rates and a warm-up of its own, and always uses Adam.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer, SparseAdam

from tagger.config import TrainingConfig
from tagger.nn.embeddings import WordVectors
from tagger.nn.pretrained.transformer import FineTunedEncoder

MOMENTUM = 0.9


def make_optimizers(network: nn.Module, config: TrainingConfig) -> list[Optimizer]:
    """Return the optimisers of a network: one for dense parameters, one for sparse rows, one for transformers if any.

    Weight decay is decoupled from the gradient. It applies to dense parameters only, and so does the momentum of SGD.
    """
    sparse = [module.weight for module in network.modules() if isinstance(module, WordVectors)]
    encoders = [module for module in network.modules() if isinstance(module, FineTunedEncoder)]
    groups = [group for encoder in encoders for group in encoder.parameter_groups()]
    apart = {
        id(parameter) for parameters in [sparse, *(group["params"] for group in groups)] for parameter in parameters
    }
    dense = [p for p in network.parameters() if p.requires_grad and id(p) not in apart]
    rate, decay = config.learning_rate, config.weight_decay
    tuned = [AdamW(groups, weight_decay=decay, fused=True)] if groups else []
    if config.optimizer == "sgd":
        return [SGD(dense, lr=rate, momentum=MOMENTUM, weight_decay=decay), SGD(sparse, lr=rate), *tuned]
    return [AdamW(dense, lr=rate, weight_decay=decay, fused=True), SparseAdam(sparse, lr=rate), *tuned]


def set_rates(optimizers: Sequence[Optimizer], step: int, num_steps: int, config: TrainingConfig) -> float:
    """Give each parameter group its learning rate at a step, and return that of the recipe's own."""
    rate = config.learning_rate * rate_factor(step, num_steps, config)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            if "warmup" in group:
                group["lr"] = group["initial_lr"] * rate_factor(step, num_steps, config, warmup=group["warmup"])
            else:
                group["lr"] = rate
    return rate


def rate_factor(step: int, num_steps: int, config: TrainingConfig, *, warmup: float | None = None) -> float:
    """Return the learning rate at a step as a share of the highest one: a linear warm-up, then the schedule.

    Args:
        step: Number of the step, from 0.
        num_steps: Number of all steps.
        config: Gives the schedule, and the warm-up.
        warmup: Share of all steps during which the rate rises, in place of that of the recipe.
    """
    rising = round((config.warmup if warmup is None else warmup) * num_steps)
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, num_steps - rising)
    match config.schedule:
        case "constant":
            return 1.0
        case "linear":
            return 1.0 - done
        case "cosine":
            return 0.5 * (1 + math.cos(math.pi * done))


class WeightAverage:
    """An exponential moving average of the weights, which replaces them while a network is scored.

    Args:
        network: The network whose weights are averaged.
        decay: Share of the old average that each step keeps; less at the first steps, when the average covers few
            steps. 0 means no average: the network keeps its own weights.

    Source:
        Polyak and Juditsky (1992); exponential, as in Kingma and Ba (2015), section 7.2.
        Compared with its sum in tests/training/test_optimisation.py.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = [p for p in network.parameters() if p.requires_grad] if decay else []
        self.average = [weight.detach().clone() for weight in self.weights]
        self.steps = 0

    @torch.no_grad()
    def update(self) -> None:
        """Add the weights after a step to the average."""
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 10))
        for average, weight in zip(self.average, self.weights, strict=True):
            average.lerp_(weight, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the network the averages as weights inside the context, and its own weights after it."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for average, weight in zip(self.average, self.weights, strict=True):
            kept = average.clone()
            average.copy_(weight)
            weight.copy_(kept)


def clip_gradients(parameters: Iterable[Tensor], max_norm: float) -> float:
    """Scale all gradients down if their joint norm is above `max_norm`; return the norm before scaling."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    # A sparse gradient may have several entries for one row: coalescing adds them up before the norm is taken.
    values = [g.coalesce()._values() if g.is_sparse else g for g in gradients]
    norm = float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(values))))
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / norm)
    return norm
