"""Write sentences as CSV: a row for each token with its sentence and tags, or a row for each text with its label."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from tagger.errors import DataError
from tagger.text.sentence import Label, Sentence
from tagger.wording import quoted


def csv_lines(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a file, the first of which names the columns: `sentence,token,ner` or `text,label`.

    Raises:
        DataError: The sentences have tags and labels, or labels in different layers.
    """
    rest = iter(sentences)
    first = next(rest, None)
    labels = [name for name, layer in first.layers.items() if isinstance(layer, Label)] if first else []
    if labels and layers:
        raise DataError(f"csv holds tags or labels, got {quoted([*layers, *labels])}; drop the one or the other")
    found = chain([first] if first else [], rest)
    yield _line(["text", *labels] if labels else ["sentence", "token", *layers])
    yield from _texts(found, labels) if labels else _tokens(found, layers)


def _texts(sentences: Iterable[Sentence], labels: Sequence[str]) -> Iterator[str]:
    """Yield a line for each text."""
    for sentence in sentences:
        yield _line([sentence.text, *(sentence.label(name).value for name in labels)])


def _tokens(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[str]:
    """Yield a line for each token."""
    for number, sentence in enumerate(sentences, 1):
        for token, *tags in zip(sentence.tokens, *(sentence.tags(layer) for layer in layers), strict=True):
            yield _line([str(number), token, *tags])


def _line(fields: Sequence[str]) -> str:
    """Return the fields of a row between commas, in quotes where they need them."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="").writerow(fields)
    return stream.getvalue()
