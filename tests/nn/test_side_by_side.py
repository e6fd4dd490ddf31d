"""Two computations in two threads against the same two in turn."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import current_thread

import pytest
import torch
from torch import Tensor

from tagger.nn.side_by_side import side_by_side


def run(inputs: Sequence[Tensor]) -> list[Tensor]:
    first, second = inputs
    return [first @ second, (first * 2).tanh()]


def leaves() -> list[Tensor]:
    random = torch.Generator().manual_seed(1)
    return [torch.randn(4, 4, generator=random, requires_grad=number != 3) for number in range(4)]


def test_outputs_and_gradients_equal_those_of_two_calls() -> None:
    one, two = leaves(), leaves()
    plain = run(one[:2]) + run(one[2:])
    with ThreadPoolExecutor(1) as helper:
        beside = side_by_side(run, two[:2], two[2:], helper=helper)
        assert all(torch.equal(a, b) for a, b in zip(plain, beside, strict=True))
        for outputs in (plain, beside):
            sum(output.square().sum() for output in outputs).backward()
    for a, b in zip(one[:3], two[:3], strict=True):
        assert a.grad is not None
        assert torch.equal(a.grad, b.grad)
    assert two[3].grad is None


def test_the_halves_run_in_two_threads() -> None:
    seen = []

    def watched(inputs: Sequence[Tensor]) -> list[Tensor]:
        seen.append(current_thread())
        return run(inputs)

    with ThreadPoolExecutor(1) as helper:
        given = leaves()
        side_by_side(watched, given[:2], given[2:], helper=helper)
    assert len(set(seen)) == 2


def test_an_error_of_either_half_reaches_the_caller() -> None:
    given = leaves()
    with ThreadPoolExecutor(1) as helper:
        for wrong in ((given[:2], [given[0], given[0][:1]]), ([given[0], given[0][:1]], given[:2])):
            with pytest.raises(RuntimeError):
                side_by_side(run, *wrong, helper=helper)
