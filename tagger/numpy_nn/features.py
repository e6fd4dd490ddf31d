"""What a network makes of features of words; see `nn/features.py`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.numpy_nn.encoder import Floats


class IdEmbeddings:
    """Embeds each column of ids in a table of its own and joins the vectors.

    Args:
        weights: `table.weight`, the tables of all columns, one below the other.
        sizes: Number of ids in each column; a single number if all columns share one table.
    """

    def __init__(self, weights: Mapping[str, NDArray[Any]], sizes: Sequence[int]) -> None:
        self.table = weights["table.weight"]
        self.starts = np.cumsum([0, *sizes[:-1]])

    def __call__(self, ids: NDArray[Any]) -> Floats:
        """Return the vectors of each row of ids, one beside the other, of shape (types, width)."""
        found: Floats = self.table[ids + self.starts].reshape(len(ids), ids.shape[1] * self.table.shape[1])
        return found
