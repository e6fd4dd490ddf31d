"""The one way from sentences to predicted sentences.

Sentences are taken in chunks, encoded, batched by length, run through a backend and given back in their order. The
backend alone knows what runs the network.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tagger.config import HeadConfig, TokensHeadConfig
from tagger.data.batches import Batch, batches_by_length, encode
from tagger.data.schemes import Scheme, tags_to_spans
from tagger.data.sentence import Label, Sentence, TagLayer
from tagger.data.vocabulary import Vocabulary

CHUNK = 1024  # sentences that are held at once
BATCH_TOKENS = 4096  # tokens of a batch, padding counted


class HeadArrays(NamedTuple):
    """What a head says of a batch.

    A tokens head gives `ids` and `scores` of shape (batch, tokens); a sentence head gives `scores` of shape
    (batch, classes) and, where it has one, `attention` of shape (batch, tokens).
    """

    ids: NDArray[np.int64] | None
    scores: NDArray[np.float32]
    attention: NDArray[np.float32] | None = None


class Backend(Protocol):
    """What runs a network."""

    def run(self, batch: Batch) -> Mapping[str, HeadArrays]:
        """What each head says of a batch, by layer."""
        ...


def predict(
    sentences: Iterable[Sentence],
    *,
    backend: Backend,
    vocabulary: Vocabulary,
    heads: Mapping[str, HeadConfig],
    schemes: Mapping[str, Scheme | None],
    chunk: int = CHUNK,
) -> Iterator[Sentence]:
    """New sentences with the predicted layers only, in the order of those given; one without tokens has no layers."""
    iterator = iter(sentences)
    while part := list(islice(iterator, chunk)):
        yield from _predict_chunk(part, backend, vocabulary, heads, schemes)


def _predict_chunk(
    sentences: Sequence[Sentence],
    backend: Backend,
    vocabulary: Vocabulary,
    heads: Mapping[str, HeadConfig],
    schemes: Mapping[str, Scheme | None],
) -> list[Sentence]:
    encoded = encode(sentences, vocabulary)
    layers: list[dict[str, TagLayer | Label]] = [{} for _ in sentences]
    names = {layer: np.array(vocabulary.labels[layer], dtype=object) for layer in heads}
    for rows in batches_by_length(encoded.lengths, BATCH_TOKENS):  # rows without tokens are left out
        batch = encoded.batch(rows)
        arrays = backend.run(batch)
        for layer, head in heads.items():
            found = _layers(arrays[layer], names[layer], batch.lengths.tolist(), head, schemes.get(layer))
            for row, value in zip(rows.tolist(), found, strict=True):
                layers[row][layer] = value
    return [
        Sentence(s.tokens, s.text, s.offsets, layers[i], s.meta, s.document, s.origin) for i, s in enumerate(sentences)
    ]


def _layers(
    arrays: HeadArrays, names: "NDArray[np.object_]", lengths: Sequence[int], head: HeadConfig, shown: Scheme | None
) -> Iterator[TagLayer | Label]:
    """What a head says of each sentence of a batch, by name."""
    scores = arrays.scores.tolist()
    if isinstance(head, TokensHeadConfig) and arrays.ids is not None:
        scheme = None if head.scheme == "none" else head.scheme
        tags = names[arrays.ids].tolist()
        for row, length in enumerate(lengths):
            row_tags, row_scores = tuple(tags[row][:length]), tuple(scores[row][:length])
            yield TagLayer(row_tags, scheme, shown, row_scores, _span_scores(row_tags, row_scores, scheme))
        return
    attention = arrays.attention.tolist() if arrays.attention is not None else None
    best = arrays.scores.argmax(1).tolist()
    for row, length in enumerate(lengths):
        yield Label(
            names[best[row]],
            scores[row][best[row]],
            dict(zip(names.tolist(), scores[row], strict=True)),
            tuple(attention[row][:length]) if attention else None,
        )


def _span_scores(tags: Sequence[str], scores: Sequence[float], scheme: Scheme | None) -> tuple[float, ...] | None:
    """For each span the least probability among its tags, which the probability of the whole span never exceeds."""
    if scheme is None:
        return None
    return tuple(min(scores[span.start : span.end]) for span in tags_to_spans(tags, scheme))
