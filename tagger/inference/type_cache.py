"""A bounded cache of what a backend computes for distinct words, so that a word is computed once and not per batch."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
    type_features: Mapping[str, Ids]


def words_of(batch: Batch, chosen: Ids) -> Words:
    """Return some of the distinct words of a batch."""
    lengths = batch.char_lengths[chosen]
    starts = (np.cumsum(batch.char_lengths) - batch.char_lengths)[chosen]
    features = {name: ids[chosen] for name, ids in batch.type_features.items()}
    return Words(batch.word_ids[chosen], batch.char_ids[ranges(starts, lengths)], lengths, features)


@dataclass
class Table:
    """The values of some words, and the row of each word; without values while there is no word."""

    rows: dict[str, int]
    values: Any = None


class TypeCache(Generic[T]):
    """What was computed for recent words. Threads may share it.

    Memory is bounded: words are kept in two tables of half the capacity. New words go to the younger table, and words
    of the older one move there when they occur again. When the younger one is full, it becomes the older one, so that
    rare words are dropped. The words of a batch that has more are not kept. A table that was returned never changes
    where it has words. Every value is that of the network, except for its last bits, which depend on the words that are
    computed together.

    Args:
        compute: Returns the values of words.
        room: Returns an empty table, given some values and the number of words that it has room for.
        capacity: Number of words that are kept at most.

    Attributes:
        most: Number of words of a batch that are kept at most.
    """

    def __init__(self, compute: Callable[[Words], T], room: Callable[[T, int], T], capacity: int) -> None:
        self.compute = compute
        self.room = room
        self.most = max(1, capacity // 2)
        self._young, self._old = Table({}), Table({})
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of words that are kept."""
        return len(self._young.rows.keys() | self._old.rows.keys())

    def find(self, batch: Batch) -> tuple[T, Ids]:
        """Return a table, and the row of each distinct word of a batch in it."""
        with self._lock:
            missing = [i for i, word in enumerate(batch.types) if word not in self._young.rows]
            if len(self._young.rows) + len(missing) > self.most:
                missing = list(range(len(batch.types)))
                if len(missing) > self.most:
                    return self.compute(words_of(batch, np.array(missing, np.int64))), np.arange(len(missing))
                self._young, self._old = Table({}), self._young
            self._move([batch.types[i] for i in missing if batch.types[i] in self._old.rows])
            self._add(batch, [i for i in missing if batch.types[i] not in self._old.rows])
            rows = self._young.rows
            return self._young.values, np.array([rows[word] for word in batch.types], np.int64)

    def clear(self) -> None:
        """Drop all words."""
        with self._lock:
            self._young, self._old = Table({}), Table({})

    def _move(self, words: list[str]) -> None:
        """Take words of the older table over into the younger one."""
        if words:
            places = [self._old.rows[word] for word in words]
            self._keep(words, self._old.values[..., places, :])

    def _add(self, batch: Batch, missing: list[int]) -> None:
        """Compute the values of some words of a batch and keep them."""
        if missing or self._young.values is None:
            values = self.compute(words_of(batch, np.array(missing, np.int64)))
            self._keep([batch.types[i] for i in missing], values)

    def _keep(self, words: list[str], values: T) -> None:
        young = self._young
        if young.values is None:
            young.values = self.room(values, self.most)
        first = len(young.rows)
        young.values[..., first : first + len(words), :] = values
        young.rows.update((word, first + n) for n, word in enumerate(words))
