"""A cell of a user's own is refused when its network is built, unless it is what a model file and a batch need."""

from typing import Any

import pytest
import torch
from summing_cell import Sums
from torch import Tensor, nn

from tagger.errors import RecipeError
from tagger.extensions import Cell, register
from tagger.nn.encoder import RecurrentEncoder


class Smallest(Sums):
    def forward(self, vectors: Tensor) -> Any:
        return torch.tanh(self.linear(vectors) + vectors.amin(1, keepdim=True).mean(2, keepdim=True))


class FourAhead(Sums):
    def forward(self, vectors: Tensor) -> Any:
        ahead = torch.zeros_like(vectors)
        ahead[:, :-4] = vectors[:, 4:]
        return torch.tanh(self.linear(vectors + ahead))


class KnowsLength(Sums):
    def forward(self, vectors: Tensor) -> Any:
        return torch.tanh(self.linear(vectors).cumsum(1) / vectors.shape[1])


class KnowsRows(Sums):
    def forward(self, vectors: Tensor) -> Any:
        return torch.tanh(self.linear(vectors - vectors.mean(0, keepdim=True)))


class Pair(Sums):
    def forward(self, vectors: Tensor) -> Any:
        return super().forward(vectors), None


class NotFinite(Sums):
    def forward(self, vectors: Tensor) -> Any:
        return super().forward(vectors) * float("nan")


class Double(Sums):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.double()

    def forward(self, vectors: Tensor) -> Any:
        return super().forward(vectors.double()).float()


class DoubleStates(Sums):
    def forward(self, vectors: Tensor) -> Any:
        return super().forward(vectors).double()


class Counts(Sums):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.norm = nn.BatchNorm1d(input_size)

    @staticmethod
    def shapes(input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        names = ("weight", "bias", "running_mean", "running_var")
        norm: dict[str, tuple[int, ...]] = {f"norm.{name}": (input_size,) for name in names}
        return {**Sums.shapes(input_size, hidden_size), **norm, "norm.num_batches_tracked": ()}


class Tied(Sums):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.again = self.linear

    @staticmethod
    def shapes(input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        shapes = Sums.shapes(input_size, hidden_size)
        return {**shapes, **{name.replace("linear", "again"): shape for name, shape in shapes.items()}}


class NoShapes(nn.Module):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()


class ShapesOfAnInstance(Sums):
    def shapes(self, input_size: int, hidden_size: int) -> Any:  # type: ignore[override]
        return {}


class Raises(Sums):
    def __init__(self, input_size: int, hidden_size: int) -> None:
        raise KeyError("boom")


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Smallest, "must read from left to right"),
        (FourAhead, "must read from left to right"),
        (KnowsLength, "must read from left to right: .* depends on the number of later tokens"),
        (KnowsRows, "must read from left to right: .* depends on the other rows of a batch"),
        (Pair, r"must map float32 of shape \(3, 40, 5\) to float32 states of shape \(3, 40, 4\), got \(tensor"),
        (NotFinite, "must return finite numbers"),
        (Double, "must have float32 weights alone, got `linear.weight` of float64"),
        (DoubleStates, r"must map .*, got float64 of shape \(3, 40, 4\)"),
        (Counts, "must have float32 weights alone, got `norm.num_batches_tracked` of int64"),
        (Tied, "must have weights of their own memory, got `linear.weight` and `again.weight`"),
        (lambda *sizes: 5, "raised AttributeError: .*shapes"),
        (NoShapes, "raised AttributeError: .*shapes"),
        (ShapesOfAnInstance, "raised TypeError: .*shapes"),
        (Raises, "raised KeyError: 'boom'; correct its code"),
    ],
)
def test_a_wrong_cell_is_refused_when_the_network_is_built(module: Any, message: str) -> None:
    register(Cell("own", module))
    with pytest.raises(RecipeError, match=f"^encoder.cell: the cell `own` {message}"):
        RecurrentEncoder(input_size=5, hidden_size=4, cell="own")


def test_the_check_of_a_cell_draws_no_random_number_and_leaves_it_in_training() -> None:
    register(Cell("own", Sums))
    torch.manual_seed(1)
    Sums(5, 4)
    expected = torch.rand(1)
    torch.manual_seed(1)
    encoder = RecurrentEncoder(input_size=5, hidden_size=4, cell="own", bidirectional=False)
    assert torch.equal(torch.rand(1), expected)
    assert all(module.training for module in encoder.modules())


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_vectors_of_another_width_are_refused(cell: str) -> None:
    encoder = RecurrentEncoder(input_size=20, hidden_size=8, cell=cell)
    with pytest.raises(ValueError, match="vectors must have 20 numbers per token, got 24"):
        encoder(torch.ones(3, 5, 24), torch.ones(3, 5, dtype=torch.bool))
