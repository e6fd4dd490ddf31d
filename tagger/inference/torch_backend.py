"""Runs a network with torch.

On a CPU, batches run in parallel, each on one thread. The many small operations of a batch gain nothing from a second
thread; parallel batches use all threads for all of their work, not only for matrix products.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tagger.encoding.batches import Batch
from tagger.errors import ModelError
from tagger.features.table import Features
from tagger.heads.head import Arrays, named
from tagger.inference.fastest_precision import fastest_precision
from tagger.inference.pickled import reloaded
from tagger.inference.type_cache import CACHED_TYPES, TypeCache, Words
from tagger.inference.workers import call_in_forked, running, workers
from tagger.model.folder.torch_model import load_model, model_files, weights_of
from tagger.model.model import Source
from tagger.model.network import Network, TorchModel, to_tensors
from tagger.nn.side_by_side import torch_threads
from tagger.text.choices import Precision
from tagger.text.tokenization import TextRules

if TYPE_CHECKING:
    from tagger.inference.incremental import Incremental

_BOUNDED = threading.Lock()  # held while torch has another number of threads than the process gave it


class TorchBackend:
    """A backend on the device of the network's parameters. The network must be in evaluation mode.

    Args:
        model: The model. Its weights must not change while `cache` is in use.
        cache: Whether to keep the vectors of words from batch to batch.
        rules: How to split raw text. Default: as the model says.
        threads: Number of batches that run at the same time on a CPU, and of threads that compute the features of
            sentences. Default: as many as torch has threads.
    """

    batch_overhead: ClassVar[int] = 16

    def __init__(
        self, model: TorchModel, *, cache: bool = True, rules: TextRules | None = None, threads: int | None = None
    ) -> None:
        self.model = model if rules is None else replace(model, rules=rules)
        self._rules = rules
        self._threads = threads
        self.network = model.network
        self._cache = type_cache(model.network) if cache else None

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

    def with_features(self, features: Features) -> "TorchBackend":
        """Return the same backend for a model whose features compute the same values in another way."""
        model = replace(self.model, features=features)
        return TorchBackend(model, cache=self._cache is not None, rules=self._rules, threads=self._threads)

    def run(self, batches: Iterable[Batch], *, n_best: int = 0) -> Iterator[Mapping[str, Arrays]]:
        """Return the output of each head for each batch, in order, by layer."""
        batches, shared = list(batches), torch.get_num_threads()
        threads = self._threads or shared
        if self.network.device.type != "cpu" or (threads == shared and (threads == 1 or len(batches) == 1)):
            return map(partial(self._run, types=self._types(batches), n_best=n_best), batches, range(len(batches)))
        pool = workers(threads, _one_thread)
        torch.set_num_threads(shared)  # the number that any thread sets is also that of new threads
        run = partial(self._run, types=pool.submit(self._types, batches).result(), n_best=n_best)
        return pool.map(run, batches, range(len(batches)))

    @running()
    @torch.inference_mode()
    def _types(self, batches: Iterable[Batch]) -> list[Tensor | None]:
        """Return the vectors of each batch's words, one batch after the other, so that they are deterministic."""
        return [cached_vectors(self._cache, batch) if self._cache is not None else None for batch in batches]

    @running()
    @torch.inference_mode()
    def _run(self, batch: Batch, number: int, *, types: list[Tensor | None], n_best: int) -> Mapping[str, Arrays]:
        """Return the output for the batch of a number, whose vectors are taken out of `types`.

        Torch gives the interpreter to other threads while it deletes a tensor, so no tensor may outlive the run (see
        `workers`): the arrays are copies.
        """
        vectors, types[number] = types[number], None
        outputs = self.network(to_tensors(batch, self.network.device), vectors, n_best=n_best)
        return {
            layer: {name: tensor.numpy(force=True).copy() for name, tensor in named(out)}
            for layer, out in outputs.items()
        }

    @running()
    @torch.inference_mode()
    def marginals(self, batch: Batch) -> Mapping[str, NDArray[np.float32]]:
        """Return the probability of each tag at each token, of shape (batch, tokens, tags), by tag layer."""
        with self.bounded():
            found = self.network.marginals(to_tensors(batch, self.network.device))
        return {layer: probabilities.numpy(force=True).copy() for layer, probabilities in found.items()}

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """Give torch the number of threads of this backend within the context, in which one caller is at a time.

        So the features of sentences take no more threads than batches do. Without a number, torch keeps its own.
        """
        with running(), ExitStack() as stack:  # no fork meanwhile, so that no child inherits the lock
            if self._threads is not None and self.network.device.type == "cpu":
                stack.enter_context(_BOUNDED)
                stack.enter_context(torch_threads(self._threads))
            yield

    def forget(self) -> None:
        """Drop the vectors of earlier words."""
        if self._cache is not None:
            self._cache.clear()

    def incremental(self) -> "Incremental":
        """Return what tags one sentence token by token.

        Raises:
            ModelError: The model reads in both directions, or has a part that only torch can run.
        """
        from tagger.inference.incremental import Incremental, check_direction  # few programs need it
        from tagger.model.numpy_network import numpy_network

        model = self.model
        check_direction(model)
        arrays = {name: tensor.numpy() for name, tensor in weights_of(model).items()}
        try:
            network = numpy_network(model.vocabulary, model.config, arrays, model.features)
        except ModelError as error:
            part = str(error).partition(" needs the backend")[0]
            raise ModelError(
                f"incremental tagging runs in NumPy, which cannot run {part}; pass whole sentences to tag_tokens"
            ) from None
        return Incremental(model, network)


def _one_thread() -> None:
    """Give this thread one thread of torch."""
    torch.set_num_threads(1)
    torch.get_num_threads()  # only the first call makes the number that of this thread


# In a forked process torch would wait forever for the threads of OpenMP, which do not survive a fork.
call_in_forked(_one_thread)


def type_cache(network: Network, capacity: int = CACHED_TYPES) -> TypeCache[Tensor]:
    """Return a cache of the vectors of words."""

    def compute(words: Words) -> Tensor:
        device = network.device
        word_ids, char_ids, char_lengths = (torch.from_numpy(array).to(device) for array in words[:3])
        features = {name: torch.from_numpy(ids).to(device) for name, ids in words.type_features.items()}
        return network.type_vectors(word_ids, char_ids, char_lengths, features)

    return TypeCache(compute, lambda vectors, number: vectors.new_empty(number, vectors.shape[1]), capacity)


def cached_vectors(cache: TypeCache[Tensor], batch: Batch) -> Tensor:
    """Return the vector of each distinct word of a batch, of shape (types, embedding)."""
    table, rows = cache.find(batch)
    return table[torch.from_numpy(rows).to(table.device)]


def load_torch(
    path: str | Path,
    *,
    device: str = "cpu",
    precision: Precision = "float32",
    cache: bool = True,
    threads: int | None = None,
    trusted: bool = False,
) -> TorchBackend:
    """Load the model of a run folder or of its `model/` folder; the arguments are those of `tagger.load`.

    Raises:
        ModelError: The folder cannot be read, or the device is not available or does not support the precision.
    """
    check_device(device)
    model = load_model(path, device=device, trusted=trusted)
    if precision == "auto":
        precision = fastest_precision() if torch.device(device).type == "cpu" else "float32"
    if precision == "bfloat16":
        check_bfloat16(device)
        model.network.encoder.to(torch.bfloat16)
    return TorchBackend(model, cache=cache, threads=threads)


def _unpickled(
    content: Source | dict[str, bytes],
    device: str,
    precision: Precision,
    cache: bool,
    rules: TextRules | None,
    threads: int | None,
) -> TorchBackend:
    """Return the backend that was pickled."""
    settings = {"device": device, "precision": precision, "cache": cache, "threads": threads, "trusted": True}
    return reloaded(content, load_torch, rules=rules, **settings)


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
