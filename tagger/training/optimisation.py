"""Optimisers, the learning rate over time, and clipping, for dense and sparse gradients alike.

Rows of word vectors get sparse gradients, so that a step costs what its batch has. torch's Adam and norm clipping
refuse those: such parameters go to torch's lazy `SparseAdam`, and the norm is summed here.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer, SparseAdam

from tagger.config import TrainingConfig
from tagger.nn.embeddings import WordVectors

MOMENTUM = 0.9


def make_optimizers(network: nn.Module, config: TrainingConfig) -> list[Optimizer]:
    """The optimisers of a network: one for dense parameters and, if there are any, one for sparse rows.

    Weight decay is decoupled from the gradient and acts on dense parameters alone; momentum of SGD likewise.
    """
    sparse = [module.weight for module in network.modules() if isinstance(module, WordVectors)]
    rows = {id(parameter) for parameter in sparse}
    dense = [p for p in network.parameters() if p.requires_grad and id(p) not in rows]
    rate = config.learning_rate
    if config.optimizer == "sgd":
        return [SGD(dense, lr=rate, momentum=MOMENTUM, weight_decay=config.weight_decay), SGD(sparse, lr=rate)]
    return [AdamW(dense, lr=rate, weight_decay=config.weight_decay, fused=True), SparseAdam(sparse, lr=rate)]


def rate_factor(step: int, num_steps: int, config: TrainingConfig) -> float:
    """The learning rate at a step, as a share of the recipe's: rising over the warm-up, then as the schedule says."""
    warmup = round(config.warmup * num_steps)
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, num_steps - warmup)
    match config.schedule:
        case "constant":
            return 1.0
        case "linear":
            return 1.0 - done
        case "cosine":
            return 0.5 * (1 + math.cos(math.pi * done))


def clip_gradients(parameters: Iterable[Tensor], max_norm: float) -> float:
    """The norm of all gradients together, which are scaled down so that it is at most `max_norm`."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    values = [g.coalesce()._values() if g.is_sparse else g for g in gradients]
    norm = float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(values))))
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / norm)
    return norm
