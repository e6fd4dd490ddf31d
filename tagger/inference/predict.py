"""The way from sentences to predicted sentences.

Sentences are read in chunks, encoded, grouped into batches by length, run by a backend, and returned in their order.
Only the backend knows what runs the network.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.batches import Batch, EncodedSentences, batches_by_length, encode, most_rows
from tagger.encoding.packed import Packed, pack
from tagger.features.passages import Passage, passages_of
from tagger.features.table import Features, check_frames, longest_context, reads_sentences, token_arrays, type_arrays
from tagger.heads.head import Arrays
from tagger.heads.table import heads_of, predicted_layers
from tagger.model.model import Model
from tagger.text.schemes import Scheme
from tagger.text.sentence import Layer, Sentence, TagLayer
from tagger.text.tokenization import TextRules

if TYPE_CHECKING:
    from tagger.inference.incremental import Incremental

CHUNK = 2048  # sentences that are read at once
CHUNK_TOKENS = 16_384  # after which a chunk ends if features read sentences, because their arrays are in memory
BATCH_TOKENS = 4096  # with padding

Pairs = Iterable[tuple[Sentence, Passage]]


class Backend(Protocol):
    """What runs the network of a model.

    Attributes:
        batch_overhead: Number of rows that take as long as the fixed cost of a batch.
    """

    batch_overhead: ClassVar[int]

    @property
    def model(self) -> Model:
        """The configuration of the model and the names of its ids."""
        ...

    def run(self, batches: Iterable[Batch], *, n_best: int = 0) -> Iterator[Mapping[str, Arrays]]:
        """Return the output of each head for each batch, in order, by layer, with `n_best` readings per sentence."""
        ...

    def marginals(self, batch: Batch) -> Mapping[str, NDArray[np.float32]]:
        """Return the probability of each tag at each token, of shape (batch, tokens, tags), by tag layer."""
        ...

    def bounded(self) -> AbstractContextManager[None]:
        """Return a context in which the features of sentences have the number of threads that the backend was given."""
        ...

    def forget(self) -> None:
        """Drop what was kept of earlier words, which may change the last bits of what follows."""
        ...

    def incremental(self) -> "Incremental":
        """Return what tags one sentence token by token.

        Raises:
            ModelError: The model reads in both directions.
        """
        ...

    def with_rules(self, rules: TextRules) -> "Backend":
        """Return the same backend for a model that splits raw text by other rules."""
        ...


def predict(
    sentences: Iterable[Sentence],
    backend: Backend,
    *,
    chunk: int = CHUNK,
    n_best: int = 0,
    waits: Callable[[], bool] = lambda: False,
) -> Iterator[Sentence]:
    """Yield the sentences with predicted layers only, in order.

    A sentence without tokens has empty tag layers and no labels. Neighbours with the same name of a document are read
    as the context of a sentence, if the model reads context.

    Args:
        sentences: The sentences.
        backend: Runs the model. Predicted tags are shown in the schemes of its training files.
        chunk: Number of sentences that are read at once.
        n_best: Number of readings of each tag layer.
        waits: Whether the next sentence has not arrived yet, so that those so far are tagged as a chunk.
    """
    pairs = passages_of(sentences, longest_context(backend.model.features))
    yield from predict_passages(pairs, backend, chunk=chunk, n_best=n_best, waits=waits)


def predict_passages(
    pairs: Pairs, backend: Backend, *, chunk: int, n_best: int, waits: Callable[[], bool]
) -> Iterator[Sentence]:
    """Yield the sentences of pairs with predicted layers only, as `predict` does; each comes with its passage."""
    for part in _chunks(pairs, chunk, backend.model.features, waits):
        sentences, passages = [sentence for sentence, _ in part], [passage for _, passage in part]
        yield from _predict_chunk(sentences, passages, backend, n_best)


def encoded_for(
    model: Model, packed: Packed, passages: Sequence[Passage], layers: Mapping[str, Scheme | None] | None = None
) -> EncodedSentences:
    """Return the ids of sentences, with all features that a model reads of them.

    Args:
        model: The model.
        packed: The sentences.
        passages: The same sentences with their neighbours.
        layers: Layers whose gold ids to return, each with the scheme of its tags in the vocabulary; default: none.
    """
    features, types = token_arrays(model.features, passages), type_arrays(model.features, packed.types)
    return encode(packed, model.vocabulary, layers, features, types)


def tag_marginals(
    sentences: Iterable[Sentence], backend: Backend, *, chunk: int = CHUNK
) -> Iterator[dict[str, NDArray[np.float32]]]:
    """Yield for each sentence the probability of each tag at each token, of shape (tokens, tags), by tag layer.

    Args:
        sentences: The sentences. One without tokens has no arrays.
        backend: Runs the model.
        chunk: Number of sentences that are read at once.
    """
    vocabulary, features = backend.model.vocabulary, backend.model.features
    most = most_rows(max(map(len, vocabulary.labels.values()), default=1))
    for pairs in _chunks(passages_of(sentences, longest_context(features)), chunk, features, lambda: False):
        part = [sentence for sentence, _ in pairs]
        with backend.bounded():
            encoded = encoded_for(backend.model, pack(part, layers=()), [passage for _, passage in pairs])
        found: list[dict[str, NDArray[np.float32]]] = [{} for _ in part]
        for rows in batches_by_length(encoded.lengths, BATCH_TOKENS, max_rows=most, overhead=backend.batch_overhead):
            for layer, table in backend.marginals(encoded.batch(rows)).items():
                for row, array in zip(rows.tolist(), table, strict=True):
                    found[row][layer] = array[: len(part[row])].copy()
        yield from found


def _chunks(
    pairs: Pairs, size: int, features: Features, waits: Callable[[], bool]
) -> Iterator[list[tuple[Sentence, Passage]]]:
    """Yield lists of `size` sentences; those before an error come before it.

    A list ends earlier if the next sentence waits, or if features have arrays of `CHUNK_TOKENS` tokens.
    """
    most = CHUNK_TOKENS if reads_sentences(features) else None
    part: list[tuple[Sentence, Passage]] = []
    tokens = 0
    try:
        for pair in pairs:
            part.append(pair)
            tokens += len(pair[0])
            if len(part) == size or (most is not None and tokens >= most) or waits():
                yield part
                part, tokens = [], 0
    except Exception:
        yield part
        raise
    yield part


def _predict_chunk(
    sentences: Sequence[Sentence], passages: Sequence[Passage], backend: Backend, n_best: int
) -> list[Sentence]:
    vocabulary, schemes, asked = backend.model.vocabulary, backend.model.config.schemes, heads_of(backend.model.heads)
    check_frames(backend.model.features, sentences)
    with backend.bounded():
        encoded = encoded_for(backend.model, pack(sentences, layers=()), passages)
    empty = {layer: found for layer, head in asked.items() if (found := head.empty(schemes.get(layer))) is not None}
    layers: list[dict[str, Layer]] = [{} if len(sentence) else {**empty} for sentence in sentences]
    names = {layer: np.array(vocabulary.labels[layer], dtype=object) for layer in asked}
    num_tags = max((len(names[layer]) for layer, head in asked.items() if head.layer_type is TagLayer), default=1)
    rows_at_most = most_rows(num_tags, n_best=n_best)
    overhead = backend.batch_overhead
    parts = list(batches_by_length(encoded.lengths, BATCH_TOKENS, max_rows=rows_at_most, overhead=overhead))
    outputs = backend.run((encoded.batch(rows) for rows in parts), n_best=n_best)
    for rows, arrays in zip(parts, outputs, strict=True):
        lengths = encoded.lengths[rows].tolist()
        for layer, head in asked.items():
            predicted = predicted_layers(head, arrays[layer], names[layer], lengths, schemes.get(layer))
            for row, value in zip(rows.tolist(), predicted, strict=True):
                layers[row][layer] = value
    return [replace(sentence, layers=layers[i]) for i, sentence in enumerate(sentences)]
