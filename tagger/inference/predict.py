"""The one way from sentences to predicted sentences.

Sentences are taken in chunks, encoded, batched by length, run through a backend and given back in their order. The
backend alone knows what runs the network.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from tagger.config import AnyHeadConfig
from tagger.encoding.batches import Batch, batches_by_length, encode, most_rows
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import Vocabulary
from tagger.heads.head import Arrays
from tagger.heads.table import heads_of
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, Sentence, TagLayer

CHUNK = 2048  # sentences that are held at once
BATCH_TOKENS = 4096  # tokens of a batch, padding counted
BATCH_OVERHEAD = 16  # rows that would take as long as the fixed cost of the steps of a batch


class Backend(Protocol):
    """What runs a network."""

    def run(self, batches: Iterable[Batch], *, n_best: int = 0) -> Iterator[Mapping[str, Arrays]]:
        """Return the output of each head for each batch, in order, by layer, with `n_best` readings per sentence."""
        ...


def predict(
    sentences: Iterable[Sentence],
    *,
    backend: Backend,
    vocabulary: Vocabulary,
    heads: Mapping[str, AnyHeadConfig],
    schemes: Mapping[str, Scheme | None],
    chunk: int = CHUNK,
    n_best: int = 0,
) -> Iterator[Sentence]:
    """Yield the sentences with predicted layers only, in order.

    A sentence without tokens has empty tag layers and no labels.
    """
    for part in _chunks(sentences, chunk):
        yield from _predict_chunk(part, backend, vocabulary, heads, schemes, n_best)


def _chunks(sentences: Iterable[Sentence], size: int) -> Iterator[list[Sentence]]:
    """Yield lists of `size` sentences; those before an error come before it is raised."""
    part: list[Sentence] = []
    try:
        for sentence in sentences:
            part.append(sentence)
            if len(part) == size:
                yield part
                part = []
    except Exception:
        yield part
        raise
    yield part


def _predict_chunk(
    sentences: Sequence[Sentence],
    backend: Backend,
    vocabulary: Vocabulary,
    heads: Mapping[str, AnyHeadConfig],
    schemes: Mapping[str, Scheme | None],
    n_best: int,
) -> list[Sentence]:
    encoded = encode(pack(sentences, layers=()), vocabulary)
    asked = heads_of(heads)
    empty = {layer: found for layer, head in asked.items() if (found := head.empty(schemes.get(layer))) is not None}
    layers: list[dict[str, TagLayer | Label]] = [{} if len(sentence) else {**empty} for sentence in sentences]
    names = {layer: np.array(vocabulary.labels[layer], dtype=object) for layer in heads}
    num_tags = max((len(names[layer]) for layer, head in asked.items() if head.layer_type is TagLayer), default=1)
    rows_at_most = most_rows(num_tags, n_best=n_best)
    parts = list(batches_by_length(encoded.lengths, BATCH_TOKENS, max_rows=rows_at_most, overhead=BATCH_OVERHEAD))
    outputs = backend.run((encoded.batch(rows) for rows in parts), n_best=n_best)
    for rows, arrays in zip(parts, outputs, strict=True):
        lengths = encoded.lengths[rows].tolist()
        for layer, head in asked.items():
            predicted = head.layers(arrays[layer], names[layer], lengths, schemes.get(layer))
            for row, value in zip(rows.tolist(), predicted, strict=True):
                layers[row][layer] = value
    return [
        Sentence(s.tokens, s.text, s.offsets, layers[i], s.meta, s.document, s.origin) for i, s in enumerate(sentences)
    ]
