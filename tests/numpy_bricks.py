"""Builders for the tests of the bricks in NumPy: their weights are those of the bricks of torch."""

from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from tagger.numpy_nn.packing import Packing, packing_of

LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=7)


def weights_of(brick: nn.Module) -> dict[str, NDArray[Any]]:
    return {name: value.detach().numpy() for name, value in brick.state_dict().items()}


def packed(lengths: list[int]) -> Packing:
    return packing_of(np.array(lengths, np.int64))


def mask_of(lengths: list[int]) -> Tensor:
    return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def randomised(brick: nn.Module, seed: int, scale: float = 0.7) -> Any:
    """The brick with random parameters of its own: fresh biases and transitions would be 0."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in brick.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * scale
    return brick.eval()
