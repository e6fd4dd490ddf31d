"""A table of what was found: one row per entity, with its text, place, type and score."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tagger.errors import DataError, MissingExtraError
from tagger.text.document import Document
from tagger.text.sentence import Label, Sentence, TagLayer, numbers_as_text
from tagger.wording import shorten

if TYPE_CHECKING:
    import pandas

COLUMNS = ("id", "text", "start", "end", "type", "score", "sentence")
Row = dict[str, Any]


def rows_of(document: Document, number: int) -> Iterator[Row]:
    """Yield a row for each entity of a document.

    Without a layer of entities, yield one for each text or sentence with a label; without labels too, one for each
    token, with its tag as the type. `start` and `end` are characters of the document's text, `sentence` is the text of
    the sentence.

    Args:
        document: The document.
        number: Its number, from 1, which is the `id` of one that has none.
    """
    name = number if document.id is None else document.id
    document = replace(document, sentences=tuple(map(numbers_as_text, document.sentences)))
    layers = {key: layer for sentence in document.sentences for key, layer in sentence.layers.items()}
    entities = [key for key, layer in layers.items() if isinstance(layer, TagLayer) and layer.scheme is not None]
    labels = [*document.labels, *(key for key, layer in layers.items() if isinstance(layer, Label))]
    if entities:
        found = (row for key in entities for row in entity_rows(document, key))
    elif labels:
        found = (row for key in labels for row in label_rows(document, key))
    else:
        found = (row for key in layers for row in _tokens(document, key))
    return ({"id": name, **row} for row in found)


def entity_rows(document: Document, layer: str) -> Iterator[Row]:
    """Yield a row, without `id`, for each entity of a layer."""
    for sentence in document.sentences:
        for span in sentence.spans(layer):
            yield _row(layer, sentence, span.start_char, span.end_char, span.type, span.score)


def _tokens(document: Document, layer: str) -> Iterator[Row]:
    for sentence in document.sentences:
        scores = sentence.tag_scores(layer) or (None,) * len(sentence)
        for (start, end), tag, score in zip(sentence.offsets, sentence.tags(layer), scores, strict=True):
            yield _row(layer, sentence, start, end, tag, score)


def label_rows(document: Document, layer: str) -> Iterator[Row]:
    """Yield a row, without `id`, for the label of the text, or for that of each sentence."""
    if (whole := document.labels.get(layer)) is not None:
        text = document.text
        yield _cells(layer, text, 0, len(text), whole.value, whole.score, text)
        return
    for sentence in document.sentences:
        label = sentence.label(layer)
        yield _row(layer, sentence, sentence.offsets[0][0], sentence.offsets[-1][1], label.value, label.score)


def _row(layer: str, sentence: Sentence, start: int, end: int, type_: str | None, score: float | None) -> Row:
    whole = sentence.text[sentence.offsets[0][0] : sentence.offsets[-1][1]]
    return _cells(layer, sentence.text[start:end], start, end, type_, score, whole)


def _cells(layer: str, text: str, start: int, end: int, type_: str | None, score: float | None, sentence: str) -> Row:
    short = None if score is None else float(f"{score:.6g}")
    return {
        "layer": layer, "text": text, "start": start, "end": end, "type": type_, "score": short, "sentence": sentence,
    }  # fmt: skip


def to_dataframe(items: Iterable[Document | Sentence] | Document | Sentence) -> "pandas.DataFrame":
    """Return a table with one row per entity of documents or sentences.

    The columns are `id` (that of the document, or its number from 1), `text`, `start` and `end` (characters of the
    document's text), `type`, `score` and `sentence`, and `layer` if several layers have rows. Without entities there is
    one row per label, and without labels one per token.

    Raises:
        MissingExtraError: pandas is not installed.
        DataError: An item is neither a document nor a sentence.
    """
    try:
        import pandas
    except ImportError as error:
        raise MissingExtraError(f"tables need pandas ({error}); run: pip install pandas") from None

    given: Sequence[Any] = [items] if isinstance(items, Document | Sentence) else list(items)
    for item in given:
        if not isinstance(item, Document | Sentence):
            raise DataError(f"a table must be made of documents or sentences, got {shorten(item)}")
    documents = (Document(item.text, (item,)) if isinstance(item, Sentence) else item for item in given)
    rows = [row for number, document in enumerate(documents, 1) for row in rows_of(document, number)]
    several = len({row["layer"] for row in rows}) > 1
    return pandas.DataFrame(rows, columns=[*(["layer"] if several else []), *COLUMNS])
