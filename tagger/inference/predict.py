"""The one way from sentences to predicted sentences.

Sentences are taken in chunks, encoded, batched by length, run through a backend and given back in their order. The
backend alone knows what runs the network.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tagger.config import HeadConfig
from tagger.encoding.batches import Batch, batches_by_length, encode, most_rows
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import Vocabulary
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, Sentence, TagLayer

CHUNK = 2048  # sentences that are held at once
BATCH_TOKENS = 4096  # tokens of a batch, padding counted
BATCH_OVERHEAD = 16  # rows that would take as long as the fixed cost of the steps of a batch


class TagArrays(NamedTuple):
    """What a tokens head says of a batch: see `TokensOutput`. `span_rows` is None where tags form no spans."""

    ids: NDArray[np.int64]
    scores: NDArray[np.float32]
    sequence_scores: NDArray[np.float32]
    span_rows: NDArray[np.int64] | None
    span_scores: NDArray[np.float32] | None
    readings: NDArray[np.int64] | None = None
    reading_scores: NDArray[np.float32] | None = None


class LabelArrays(NamedTuple):
    """What a sentence head says of a batch: a probability a class, and a weight a token where it has one."""

    scores: NDArray[np.float32]
    attention: NDArray[np.float32] | None


HeadArrays = TagArrays | LabelArrays


class Backend(Protocol):
    """What runs a network."""

    def run(self, batches: Iterable[Batch], *, n_best: int = 0) -> Iterator[Mapping[str, HeadArrays]]:
        """What each head says of each batch, in order, by layer, with the `n_best` readings of each sentence."""
        ...


def predict(
    sentences: Iterable[Sentence],
    *,
    backend: Backend,
    vocabulary: Vocabulary,
    heads: Mapping[str, HeadConfig],
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
    heads: Mapping[str, HeadConfig],
    schemes: Mapping[str, Scheme | None],
    n_best: int,
) -> list[Sentence]:
    encoded = encode(pack(sentences, layers=()), vocabulary)
    schemes_of = {layer: head.span_scheme for layer, head in heads.items() if head.kind == "tokens"}
    empty = {layer: TagLayer((), scheme, schemes.get(layer), ()) for layer, scheme in schemes_of.items()}
    layers: list[dict[str, TagLayer | Label]] = [{} if len(sentence) else {**empty} for sentence in sentences]
    names = {layer: np.array(vocabulary.labels[layer], dtype=object) for layer in heads}
    num_tags = max((len(names[layer]) for layer in schemes_of), default=1)
    rows_at_most = most_rows(num_tags, n_best=n_best)
    parts = list(batches_by_length(encoded.lengths, BATCH_TOKENS, max_rows=rows_at_most, overhead=BATCH_OVERHEAD))
    outputs = backend.run((encoded.batch(rows) for rows in parts), n_best=n_best)
    for rows, arrays in zip(parts, outputs, strict=True):
        lengths = encoded.lengths[rows].tolist()
        for layer, head in heads.items():
            found = _layers(arrays[layer], names[layer], lengths, head, schemes.get(layer))
            for row, value in zip(rows.tolist(), found, strict=True):
                layers[row][layer] = value
    return [
        Sentence(s.tokens, s.text, s.offsets, layers[i], s.meta, s.document, s.origin) for i, s in enumerate(sentences)
    ]


def _layers(
    arrays: HeadArrays, names: "NDArray[np.object_]", lengths: Sequence[int], head: HeadConfig, shown: Scheme | None
) -> Iterator[TagLayer | Label]:
    """What a head says of each sentence of a batch, by name."""
    if isinstance(arrays, TagArrays):
        yield from _tag_layers(arrays, names, lengths, head.span_scheme, shown)
        return
    scores, best = arrays.scores.tolist(), arrays.scores.argmax(1).tolist()
    attention = arrays.attention.tolist() if arrays.attention is not None else None
    for row, length in enumerate(lengths):
        yield Label(
            names[best[row]],
            scores[row][best[row]],
            dict(zip(names.tolist(), scores[row], strict=True)),
            tuple(attention[row][:length]) if attention else None,
        )


def _tag_layers(
    arrays: TagArrays, names: "NDArray[np.object_]", lengths: Sequence[int], scheme: Scheme | None, shown: Scheme | None
) -> Iterator[TagLayer]:
    tags, scores, sequence_scores = names[arrays.ids].tolist(), arrays.scores.tolist(), arrays.sequence_scores.tolist()
    span_scores: list[list[float]] | None = None
    if arrays.span_rows is not None and arrays.span_scores is not None:
        borders = np.searchsorted(arrays.span_rows, np.arange(1, len(lengths)))
        span_scores = [part.tolist() for part in np.split(arrays.span_scores, borders)]
    for row, length in enumerate(lengths):
        spans = tuple(span_scores[row]) if span_scores is not None else None
        readings = _readings(arrays, names, row, length, scheme, shown)
        yield TagLayer(
            tuple(tags[row][:length]), scheme, shown, tuple(scores[row][:length]), spans, sequence_scores[row], readings
        )


def _readings(
    arrays: TagArrays,
    names: "NDArray[np.object_]",
    row: int,
    length: int,
    scheme: Scheme | None,
    shown: Scheme | None,
) -> tuple[TagLayer, ...]:
    """The most probable sequences of a sentence, those of probability 0 left out."""
    if arrays.readings is None or arrays.reading_scores is None:
        return ()
    return tuple(
        TagLayer(tuple(names[ids[:length]].tolist()), scheme, shown, score=score)
        for ids, score in zip(arrays.readings[row], arrays.reading_scores[row].tolist(), strict=True)
        if score > 0
    )
