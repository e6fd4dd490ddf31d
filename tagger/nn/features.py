"""What a network makes of features of words and tokens, beside word vectors and characters."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class IdEmbeddings(nn.Module):
    """Embeds each column of ids in a table of its own and joins the vectors.

    Args:
        sizes: Number of ids in each column; a single number if all columns share one table.
        dimension: Width of the vector of an id.
    """

    def __init__(self, sizes: Sequence[int], dimension: int) -> None:
        super().__init__()
        self.register_buffer("starts", torch.tensor([sum(sizes[:i]) for i in range(len(sizes))]), persistent=False)
        self.starts: Tensor
        self.table = nn.Embedding(sum(sizes), dimension)
        bound = (3 / dimension) ** 0.5  # as character vectors: Ma and Hovy (2016)
        nn.init.uniform_(self.table.weight, -bound, bound)

    def forward(self, ids: Int[Tensor, "types columns"]) -> Float[Tensor, "types width"]:
        """Return the vectors of each row of ids, one beside the other."""
        vectors: Tensor = self.table(ids + self.starts).flatten(1)
        return vectors
