"""The tokens of a batch without padding: first tokens of all rows, then second tokens, and so on, longest row first.

The rows that have a token at a position are then the first ones, and the tokens of a position lie together. A
recurrence so reads and writes slices, and never computes a state of padding.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]


class Packing(NamedTuple):
    """Where the tokens of a batch are.

    Args:
        lengths: Number of tokens of each row, of shape (batch,).
        sizes: Number of rows that have a token at each position, of shape (tokens,).
        starts: Index of the first token of each position, of shape (tokens + 1,).
        places: Index of each token, of shape (batch, tokens); 0 at padding.
        mask: True at tokens, of shape (batch, tokens).
    """

    lengths: Ids
    sizes: Ids
    starts: Ids
    places: Ids
    mask: NDArray[np.bool_]

    def pack(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return values of shape (batch, tokens, ...) without padding, as packed tokens."""
        packed = np.empty((self.starts[-1], *values.shape[2:]), values.dtype)
        packed[self.places[self.mask]] = values[self.mask]
        return packed

    def every(self, stride: int) -> tuple["Packing", Ids, Ids]:
        """Return where the tokens are of which only the first of each `stride` is kept, which ones, and their places.

        Returns:
            The packing of those that are kept, the index of each of them here, and, for each token here, the index
            there of the last one kept up to it.
        """
        sizes = self.sizes[::stride]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        positions = np.repeat(np.arange(len(self.sizes)), self.sizes)  # of each packed token
        ranks = np.arange(len(positions)) - self.starts[positions]
        kept = np.flatnonzero(positions % stride == 0)
        before = starts[positions // stride] + ranks
        places = np.where(self.mask, before[self.places], 0)[:, ::stride] if len(before) else self.places[:, ::stride]
        lengths = -(-self.lengths // stride)
        return Packing(lengths, sizes, starts, places, self.mask[:, ::stride]), kept, before

    def pad(self, packed: NDArray[Any]) -> NDArray[Any]:
        """Return packed tokens as rows, of shape (batch, tokens, ...); values at padding are those of any token."""
        return packed[self.places] if len(packed) else np.zeros((*self.places.shape, *packed.shape[1:]), packed.dtype)


def packing_of(lengths: Ids) -> Packing:
    """Return where the tokens of rows of these lengths are."""
    positions = np.arange(lengths.max(initial=0))
    sizes = len(lengths) - np.searchsorted(np.sort(lengths), positions, side="right")
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    rank = np.empty(len(lengths), np.int64)
    rank[np.argsort(-lengths, kind="stable")] = np.arange(len(lengths))
    mask = positions < lengths[:, None]
    return Packing(lengths, sizes, starts, np.where(mask, starts[:-1] + rank[:, None], 0), mask)
