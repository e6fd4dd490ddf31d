"""Runs the graph of an exported model with onnxruntime.

The graph gives the scores of tags and the probabilities of classes. The heads in NumPy decode the scores, so that
spans, the n best readings and the probabilities of sequences are there as with other backends.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.batches import Batch
from tagger.heads.head import Arrays
from tagger.heads.table import heads_of
from tagger.inference.blas import one_blas_thread
from tagger.inference.pickled import reloaded
from tagger.inference.type_cache import CACHED_TYPES, TypeCache, Words
from tagger.inference.workers import batches_at_once, in_order, running
from tagger.model.folder.onnx_model import load_onnx_model
from tagger.model.model import Source
from tagger.model.onnx_network import Floats, OnnxModel
from tagger.text.tokenization import TextRules

if TYPE_CHECKING:
    from tagger.inference.incremental import Incremental


class OnnxBackend:
    """A backend without torch, for exported models.

    Args:
        model: The model.
        rules: How to split raw text. Default: as the model says.
        threads: Number of batches that run at the same time. Default: one per CPU, and one in a forked process.
    """

    batch_overhead: ClassVar[int] = 4  # onnxruntime computes padding too, so sentences of one length pay

    def __init__(self, model: OnnxModel, *, rules: TextRules | None = None, threads: int | None = None) -> None:
        self.model = model if rules is None else replace(model, rules=rules)
        self._rules = rules
        self._threads = threads
        self._heads = heads_of(model.heads)
        self._names = [f"{name}:{layer}" for layer, head in self._heads.items() for name in head.graph_outputs]
        self._cache = TypeCache(self._computed, _room, CACHED_TYPES)

    def __reduce__(self) -> tuple[object, ...]:
        return _unpickled, (self.model.source, self._rules, self._threads)

    def __deepcopy__(self, memo: dict[int, object]) -> "OnnxBackend":
        return OnnxBackend(self.model, rules=self._rules, threads=self._threads)  # nothing changes the weights

    def with_rules(self, rules: TextRules) -> "OnnxBackend":
        """Return the same backend for a model that splits raw text by other rules."""
        return OnnxBackend(self.model, rules=rules, threads=self._threads)

    def run(self, batches: Iterable[Batch], *, n_best: int = 0) -> Iterator[Mapping[str, Arrays]]:
        """Return the output of each head for each batch, in order, by layer."""
        threads = self._threads or batches_at_once()
        # The words of one batch are looked up after the other, so that their values are deterministic.
        return in_order(partial(self._run, n_best=n_best), ((b, self._vectors(b)) for b in batches), threads)

    @running()
    @one_blas_thread()
    def marginals(self, batch: Batch) -> Mapping[str, NDArray[np.float32]]:
        """Return the probability of each tag at each token, of shape (batch, tokens, tags), by tag layer."""
        outputs, networks = self._outputs(batch, self._vectors(batch)), self.model.network.heads
        found = {
            layer: head.graph_marginals(networks[layer], outputs[layer], batch.lengths)
            for layer, head in self._heads.items()
        }
        return {layer: marginals for layer, marginals in found.items() if marginals is not None}

    def bounded(self) -> AbstractContextManager[None]:
        """Return a context without effect: features that this backend can read use one thread."""
        return nullcontext()

    def forget(self) -> None:
        """Drop the vectors of earlier words."""
        self._cache.clear()

    def incremental(self) -> "Incremental":
        """Return what tags one sentence token by token, each time from its start.

        Raises:
            ModelError: The model reads in both directions.
        """
        from tagger.inference.from_the_start import FromTheStart  # few programs need it

        return FromTheStart(self)

    @running()  # a child must not inherit the lock of the cache
    def _vectors(self, batch: Batch) -> Floats:
        """Return the vector of each distinct word of a batch, of shape (types, embedding)."""
        table, rows = self._cache.find(batch)
        return table[rows]

    def _computed(self, words: Words) -> Floats:
        return self.model.network.type_vectors(*words)

    @running()
    @one_blas_thread()
    def _run(self, given: tuple[Batch, Floats], *, n_best: int) -> Mapping[str, Arrays]:
        outputs, networks = self._outputs(*given), self.model.network.heads
        return {
            layer: head.of_graph(networks[layer], outputs[layer], given[0].lengths, n_best=n_best)
            for layer, head in self._heads.items()
        }

    def _outputs(self, batch: Batch, vectors: Floats) -> dict[str, dict[str, NDArray[Any]]]:
        """Return what each head reads of the outputs of the graph, by layer, given the vectors of the words."""
        found = iter(self.model.network.outputs(batch, vectors, self._names))
        return {layer: {name: next(found) for name in head.graph_outputs} for layer, head in self._heads.items()}


def _room(values: Floats, number: int) -> Floats:
    """Return an empty table for `number` words; memory is taken when rows are written."""
    return np.empty((number, values.shape[1]), np.float32)


def load_onnx(path: str | Path, *, threads: int | None = None, trusted: bool = False) -> OnnxBackend:
    """Load the model of an exported folder; the arguments are those of `tagger.load`.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        ModelError: The folder cannot be read.
    """
    return OnnxBackend(load_onnx_model(path, trusted=trusted), threads=threads)


def _unpickled(content: Source, rules: TextRules | None, threads: int | None) -> OnnxBackend:
    """Return the backend that was pickled."""
    return reloaded(content, load_onnx, rules=rules, threads=threads, trusted=True)
