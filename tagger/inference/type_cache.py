"""A bounded cache of what a backend computes for distinct words, so that a word is computed once and not per batch."""

import threading
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.batches import Batch
from tagger.encoding.packed import ranges

CACHED_TYPES = 50_000  # words whose vectors are kept: about 40 MB with 200 numbers each

Ids = NDArray[np.int64]
T = TypeVar("T", bound=Any)  # an array or a tensor whose last dimension but one counts words


class Words(NamedTuple):
    """Distinct words, as arrays of a `Batch`."""

    word_ids: Ids
    char_ids: Ids
    char_lengths: Ids


def words_of(batch: Batch, chosen: Ids) -> Words:
    """Return some of the distinct words of a batch."""
    lengths = batch.char_lengths[chosen]
    starts = (np.cumsum(batch.char_lengths) - batch.char_lengths)[chosen]
    return Words(batch.word_ids[chosen], batch.char_ids[ranges(starts, lengths)], lengths)


class TypeCache(Generic[T]):
    """What was computed for recent words. Threads may share it.

    When it holds `capacity` words, it drops them all and starts again with a new table, and it does not keep the words
    of a batch that has more, so that memory is bounded. A table that was returned never changes where it has words: new
    words get new rows. Every value is that of the network, except for its last bits, which depend on the words
    that are computed together.

    Args:
        compute: Returns the values of words.
        room: Returns an empty table, given some values and the number of words that it has room for.
        capacity: Number of words that are kept.
    """

    def __init__(self, compute: Callable[[Words], T], room: Callable[[T, int], T], capacity: int) -> None:
        self.compute = compute
        self.room = room
        self.capacity = capacity
        self._rows: dict[str, int] = {}
        self._table: Any = None
        self._lock = threading.Lock()

    def find(self, batch: Batch) -> tuple[T, Ids]:
        """Return a table, and the row of each distinct word of a batch in it."""
        with self._lock:
            rows = self._rows
            missing = [i for i, word in enumerate(batch.types) if word not in rows]
            if len(rows) + len(missing) > self.capacity:
                rows.clear()
                self._table, missing = None, list(range(len(batch.types)))
            if len(missing) > self.capacity:
                return self.compute(words_of(batch, np.array(missing, np.int64))), np.arange(len(missing))
            if missing or self._table is None:
                self._add(batch, missing)
            return self._table, np.array([rows[word] for word in batch.types], np.int64)

    def clear(self) -> None:
        """Drop all words."""
        with self._lock:
            self._rows.clear()
            self._table = None

    def _add(self, batch: Batch, missing: list[int]) -> None:
        """Compute the values of some words of a batch and keep them."""
        values = self.compute(words_of(batch, np.array(missing, np.int64)))
        if self._table is None:
            self._table = self.room(values, self.capacity)
        first = len(self._rows)
        self._table[..., first : first + len(missing), :] = values
        self._rows.update((batch.types[i], first + n) for n, i in enumerate(missing))
