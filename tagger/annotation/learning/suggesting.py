"""What a model says of texts: likely entities with their exact probabilities, and how much a judgement would teach."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from tagger.annotation.store.predictions import Prediction
from tagger.annotation.store.texts import Text
from tagger.encoding.batches import batches_by_length
from tagger.encoding.packed import pack
from tagger.features.passages import passages_of
from tagger.features.table import longest_context
from tagger.inference.predict import BATCH_TOKENS, encoded_for
from tagger.inference.torch_backend import TorchBackend
from tagger.model.network import Network, TensorBatch, to_tensors
from tagger.nn.chain.lattice import Lattice
from tagger.nn.spans import Spans, SpanTables, span_probabilities
from tagger.tagging import Tagger
from tagger.text.schemes import span_types

SHOWN = 0.3  # probability from which an entity is suggested
LIKELY = 0.05  # from which it counts as uncertain
LONGEST = 12  # tokens of an entity that is not the best reading of anything

Span = tuple[int, int, str, float]


def span_layer(tagger: Tagger, types: Collection[str]) -> str | None:
    """Return the layer of a model that finds the most of these types; None if it finds none of them."""
    found = {
        layer: len({*types} & {*span_types(tagger.model.vocabulary.labels[layer])})
        for layer, head in tagger.model.heads.items()
        if head.span_scheme is not None
    }
    best = max(found, key=found.__getitem__, default=None)
    return best if best is not None and found[best] else None


def predictions(tagger: Tagger, layer: str, types: Collection[str], texts: Sequence[Text]) -> Iterator[Prediction]:
    """Yield what a model that torch runs says of texts, about entities of some types of a layer."""
    backend, network = tagger.backend, tagger.network
    if not isinstance(backend, TorchBackend):
        raise TypeError(f"the model must be loaded with torch, got {type(backend).__name__}")
    names = span_types(tagger.model.vocabulary.labels[layer])
    pairs = list(passages_of([text.sentence for text in texts], longest_context(tagger.model.features)))
    with backend.bounded():
        encoded = encoded_for(
            tagger.model, pack([sentence for sentence, _ in pairs], layers=()), [passage for _, passage in pairs]
        )
    for rows in batches_by_length(encoded.lengths, BATCH_TOKENS, overhead=backend.batch_overhead):
        spans: list[list[Span]] = [[] for _ in rows]
        found = _spans(network, layer, to_tensors(encoded.batch(rows), network.device))
        for row, start, end, kind, probability in zip(*(column.tolist() for column in found), strict=True):
            if probability >= LIKELY and names[kind] in types:
                spans[row].append((start, end, names[kind], round(probability, 4)))
        for row, likely in zip(rows.tolist(), spans, strict=True):
            yield Prediction(texts[row].id, gain(likely), shown(likely))


@torch.inference_mode()
def _spans(network: Network, layer: str, batch: TensorBatch) -> tuple[Tensor, ...]:
    """Return rows, starts, ends, types and probabilities of the candidates in a batch."""
    head: Any = network.heads[layer]
    tables: SpanTables | None = head.tables
    if tables is None:
        raise TypeError(f"layer {layer!r} must have entities")
    lattice, scores = head.posterior(network.states(batch), batch.mask)
    candidates = _candidates(lattice, tables)
    lengths = batch.mask.sum(1)
    return *candidates, span_probabilities(lattice, scores.transitions, lengths, candidates, tables)


def _candidates(lattice: Lattice, tables: SpanTables) -> Spans:
    """Return the spans of one type whose tokens all are likely to be of this type."""
    own = lattice.marginals[:, :, tables.own].sum(3)  # (batch, tokens, types): the probability of each type
    inside = own >= LIKELY
    alive, found = inside, []
    for length in range(1, LONGEST + 1):
        rows, starts, kinds = alive.nonzero().unbind(1)
        found.append((rows, starts, starts + length, kinds))
        if length == inside.shape[1] or not len(rows):
            break
        alive = alive[:, :-1] & inside[:, length:]
    rows, starts, ends, kinds = (torch.cat(column) for column in zip(*found, strict=True))
    return Spans(rows, starts, ends, kinds)


def gain(spans: Sequence[Span]) -> float:
    """Return how uncertain a model is of likely entities: 1 for each that is as likely as not, 0 for a sure one."""
    return sum(1 - abs(2 * probability - 1) for *_, probability in spans)


def shown(spans: Sequence[Span]) -> list[Span]:
    """Return the entities to suggest: the most probable first, none that overlaps; in the order of the text."""
    chosen: list[Span] = []
    for span in sorted(spans, key=lambda span: -span[3]):
        if span[3] >= SHOWN and all(span[1] <= other[0] or other[1] <= span[0] for other in chosen):
            chosen.append(span)
    return sorted(chosen)
