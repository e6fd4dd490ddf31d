"""Entities in running text, as a page: type in words and colour, probability on hover and at keyboard focus."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from markupsafe import Markup

from tagger.errors import DataError
from tagger.plots.markup import colour
from tagger.plots.picture import Picture
from tagger.plots.showing import LINE_ENDS, name_of, one_layer, sentences_of, visible
from tagger.text.sentence import Sentence, Span, TagLayer

MARK = Markup('<mark style="{style}" tabindex="0" title="{said}">{text}<bdi class="type">{type}</bdi>{score}</mark>')
SCORE = Markup('<bdi class="score">{said}</bdi>')
KEY = Markup('<li><mark style="{style}"><bdi>{type}</bdi></mark> {count}</li>\n')
PASSAGE = Markup('<p class="text" dir="auto">{}</p>\n')


def entities(sentences: Sentence | Iterable[Sentence], *, layer: str | None = None) -> Picture:
    """The page of the entities of sentences, tagged or gold; those of one document share one text.

    Args:
        sentences: The sentences, in order.
        layer: The layer; not needed where only one has entities.

    Raises:
        DataError: There is no sentence with a token, or no layer with entities, or several and none is named.
    """
    given = sentences_of(sentences)
    names = [n for n, value in given[0].layers.items() if isinstance(value, TagLayer) and value.scheme is not None]
    hint = "tag with a model that has a tokens head with a scheme"
    name = one_layer(layer, names, kind="layer with entities", error=DataError, hint=hint)
    passages = list(_passages(given, name))
    return Picture(f"Entities of {name_of(name)}", lambda: _body(passages))


Passage = tuple[str, int, int, list[Span]]


def _passages(sentences: Sequence[Sentence], layer: str) -> Iterator[Passage]:
    """Text, first and last character, and spans of each passage: sentences that follow each other in one text."""
    text, start, end, spans = sentences[0].text, 0, 0, list[Span]()
    for sentence in sentences:
        if sentence.text != text or sentence.offsets[0][0] < end:
            yield text, start, len(text), spans
            text, start, spans = sentence.text, 0, []
        spans += sentence.spans(layer)
        end = sentence.offsets[-1][1]
    yield text, start, len(text), spans


def _body(passages: Sequence[Passage]) -> Markup:
    counts = Counter(span.type for *_, spans in passages for span in spans)
    styles = {type_: colour(number) for number, type_ in enumerate(sorted(counts))}
    keys = Markup("").join(
        KEY.format(style=styles[type_], type=name_of(type_), count=counts[type_]) for type_ in sorted(counts)
    )
    legend = Markup("<ul>\n{}</ul>\n").format(keys) if counts else Markup('<p class="note">No entity was found.</p>\n')
    return legend + Markup("").join(PASSAGE.format(_running(passage, styles)) for passage in passages)


def _running(passage: Passage, styles: Mapping[str, Markup]) -> Markup:
    """The whole text, with its spans marked."""
    text, position, last, spans = passage
    parts = []
    for span in spans:
        parts.append(Markup.escape(visible(text[position : span.start_char], keep=LINE_ENDS)))
        parts.append(_mark(text[span.start_char : span.end_char], span, styles[span.type]))
        position = span.end_char
    parts.append(Markup.escape(visible(text[position:last], keep=LINE_ENDS)))
    return Markup("").join(parts)


def _mark(text: str, span: Span, style: Markup) -> Markup:
    type_ = name_of(span.type)
    said = type_ if span.score is None else f"{type_}, probability {span.score:.4f}"
    score = "" if span.score is None else SCORE.format(said=f"{span.score:.4f}")
    return MARK.format(style=style, said=said, text=visible(text, keep=LINE_ENDS), type=type_, score=score)
