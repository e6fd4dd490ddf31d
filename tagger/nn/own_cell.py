"""A layer of the encoder whose cell is an extension."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tagger.errors import RecipeError
from tagger.extensions import Cell
from tagger.wording import shorten


class OwnLayer(nn.Module):
    """The states of one cell, or of two that read in opposite directions.

    Args:
        cell: The extension.
        input_size: Width of the input.
        hidden_size: Width of the state of one direction.
        bidirectional: Whether a second cell reads each row from its end to its start.

    Raises:
        RecipeError: The module of the cell is not what `Cell` says.
    """

    def __init__(self, cell: Cell, input_size: int, hidden_size: int, *, bidirectional: bool) -> None:
        super().__init__()
        self.hidden_size, self.bidirectional = hidden_size, bidirectional
        cells = [cell.module(input_size, hidden_size) for _ in range(2 if bidirectional else 1)]
        for module in cells:
            _check(cell, module, input_size, hidden_size)
        self.directions = nn.ModuleList(cells)

    def forward(
        self, vectors: Float[Tensor, "batch tokens input"], order: Int[Tensor, "batch tokens"]
    ) -> Float[Tensor, "batch tokens directions hidden"]:
        """Return the states of each direction; values at padding are unspecified.

        Args:
            vectors: The input.
            order: The position that each one changes places with when a row is reversed within its own length.
        """
        states = [self.directions[0](vectors)]
        if self.bidirectional:
            states.append(_reordered(self.directions[1](_reordered(vectors, order)), order))
        return torch.stack(states, 2)


def _reordered(values: Tensor, order: Tensor) -> Tensor:
    return values.gather(1, order.unsqueeze(2).expand(-1, -1, values.shape[2]))


@torch.no_grad()
def _check(cell: Cell, module: Any, input_size: int, hidden_size: int) -> None:
    """Refuse a module that is not what `Cell` says: its shapes, and that it reads from left to right."""
    where = f"encoder.cell: the cell `{cell.name}`"
    if not isinstance(module, nn.Module):
        raise RecipeError(f"{where} must make a torch.nn.Module, got {shorten(module)}")
    said = {name: tuple(shape) for name, shape in cell.module.shapes(input_size, hidden_size).items()}
    if (found := {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}) != said:
        raise RecipeError(f"{where} must have the parameters that `shapes` returns, {said}, got {found}")
    was_training = module.training
    module.eval()
    vectors = torch.linspace(-1, 1, 8 * input_size).view(2, 4, input_size)
    states = module(vectors)
    if tuple(states.shape) != (2, 4, hidden_size):
        raise RecipeError(
            f"{where} must map (2, 4, {input_size}) to states of shape (2, 4, {hidden_size}), got {tuple(states.shape)}"
        )
    vectors[:, 3] += 1
    if not torch.equal(module(vectors)[:, :3], states[:, :3]):
        raise RecipeError(
            f"{where} must read from left to right: a state must not depend on later tokens, but it changed with one"
        )
    module.train(was_training)
