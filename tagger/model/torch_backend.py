"""Runs a network with torch."""

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tagger.data.batches import Batch, ranges
from tagger.model.network import Network, to_tensors
from tagger.model.predict import HeadArrays, LabelArrays, TagArrays
from tagger.nn.heads import TokensOutput

CACHED_TYPES = 50_000  # some 40 MB at 200 numbers each


class TypeCache:
    """The vectors of the words that were seen last, so that a word is computed once and not once a batch.

    When `capacity` words are held, all are forgotten and it starts afresh: memory is bounded, and every vector is the
    network's own (to the last bits, which depend on what a word is computed beside). Threads may share it.
    """

    def __init__(self, network: Network, capacity: int = CACHED_TYPES) -> None:
        self.network = network
        self.capacity = capacity
        self._rows: dict[str, int] = {}
        self._table: Tensor | None = None
        self._lock = threading.Lock()

    def vectors(self, batch: Batch) -> Tensor:
        """The vector of each distinct word of a batch, of shape (types, embedding)."""
        with self._lock:
            rows = self._rows
            missing = [i for i, word in enumerate(batch.types) if word not in rows]
            if len(rows) + len(missing) > self.capacity:
                rows.clear()
                missing = list(range(len(batch.types)))
            if missing or self._table is None:
                self._add(batch, missing)
            assert self._table is not None
            return self._table[[rows[word] for word in batch.types]]

    def _add(self, batch: Batch, missing: list[int]) -> None:
        """Compute the vectors of some words of a batch and keep them."""
        chosen = np.array(missing, np.int64)
        lengths = batch.char_lengths[chosen]
        starts = (np.cumsum(batch.char_lengths) - batch.char_lengths)[chosen]
        arrays = (batch.word_ids[chosen], batch.char_ids[ranges(starts, lengths)], lengths)
        vectors = self.network.type_vectors(*(torch.from_numpy(a).to(self.network.device) for a in arrays))
        first = len(self._rows)
        needed = first + len(missing)
        if self._table is None or needed > len(self._table):
            grown = vectors.new_empty(max(needed, min(2 * needed, self.capacity)), vectors.shape[1])
            if self._table is not None:
                grown[:first] = self._table[:first]
            self._table = grown
        self._table[first:needed] = vectors
        self._rows.update((batch.types[i], first + n) for n, i in enumerate(missing))


class TorchBackend:
    """A backend on the device of the network's parameters. The network must be in evaluation mode.

    Args:
        network: The network. Its weights must not change while `cache` is in use.
        cache: Whether the vectors of words are kept from batch to batch.
    """

    def __init__(self, network: Network, *, cache: bool = True) -> None:
        self.network = network
        self._cache = TypeCache(network) if cache else None

    @torch.inference_mode()
    def run(self, batch: Batch, *, n_best: int = 0) -> Mapping[str, HeadArrays]:
        """What each head says of a batch, by layer."""
        types = self._cache.vectors(batch) if self._cache is not None else None
        outputs = self.network(to_tensors(batch, self.network.device), types, n_best=n_best)
        arrays: dict[str, HeadArrays] = {}
        for layer, output in outputs.items():
            if isinstance(output, TokensOutput):
                rows = None if output.spans is None else output.spans.rows
                tensors = (output.tag_ids, output.probabilities, output.sequences, rows, *output[4:])
                arrays[layer] = TagArrays(*map(_to_numpy, tensors))
            else:
                arrays[layer] = LabelArrays(_to_numpy(output.probabilities), _to_numpy(output.attention))
        return arrays


def _to_numpy(tensor: torch.Tensor | None) -> Any:
    return None if tensor is None else tensor.cpu().numpy()
