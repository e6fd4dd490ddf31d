"""A layer of the encoder whose cell is an extension, and the checks of parts of a network that are extensions.

A part is checked once, when a network is built: its weights, because a model file can hold float32 alone, and what it
computes for random numbers, because sentences of a batch and padding must not change each other's results.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from tagger.errors import RecipeError
from tagger.extensions import Cell, running
from tagger.wording import shorten

TRIAL = (3, 40)  # rows and tokens
TOLERANCE = 1e-4  # of states up to 1: sums in another order differ by much less


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
        where = f"encoder.cell: the cell `{cell.name}`"
        with running(where):
            cells = [cell.module(input_size, hidden_size) for _ in range(2 if bidirectional else 1)]
            for module in cells:
                check_weights(where, module, cell.module.shapes(input_size, hidden_size))
                _check_states(where, module, input_size, hidden_size)
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


def check_weights(where: str, module: Any, shapes: Mapping[str, Sequence[int]], *, own_file: bool = False) -> None:
    """Refuse a part of a network whose weights a model file cannot hold, or that are not those of `shapes`.

    Args:
        where: Begins the error.
        module: The part.
        shapes: The shape of each weight by its name, as the extension says.
        own_file: Whether the part may have further weights, which it keeps in a file of its own.

    Raises:
        RecipeError: It is refused.
    """
    if not isinstance(module, nn.Module):
        raise RecipeError(f"{where} must make a torch.nn.Module, got {shorten(module)}; return a module")
    said = {name: tuple(shape) for name, shape in shapes.items()}
    weights = {name: each for name, each in module.state_dict().items() if name in said or not own_file}
    if (found := {name: tuple(tensor.shape) for name, tensor in weights.items()}) != said:
        raise RecipeError(f"{where} must have the parameters that `shapes` returns, {said}, got {found}; correct one")
    places: dict[int, str] = {}
    for name, tensor in weights.items():
        if tensor.dtype != torch.float32:
            raise RecipeError(
                f"{where} must have float32 weights alone, got `{name}` of {form(tensor)}; "
                "convert it, or register it as a buffer with persistent=False"
            )
        if tensor.numel() and (first := places.setdefault(tensor.untyped_storage().data_ptr(), name)) != name:
            raise RecipeError(
                f"{where} must have weights of their own memory, got `{first}` and `{name}`, which share it; keep one "
                "of them as an attribute that torch does not register, such as a list"
            )


def form(value: Any) -> str:
    """Return type and shape of a tensor as an error shows them; another value itself."""
    if not isinstance(value, Tensor):
        return shorten(value)
    return f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"


def changes_with(read: Callable[[Tensor], Tensor], numbers: Tensor, *, later: Sequence[Tensor] = ()) -> str | None:
    """Return what the states of tokens wrongly depend on, in words; None if on their token and those before it alone.

    Args:
        read: Maps numbers (batch, tokens, k) to states (batch, tokens, width), or (words, k) to (words, width).
        numbers: The input of a trial, of several rows.
        later: Other numbers of the same shape, with which later tokens are replaced.
    """
    states = read(numbers)
    scale = max(1.0, float(states.abs().max()))

    def same(found: Tensor, expected: Tensor) -> bool:
        return torch.allclose(found, expected, rtol=0, atol=TOLERANCE * scale)

    if not same(read(numbers[:1]), states[:1]):
        return "the other rows of a batch"
    for kept in (1, numbers.shape[1] // 2) if numbers.dim() == 3 else ():
        if not same(read(numbers[:, :kept]), states[:, :kept]):
            return "the number of later tokens, or on one of them"
        for others in later:
            changed = torch.cat([numbers[:, :kept], others[:, kept:]], 1)
            if not same(read(changed)[:, :kept], states[:, :kept]):
                return "later tokens"
    return None


@torch.no_grad()
def _check_states(where: str, module: nn.Module, input_size: int, hidden_size: int) -> None:
    """Refuse a cell whose states have another shape or type, or that does not read from left to right."""
    was_training, device = module.training, next((weight.device for weight in module.parameters()), None)
    module.eval()
    generator = torch.Generator("cpu").manual_seed(1)
    vectors = torch.randn(*TRIAL, input_size, generator=generator, device="cpu").to(device)
    states = module(vectors)
    shape = (*TRIAL, hidden_size)
    if not isinstance(states, Tensor) or tuple(states.shape) != shape or states.dtype != torch.float32:
        raise RecipeError(
            f"{where} must map {form(vectors)} to float32 states of shape {shape}, got {form(states)}; correct its "
            "forward"
        )
    if not bool(states.isfinite().all()):
        raise RecipeError(f"{where} must return finite numbers, got NaN or infinity; correct its forward")
    later = (vectors.abs() + 10, -vectors.abs() - 10)
    if (problem := changes_with(module, vectors, later=later)) is not None:
        raise RecipeError(
            f"{where} must read from left to right: a state must depend on its token and those before it alone, but it "
            f"depends on {problem}; correct its forward"
        )
    module.train(was_training)
