"""Two independent computations in two threads, forward and backward.

torch's own threads share out single operations. They pay for large products only, and they spin while they wait, on
cores that other processes need. A thread that waits for a whole computation sleeps.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor

Run = Callable[[Sequence[Tensor]], list[Tensor]]


@contextmanager
def torch_threads(number: int) -> Iterator[int]:
    """Let torch compute in a number of threads inside the context, and yield the number that it has outside."""
    allowed = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield allowed
    finally:
        torch.set_num_threads(allowed)


one_torch_thread = partial(torch_threads, 1)


def side_by_side(run: Run, first: Sequence[Tensor], second: Sequence[Tensor], *, helper: Executor) -> Sequence[Tensor]:
    """Return `run(first) + run(second)`, of which `helper` computes the second half, and its gradients later.

    Args:
        run: A differentiable function without random numbers.
        first: Its inputs, for the calling thread.
        second: As many inputs, for the other thread.
        helper: The other thread.

    Source:
        Compared with two calls in turn, to the last bit, in tests/nn/test_side_by_side.py.
    """
    states: Sequence[Tensor] = _SideBySide.apply(helper, run, *first, *second)  # type: ignore[no-untyped-call]
    return states


class _SideBySide(torch.autograd.Function):
    """Keeps the graph of each half out of the caller's graph.

    On a CPU autograd runs a graph in one thread, the one that calls `backward`. So each half gets a graph of its own,
    from detached inputs, and the thread that made it also differentiates it.
    """

    @staticmethod
    def forward(ctx: Any, helper: Executor, run: Run, *inputs: Tensor) -> tuple[Tensor, ...]:
        leaves = [tensor.detach().requires_grad_(tensor.requires_grad) for tensor in inputs]
        halves = leaves[: len(leaves) // 2], leaves[len(leaves) // 2 :]

        def with_graph(half: Sequence[Tensor]) -> list[Tensor]:
            with torch.enable_grad():  # a custom function runs without, and each thread has a switch of its own
                return run(half)

        second = helper.submit(with_graph, halves[1])
        outputs = with_graph(halves[0]), second.result()
        ctx.helper, ctx.halves, ctx.outputs = helper, halves, outputs
        return tuple(output.detach() for half in outputs for output in half)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        middle = len(ctx.outputs[0])
        second = ctx.helper.submit(_gradients, ctx.outputs[1], ctx.halves[1], gradients[middle:])
        return None, None, *_gradients(ctx.outputs[0], ctx.halves[0], gradients[:middle]), *second.result()


def _gradients(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], gradients: Sequence[Tensor]
) -> Sequence[Tensor | None]:
    """Return the gradient of each input, None for one that needs none."""
    found = iter(torch.autograd.grad(outputs, [tensor for tensor in inputs if tensor.requires_grad], gradients))
    return [next(found) if tensor.requires_grad else None for tensor in inputs]
