"""Runs a network with torch.

On a CPU, batches run in parallel, each on one thread. The many small operations of a batch gain nothing from a second
thread; parallel batches use all threads for all of their work, not only for matrix products.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tagger.encoding.batches import Batch
from tagger.encoding.packed import ranges
from tagger.errors import ModelError
from tagger.heads.head import Arrays
from tagger.inference.pickled import reloaded
from tagger.inference.workers import call_in_forked, running, workers
from tagger.model.folder import load_model, model_files
from tagger.model.model import Source
from tagger.model.network import Network, TorchModel, to_tensors
from tagger.text.choices import Precision
from tagger.text.tokenization import TextRules

if TYPE_CHECKING:
    from tagger.inference.incremental import Incremental

CACHED_TYPES = 50_000  # about 40 MB with 200 numbers each


class TypeCache:
    """The vectors of recent words, so that a word is computed once and not in every batch. Threads may share it.

    When it holds `capacity` words, it drops them all and starts again, and it does not keep the words of a batch that
    has more, so that memory is bounded. Every vector is that of the network, except for its last bits, which depend on
    the words that are computed together.
    """

    def __init__(self, network: Network, capacity: int = CACHED_TYPES) -> None:
        self.network = network
        self.capacity = capacity
        self._rows: dict[str, int] = {}
        self._table: Tensor | None = None
        self._lock = threading.Lock()

    def vectors(self, batch: Batch) -> Tensor:
        """Return the vector of each distinct word of a batch, of shape (types, embedding)."""
        with self._lock:
            rows = self._rows
            missing = [i for i, word in enumerate(batch.types) if word not in rows]
            if len(rows) + len(missing) > self.capacity:
                rows.clear()
                missing = list(range(len(batch.types)))
            if len(missing) > self.capacity:
                return self._computed(batch, missing)
            if missing or self._table is None:
                self._add(batch, missing)
            assert self._table is not None
            return self._table[[rows[word] for word in batch.types]]

    def clear(self) -> None:
        """Drop all words."""
        with self._lock:
            self._rows.clear()

    def _add(self, batch: Batch, missing: list[int]) -> None:
        """Compute the vectors of some words of a batch and keep them."""
        vectors = self._computed(batch, missing)
        first = len(self._rows)
        needed = first + len(missing)
        if self._table is None or needed > len(self._table):
            grown = vectors.new_empty(max(needed, min(2 * needed, self.capacity)), vectors.shape[1])
            if self._table is not None:
                grown[:first] = self._table[:first]
            self._table = grown
        self._table[first:needed] = vectors
        self._rows.update((batch.types[i], first + n) for n, i in enumerate(missing))

    def _computed(self, batch: Batch, words: list[int]) -> Tensor:
        """Return the vectors of some words of a batch."""
        chosen = np.array(words, np.int64)
        lengths = batch.char_lengths[chosen]
        starts = (np.cumsum(batch.char_lengths) - batch.char_lengths)[chosen]
        arrays = (batch.word_ids[chosen], batch.char_ids[ranges(starts, lengths)], lengths)
        return self.network.type_vectors(*(torch.from_numpy(a).to(self.network.device) for a in arrays))


class TorchBackend:
    """A backend on the device of the network's parameters. The network must be in evaluation mode.

    Args:
        model: The model. Its weights must not change while `cache` is in use.
        cache: Whether to keep the vectors of words from batch to batch.
        rules: How to split raw text. Default: as the model says.
        threads: Number of batches that run at the same time on a CPU. Default: as many as torch has threads.
    """

    def __init__(
        self, model: TorchModel, *, cache: bool = True, rules: TextRules | None = None, threads: int | None = None
    ) -> None:
        self.model = model if rules is None else replace(model, rules=rules)
        self._rules = rules
        self._threads = threads
        self.network = model.network
        self._cache = TypeCache(model.network) if cache else None

    def __reduce__(self) -> tuple[object, ...]:
        precision = "bfloat16" if self.network.encoder.dtype == torch.bfloat16 else "float32"
        content = self.model.source or model_files(self.model, card="")
        rules = self._rules if self.model.source else self.model.text_rules  # a function is in no file
        return _unpickled, (content, str(self.network.device), precision, self._cache is not None, rules, self._threads)

    def __deepcopy__(self, memo: dict[int, object]) -> "TorchBackend":
        model = replace(self.model, network=deepcopy(self.network, memo))
        return TorchBackend(model, cache=self._cache is not None, rules=self._rules, threads=self._threads)

    def with_rules(self, rules: TextRules) -> "TorchBackend":
        """Return the same backend for a model that splits raw text by other rules."""
        return TorchBackend(self.model, cache=self._cache is not None, rules=rules, threads=self._threads)

    def run(self, batches: Iterable[Batch], *, n_best: int = 0) -> Iterator[Mapping[str, Arrays]]:
        """Return the output of each head for each batch, in order, by layer."""
        batches, shared = list(batches), torch.get_num_threads()
        run = partial(self._run, n_best=n_best)
        threads = self._threads or shared
        if self.network.device.type != "cpu" or (threads == shared and (threads == 1 or len(batches) == 1)):
            return map(run, batches, self._types(batches))
        pool = workers(threads, _one_thread)
        torch.set_num_threads(shared)  # the number that any thread sets is also that of new threads
        return pool.map(run, batches, pool.submit(self._types, batches).result())

    @running()
    @torch.inference_mode()
    def type_vectors(self, batch: Batch) -> Tensor:
        """Return the vector of each distinct word of a batch, of shape (types, embedding)."""
        if self._cache is not None:
            return self._cache.vectors(batch)
        words = to_tensors(batch, self.network.device)
        return self.network.type_vectors(words.word_ids, words.char_ids, words.char_lengths)

    @running()
    @torch.inference_mode()
    def _types(self, batches: Iterable[Batch]) -> list[Tensor | None]:
        """Return the vectors of each batch's words, one batch after the other, so that they are deterministic."""
        return [self._cache.vectors(batch) if self._cache is not None else None for batch in batches]

    @running()
    @torch.inference_mode()
    def _run(self, batch: Batch, types: Tensor | None, *, n_best: int) -> Mapping[str, Arrays]:
        outputs = self.network(to_tensors(batch, self.network.device), types, n_best=n_best)
        return {layer: {name: tensor.cpu().numpy() for name, tensor in _named(out)} for layer, out in outputs.items()}

    @running()
    @torch.inference_mode()
    def marginals(self, batch: Batch) -> Mapping[str, NDArray[np.float32]]:
        """Return the probability of each tag at each token, of shape (batch, tokens, tags), by tag layer."""
        found = self.network.marginals(to_tensors(batch, self.network.device))
        return {layer: probabilities.cpu().numpy() for layer, probabilities in found.items()}

    def forget(self) -> None:
        """Drop the vectors of earlier words."""
        if self._cache is not None:
            self._cache.clear()

    def incremental(self) -> "Incremental":
        """Return what tags one sentence token by token.

        Raises:
            ModelError: The model reads in both directions.
        """
        from tagger.inference.incremental import Incremental  # few programs need it

        return Incremental(self.model, self.network, self.type_vectors)


def _one_thread() -> None:
    """Give this thread one thread of torch."""
    torch.set_num_threads(1)
    torch.get_num_threads()  # only the first call makes the number that of this thread


# In a forked process torch would wait forever for the threads of OpenMP, which do not survive a fork.
call_in_forked(_one_thread)


def _named(output: Any) -> Iterator[tuple[str, Tensor]]:
    """Return the tensors of a head's output by name; those of `spans` are named `spans_rows` and so on."""
    for name, value in output._asdict().items():
        if isinstance(value, tuple):
            yield from ((f"{name}_{part}", tensor) for part, tensor in _named(value))
        elif value is not None:
            yield name, value


def load_torch(
    path: str | Path,
    *,
    device: str = "cpu",
    precision: Precision = "float32",
    cache: bool = True,
    rules: TextRules | None = None,
    threads: int | None = None,
    trusted: bool = False,
) -> TorchBackend:
    """Load the model of a run folder or of its `model/` folder; the arguments are those of `tagger.load`.

    Raises:
        ModelError: The folder cannot be read, or the device is not available or does not support the precision.
    """
    check_device(device)
    model = load_model(path, device=device, trusted=trusted)
    if precision == "bfloat16":
        check_bfloat16(device)
        model.network.encoder.to(torch.bfloat16)
    return TorchBackend(model, cache=cache, rules=rules, threads=threads)


def _unpickled(
    content: Source | dict[str, bytes],
    device: str,
    precision: Precision,
    cache: bool,
    rules: TextRules | None,
    threads: int | None,
) -> TorchBackend:
    """Return the backend that was pickled."""
    load = partial(
        load_torch, device=device, precision=precision, cache=cache, rules=rules, threads=threads, trusted=True
    )
    return reloaded(content, load)


def check_bfloat16(device: str) -> None:
    """Refuse bfloat16 on a device that would only emulate it, slowly.

    Raises:
        ModelError: The device has no bfloat16 arithmetic.
    """
    on_gpu = torch.device(device).type == "cuda"
    if not (torch.cuda.is_bf16_supported() if on_gpu else torch.ops.mkldnn._is_mkldnn_bf16_supported()):
        raise ModelError(f'precision "bfloat16" is not available on the device "{device}"; use "float32"')


def check_device(device: str) -> None:
    """Refuse a device that this machine does not have.

    Raises:
        ModelError: The device is unknown or not available.
    """
    try:
        known = torch.empty(0, device=device).device.type in ("cpu", "cuda")
    except (RuntimeError, AssertionError):
        known = False
    if not known:
        raise ModelError(f'device "{device}" is not available on this machine; use "cpu" (or "cuda" with a GPU)')
