"""Runs a network with NumPy alone.

Batches run side by side, each on one thread. What the first layer of the encoder computes of a word is kept, for words
that come again.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.batches import Batch
from tagger.heads.head import Arrays, named
from tagger.inference.blas import one_blas_thread
from tagger.inference.pickled import reloaded
from tagger.inference.type_cache import TypeCache, Words, words_of
from tagger.inference.workers import in_order, running
from tagger.model.folder.files import files_of
from tagger.model.folder.numpy_model import load_numpy_model
from tagger.model.folder.opening import WEIGHTS
from tagger.model.model import Source
from tagger.model.numpy_network import NumpyModel
from tagger.numpy_nn.encoder import Floats, Inputs
from tagger.numpy_nn.packing import Packing, packing_of
from tagger.text.tokenization import TextRules

if TYPE_CHECKING:
    from tagger.inference.incremental import Incremental

CACHE_BYTES = 64_000_000  # 10,000 words at a hidden size of 200 in two directions


class NumpyBackend:
    """A backend without torch.

    Args:
        model: The model.
        rules: How to split raw text. Default: as the model says.
        threads: Number of batches that run at the same time. Default: 1; Python gives a second one little time.
    """

    batch_overhead: ClassVar[int] = 16

    def __init__(self, model: NumpyModel, *, rules: TextRules | None = None, threads: int | None = None) -> None:
        self.model = model if rules is None else replace(model, rules=rules)
        self._rules = rules
        self._threads = threads
        self._network = model.network
        first = self._network.encoder.layers[0]
        capacity = max(1, CACHE_BYTES // (4 * len(first) * first[0].gates))
        self._cache = TypeCache(self._products, _room, capacity)

    def __reduce__(self) -> tuple[object, ...]:
        content: Source | dict[str, bytes] | None = self.model.source
        if content is None:
            from safetensors.numpy import save

            numbers = {WEIGHTS: save(dict(self.model.weights))}
            contents = {name: feature.content(None) for name, feature in self.model.features.items()}
            content = files_of(self.model, numbers, contents, card="")
        rules = self._rules if self.model.source else self.model.text_rules  # a function is in no file
        return _unpickled, (content, rules, self._threads)

    def __deepcopy__(self, memo: dict[int, object]) -> "NumpyBackend":
        return NumpyBackend(self.model, rules=self._rules, threads=self._threads)  # nothing changes the weights

    def with_rules(self, rules: TextRules) -> "NumpyBackend":
        """Return the same backend for a model that splits raw text by other rules."""
        return NumpyBackend(self.model, rules=rules, threads=self._threads)

    def run(self, batches: Iterable[Batch], *, n_best: int = 0) -> Iterator[Mapping[str, Arrays]]:
        """Return the output of each head for each batch, in order, by layer."""
        threads = self._threads or 1
        # The words of one batch are looked up after the other, so that their values are deterministic.
        given = ((batch, self._inputs(batch)) for batch in batches)
        return in_order(partial(self._run, n_best=n_best), given, threads)

    @running()
    @one_blas_thread()
    def _products(self, words: Words) -> Floats:
        """Return the input products of words, of shape (directions, types, gates)."""
        return self._network.encoder.products(self._network.type_vectors(*words))

    @running()  # a child must not inherit the lock of the cache
    def _inputs(self, batch: Batch) -> Inputs:
        """Return what the encoder reads, with the index of each word in `ids`, of shape (types,)."""
        if len(batch.types) > self._cache.most:
            vectors = self._network.type_vectors(*words_of(batch, np.arange(len(batch.types))))
            return Inputs(np.arange(len(vectors)), vectors=vectors)
        products, rows = self._cache.find(batch)
        return Inputs(rows, products=products)

    @running()
    @one_blas_thread()
    def _run(self, given: tuple[Batch, Inputs], *, n_best: int) -> Mapping[str, Arrays]:
        outputs = self._network(*self._packed(*given), n_best=n_best)
        return {layer: dict(named(output)) for layer, output in outputs.items()}

    @running()
    @one_blas_thread()
    def marginals(self, batch: Batch) -> Mapping[str, NDArray[np.float32]]:
        """Return the probability of each tag at each token, of shape (batch, tokens, tags), by tag layer."""
        return self._network.marginals(*self._packed(batch, self._inputs(batch)))

    def _packed(self, batch: Batch, inputs: Inputs) -> tuple[Inputs, Packing]:
        """Return what the encoder reads of each token, without padding, given that of each distinct word."""
        packing = packing_of(batch.lengths)
        features = [embedding(packing.pack(batch.features[name])) for name, embedding in self._network.tokens.items()]
        joined = np.concatenate(features, axis=1) if features else None
        return inputs._replace(ids=packing.pack(inputs.ids[batch.type_ids]), features=joined), packing

    def bounded(self) -> AbstractContextManager[None]:
        """Return a context without effect: features that this backend can read use one thread."""
        return nullcontext()

    def forget(self) -> None:
        """Drop the products of earlier words."""
        self._cache.clear()

    def incremental(self) -> "Incremental":
        """Return what tags one sentence token by token.

        Raises:
            ModelError: The model reads in both directions.
        """
        from tagger.inference.incremental import Incremental  # few programs need it

        return Incremental(self.model, self._network)


def _room(values: Floats, number: int) -> Floats:
    """Return an empty table for `number` words; memory is taken when rows are written."""
    return np.empty((values.shape[0], number, values.shape[2]), np.float32)


def load_numpy(path: str | Path, *, threads: int | None = None, trusted: bool = False) -> NumpyBackend:
    """Load the model of a run folder or of its `model/` folder; the arguments are those of `tagger.load`.

    Raises:
        ModelError: The folder cannot be read.
    """
    return NumpyBackend(load_numpy_model(path, trusted=trusted), threads=threads)


def _unpickled(content: Source | dict[str, bytes], rules: TextRules | None, threads: int | None) -> NumpyBackend:
    """Return the backend that was pickled."""
    return reloaded(content, load_numpy, rules=rules, threads=threads, trusted=True)
