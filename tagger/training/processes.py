"""Several processes that train one network: each computes a part of every batch, and all make the same step.

Every process reads the same corpora, draws the same batches and has the same weights. It computes the losses of its
sentences, weighted so that their sum over the processes is the loss of the whole batch, and the gradients are summed.
`torchrun` and `tagger train --processes` start the processes and set the variables that `joined` reads.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed

from tagger.encoding.batches import Ids
from tagger.errors import ModelError
from tagger.files.signals import asked_to_stop
from tagger.wording import shorten

PATIENCE = timedelta(hours=12)  # for the others, while the first process scores dev or computes a feature
_CURRENT: list["Together"] = []  # those of this process, while it trains
VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class Alone:
    """The only process of a training."""

    rank, size = 0, 1

    @property
    def leads(self) -> bool:
        """Whether this process writes files, scores, and shows progress."""
        return self.rank == 0

    def part(self, rows: Ids) -> Ids:
        """Return the sentences of a batch that this process computes."""
        return rows

    def totals(self, counts: Sequence[Tensor]) -> list[Tensor]:
        """Return each count, summed over all processes."""
        return list(counts)

    def summed(self, loss: float, dense: Sequence[Tensor], sparse: Sequence[Tensor]) -> float:
        """Sum the gradients of weights over all processes, and return the sum of their losses."""
        return loss

    def agreed(self, value: Any) -> Any:
        """Return the value that the first process has."""
        return value


class Together(Alone):
    """One of several processes, which call each method at the same time."""

    def __init__(self, asked: Sequence[int] = ()) -> None:
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self._asked = asked  # the signals that this process has received

    def part(self, rows: Ids) -> Ids:
        """Return every n-th sentence of a batch, none if the batch is too small."""
        return rows[self.rank :: self.size]

    def totals(self, counts: Sequence[Tensor]) -> list[Tensor]:
        """Return each count, summed over all processes."""
        both = torch.stack([count.double() for count in counts])
        with _all_there():
            distributed.all_reduce(both)
        return list(both)

    @torch.no_grad()
    def summed(self, loss: float, dense: Sequence[Tensor], sparse: Sequence[Tensor]) -> float:
        """Sum the gradients of weights over all processes, and return the sum of their losses.

        If one of them was asked to stop, all are interrupted here, so that none waits for another. A weight stays
        without a gradient if it has none in any process, so that its optimiser leaves it alone.
        """
        with _all_there():
            return self._summed(loss, dense, sparse)

    def _summed(self, loss: float, dense: Sequence[Tensor], sparse: Sequence[Tensor]) -> float:
        weights = [*dense, *sparse]
        device = weights[0].device
        facts = [loss, bool(self._asked), *(weight.grad is not None for weight in weights)]
        both = torch.tensor(facts, dtype=torch.float64, device=device)
        distributed.all_reduce(both)
        total, stops, *there = both.tolist()
        if stops:
            raise KeyboardInterrupt
        moved = [weight for weight, number in zip(dense, there, strict=False) if number]
        if moved:
            flat = torch.cat([torch.zeros_like(w).view(-1) if w.grad is None else w.grad.view(-1) for w in moved])
            distributed.all_reduce(flat)
            for weight, part in zip(moved, flat.split([weight.numel() for weight in moved]), strict=True):
                weight.grad = part.view_as(weight)
        for weight, number in zip(sparse, there[len(dense) :], strict=True):
            if number:
                weight.grad = self._gathered(weight)
        return float(total)

    def _gathered(self, weight: Tensor) -> Tensor:
        """Return the sum of the sparse gradients of all processes, each of which has rows of its own."""
        own = torch.sparse_coo_tensor(
            torch.empty((1, 0)), torch.empty((0, weight.shape[1])), weight.shape, check_invariants=False
        )
        own = (own.to(weight.device) if weight.grad is None else weight.grad).coalesce()
        rows, values = own.indices()[0], own.values()
        counts = [torch.zeros(1, dtype=torch.int64, device=weight.device) for _ in range(self.size)]
        distributed.all_gather(counts, torch.tensor([len(rows)], device=weight.device))
        numbers = [int(count) for count in counts]
        most = max(numbers)
        padded_rows = torch.zeros(most, dtype=torch.int64, device=weight.device)
        padded_values = torch.zeros((most, weight.shape[1]), dtype=weight.dtype, device=weight.device)
        padded_rows[: len(rows)], padded_values[: len(rows)] = rows, values
        all_rows = [torch.empty_like(padded_rows) for _ in numbers]
        all_values = [torch.empty_like(padded_values) for _ in numbers]
        distributed.all_gather(all_rows, padded_rows)
        distributed.all_gather(all_values, padded_values)
        found = torch.cat([part[:number] for part, number in zip(all_rows, numbers, strict=True)])
        vectors = torch.cat([part[:number] for part, number in zip(all_values, numbers, strict=True)])
        return torch.sparse_coo_tensor(found.unsqueeze(0), vectors, weight.shape, check_invariants=False).coalesce()

    def agreed(self, value: Any) -> Any:
        """Return the value that the first process has."""
        box = [value]
        with _all_there():
            distributed.broadcast_object_list(box)
        return box[0]


@contextmanager
def _all_there() -> Iterator[None]:
    """Say in one sentence that another process has died.

    Raises:
        ModelError: It has.
    """
    try:
        yield
    except RuntimeError as error:
        reason = shorten(str(error).splitlines()[0] if str(error) else type(error).__name__)
        raise ModelError(f"another process of the training has died or cannot be reached: {reason}") from None


def own_device(device: str) -> str:
    """Return the device of this process: with `cuda`, each process of a machine has a GPU of its own."""
    local = os.environ.get("LOCAL_RANK")
    return f"cuda:{local}" if device == "cuda" and local is not None else device


@contextmanager
def joined(device: str) -> Iterator[Alone]:
    """Yield the processes that this one belongs to within the context, as the variables of `torchrun` say.

    Raises:
        ModelError: The others cannot be reached.
    """
    if not all(name in os.environ for name in VARIABLES) or distributed.is_initialized():
        yield _CURRENT[-1] if _CURRENT else Alone()
        return
    backend = "nccl" if torch.device(device).type == "cuda" else "gloo"
    try:
        distributed.init_process_group(backend, timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"the other processes of the training cannot be reached: {shorten(str(error))}") from None
    try:
        with asked_to_stop() as asked:
            _CURRENT.append(Together(asked))
            yield _CURRENT[-1]
            with _all_there():
                distributed.barrier()  # a process that leaves earlier may take the connections of others with it
    finally:
        _CURRENT.clear()
        distributed.destroy_process_group()
