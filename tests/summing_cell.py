"""A cell of a user's own, which tests change into wrong ones."""

import torch
from torch import Tensor, nn


class Sums(nn.Module):
    """The sum of the projected inputs so far."""

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(input_size, hidden_size)

    @staticmethod
    def shapes(input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        return {"linear.weight": (hidden_size, input_size), "linear.bias": (hidden_size,)}

    def forward(self, vectors: Tensor) -> Tensor:
        return torch.tanh(self.linear(vectors).cumsum(1))
