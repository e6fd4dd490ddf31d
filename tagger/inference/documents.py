"""The way from documents to predicted documents: their sentences are tagged in batches, over the ends of documents."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice

from tagger.features.passages import Passage, with_passages
from tagger.features.table import longest_context
from tagger.heads.table import heads_of
from tagger.inference.predict import CHUNK, Backend, predict_passages
from tagger.model.config import ModelConfig
from tagger.text.document import Document
from tagger.text.sentence import Label, Sentence

PART = 8 * CHUNK  # sentences of a part in `predict_in_parts`
OF_SENTENCES = ("conll", "conllu", "synthetic")  # formats whose labels are those of sentences, not of whole texts


def whole_text_labels(config: ModelConfig) -> frozenset[str]:
    """Return the layers whose labels were learned from whole texts.

    A text with a label is one sentence in training, however long it is, unless its file has sentences.
    """
    readings = config.reading.values()
    found = set()
    for layer, head in heads_of(config.heads).items():
        if head.layer_type is Label:
            named = [reading for reading in readings if reading.format != "labelled" or reading.layer == layer]
            if any(reading.format not in OF_SENTENCES for reading in named):
                found.add(layer)
    return frozenset(found)


def predict_documents(
    documents: Iterable[Document],
    backend: Backend,
    *,
    chunk: int = CHUNK,
    n_best: int = 0,
    waits: Callable[[], bool] = lambda: False,
) -> Iterator[Document]:
    """Yield the documents with predicted layers only, in order.

    A label that was learned from whole texts is predicted for the whole text, and tags for each sentence.

    Args:
        documents: The documents, split into sentences.
        backend: Runs the model.
        chunk: Number of sentences that are read at once.
        n_best: Number of readings of each tag layer.
        waits: Whether the next document has not arrived yet, so that those so far are tagged as a chunk.
    """
    whole = whole_text_labels(backend.model.config)
    context = longest_context(backend.model.features)
    pending: deque[tuple[Document, bool]] = deque()
    inside = False  # whether more sentences of the same document follow

    def pairs() -> Iterator[tuple[Sentence, Passage]]:
        nonlocal inside
        for document in documents:
            twice = len(document.sentences) > 1 and bool(whole)
            pending.append((document, twice))
            parts = document.sentences or (Sentence((), document.text, ()),)
            found = list(with_passages(parts, context))
            if twice:
                found += with_passages([backend.model.text_rules.sentence(document.text)], 0)
            for i, pair in enumerate(found, 1):
                inside = i < len(found)
                yield pair

    predicted = predict_passages(pairs(), backend, chunk=chunk, n_best=n_best, waits=lambda: not inside and waits())
    for first in predicted:
        document, twice = pending.popleft()
        rest = list(islice(predicted, max(len(document.sentences), 1) - 1))
        together = next(predicted) if twice else None
        labels = {layer: together.label(layer) for layer in whole} if together else {}
        yield _joined(document, [first, *rest], labels)


def predict_in_parts(
    documents: Iterator[Document],
    backend: Backend,
    *,
    size: int = PART,
    n_best: int = 0,
    waits: Callable[[], bool] = lambda: False,
    ended: Callable[[], object] = lambda: None,
) -> Iterator[Document]:
    """Yield the documents with predicted layers only, in order, in parts of which none depends on those before.

    Tagging may so start again after any part, with the same results to the last bit.

    Args:
        documents: The documents, split into sentences.
        backend: Runs the model.
        size: Number of sentences after which a part ends with its document.
        n_best: Number of readings of each tag layer.
        waits: Whether the next document has not arrived yet, so that those so far are tagged as a chunk.
        ended: Called after each part but the last, when the next document is asked for.
    """
    more = True
    while more:
        left = size

        def part() -> Iterator[Document]:
            nonlocal left, more
            more = False
            for document in documents:
                left -= max(len(document.sentences), 1)
                more = left <= 0
                yield document
                if more:
                    return

        backend.forget()
        yield from predict_documents(part(), backend, n_best=n_best, waits=waits)
        if more:
            ended()


def _joined(document: Document, sentences: list[Sentence], labels: Mapping[str, Label]) -> Document:
    """Return the document with its predicted sentences, and with the labels of the whole text instead of theirs."""
    if labels:
        sentences = [_without(sentence, labels) for sentence in sentences]
    return replace(document, sentences=tuple(sentences if document.sentences else ()), labels=labels)


def _without(sentence: Sentence, layers: Mapping[str, Label]) -> Sentence:
    return replace(sentence, layers={name: value for name, value in sentence.layers.items() if name not in layers})
