"""Texts that are longer than what a transformer reads at once, in overlapping windows.

A transformer reads pieces of words, and only a limited number of them. A longer text is read in windows of equal
size, each of which overlaps the next one by at least half. Nothing is cut off: each token gets its vector from the
window in which it has most context. Which window that is depends on the text alone, not on other texts.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Pool = Literal["mean", "first", "last"]
Ints = NDArray[np.int64]
NONE = -1  # the id where there is no piece, and the row of what gets no vector
MOST_PIECES = 64  # of a token


class Window(NamedTuple):
    """A range of pieces that is read at once, and the range of tokens whose vectors are taken from it."""

    start: int
    end: int
    first: int
    last: int


class PaddedWindows(NamedTuple):
    """Windows as rows of arrays of shape (windows, pieces).

    Args:
        piece_ids: The pieces between the special ones at both ends; -1 at padding.
        token_ids: Row of the token that each piece counts for; -1 for pieces that count for none.
    """

    piece_ids: Ints
    token_ids: Ints


def most_pieces(size: int) -> int:
    """Return how many pieces of a token are read, so that the window with its middle holds all of them."""
    return max(1, min(MOST_PIECES, size // 4))


def windows_of(counts: NDArray[np.integer[Any]], size: int) -> list[Window]:
    """Return the windows of one text.

    Args:
        counts: Number of pieces of each token, of shape (tokens,).
        size: Number of pieces in a window, at least 4.
    """
    total = int(counts.sum())
    if total <= size:
        return [Window(0, total, 0, len(counts))]
    number = math.ceil((total - size) / (size // 2)) + 1
    starts = np.linspace(0, total - size, number).astype(np.int64)
    middles = np.cumsum(counts) - counts / 2
    # Two windows give a token equal context in the middle of their overlap.
    firsts = [0, *np.searchsorted(middles, (starts[:-1] + starts[1:] + size) / 2).tolist(), len(counts)]
    return [
        Window(start, start + size, first, last)
        for start, first, last in zip(starts.tolist(), firsts[:-1], firsts[1:], strict=True)
    ]


@dataclass(frozen=True)
class Pieces:
    """The pieces of the tokens of several texts, one text after another.

    Args:
        ids: Ids of pieces, of shape (pieces,).
        counts: Number of pieces of each token, of shape (tokens,).
        lengths: Number of tokens of each text, of shape (texts,).
        rows: Row of each token in the result, of shape (tokens,); -1 for tokens that are only context.
    """

    ids: Ints
    counts: Ints
    lengths: Ints
    rows: Ints

    def windows(self, size: int) -> list[Window]:
        """Return the windows of all texts that some token gets its vector from."""
        found, token, piece = [], 0, 0
        for length in self.lengths.tolist():
            counts = self.counts[token : token + length]
            for start, end, first, last in windows_of(counts, size):
                here = slice(token + first, token + last)
                if (self.counts[here][self.rows[here] >= 0] > 0).any():
                    found.append(Window(piece + start, piece + end, token + first, token + last))
            token, piece = token + length, piece + int(counts.sum())
        return found

    def owners(self, pool: Pool) -> Ints:
        """Return the row of the token that each piece counts for, of shape (pieces,): all, or one of each token."""
        owners = np.repeat(self.rows, self.counts)
        if pool == "mean":
            return owners
        ends = np.cumsum(self.counts)
        chosen = (ends - self.counts if pool == "first" else ends - 1)[self.counts > 0]
        only = np.full_like(owners, NONE)
        only[chosen] = owners[chosen]
        return only

    def padded(
        self, windows: Sequence[Window], owners: Ints, *, before: Iterable[int], after: Iterable[int]
    ) -> PaddedWindows:
        """Return windows as rows; `before` and `after` are the special pieces at both ends of a window."""
        before, after = list(before), list(after)
        starts = np.concatenate([[0], np.cumsum(self.counts)])  # of tokens, in pieces
        shape = len(windows), max(1, max(w.end - w.start for w in windows) + len(before) + len(after))
        piece_ids, token_ids = np.full(shape, NONE, np.int64), np.full(shape, NONE, np.int64)
        for row, (start, end, first, last) in enumerate(windows):
            read = [*before, *self.ids[start:end].tolist(), *after] or [0]  # a window of padding alone gives NaN
            piece_ids[row, : len(read)] = read
            kept, shift = slice(starts[first], starts[last]), len(before) - start
            token_ids[row, kept.start + shift : kept.stop + shift] = owners[kept]
        return PaddedWindows(piece_ids, token_ids)


@dataclass(frozen=True)
class WindowReader:
    """Turns the pieces of a batch into windows.

    Args:
        size: Number of pieces in a window.
        before: Special pieces before a window.
        after: Special pieces after it.
        pool: Which pieces of a token count.
    """

    size: int
    before: tuple[int, ...]
    after: tuple[int, ...]
    pool: Pool

    def __call__(self, piece_ids: Ints) -> PaddedWindows:
        """Return windows of all pieces of (batch, tokens, pieces), where -1 is none; there is one window at least."""
        batch, tokens, _ = piece_ids.shape
        counts = (piece_ids >= 0).sum(2).ravel()
        pieces = Pieces(piece_ids[piece_ids >= 0], counts, np.full(batch, tokens), np.arange(batch * tokens))
        return self.padded(pieces, pieces.windows(self.size) or [Window(0, 0, 0, 0)], pieces.owners(self.pool))

    def padded(self, pieces: Pieces, windows: Sequence[Window], owners: Ints) -> PaddedWindows:
        """Return windows as rows."""
        return pieces.padded(windows, owners, before=self.before, after=self.after)
