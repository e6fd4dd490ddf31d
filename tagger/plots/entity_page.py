"""Entities in running text, as a page: types as words and colours, probabilities on hover and at keyboard focus."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from tagger.errors import DataError
from tagger.pages.palette import css_style
from tagger.plots.labels import LINE_ENDS, name_of, visible
from tagger.plots.page import render_html
from tagger.plots.picture import Picture
from tagger.plots.selection import Given, select_layer, select_sentences
from tagger.text.sentence import Sentence, Span, TagLayer


def entities(sentences: Given, *, layer: str | None = None) -> Picture:
    """Return the page of the entities of sentences, predicted or gold; sentences of one document share one text.

    Args:
        sentences: The sentences or documents, in order.
        layer: The layer; optional if only one has entities.

    Raises:
        DataError: No sentence has a token, no layer has entities, or several have and none is named.
    """
    given = select_sentences(sentences)
    names = [n for n, value in given[0].layers.items() if isinstance(value, TagLayer) and value.scheme is not None]
    hint = "tag with a model that has a tokens head with a scheme"
    name = select_layer(layer, names, kind="layer with entities", error=DataError, hint=hint)
    passages = list(_passages(given, name))
    return Picture(f"Entities of {name_of(name)}", lambda: _body(passages))


Passage = tuple[str, int, int, list[Span]]


def _passages(sentences: Sequence[Sentence], layer: str) -> Iterator[Passage]:
    """Yield text, first and last character, and spans of each passage: consecutive sentences of one text."""
    text, start, end, spans = sentences[0].text, 0, 0, list[Span]()
    for sentence in sentences:
        # Two lines may have the same text: a sentence that does not begin after the one before it is a new passage.
        if sentence.text != text or sentence.offsets[0][0] < end:
            yield text, start, len(text), spans
            text, start, spans = sentence.text, 0, []
        spans += sentence.spans(layer)
        end = sentence.offsets[-1][1]
    yield text, start, len(text), spans


def _body(passages: Sequence[Passage]) -> Markup:
    counts = Counter(span.type for *_, spans in passages for span in spans)
    styles = {type_: css_style(number) for number, type_ in enumerate(sorted(counts))}
    types = [{"style": styles[type_], "name": name_of(type_), "count": counts[type_]} for type_ in sorted(counts)]
    return render_html("entities", types=types, passages=[list(_parts(passage, styles)) for passage in passages])


def _parts(passage: Passage, styles: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the whole text of a passage in parts: spans, and what is between them."""
    text, position, last, spans = passage
    for span in spans:
        yield {"text": visible(text[position : span.start_char], keep=LINE_ENDS), "type": None}
        yield {
            "text": visible(text[span.start_char : span.end_char], keep=LINE_ENDS),
            "type": name_of(span.type),
            "style": styles[span.type],
            "score": None if span.score is None else f"{span.score:.4f}",
        }
        position = span.end_char
    yield {"text": visible(text[position:last], keep=LINE_ENDS), "type": None}
