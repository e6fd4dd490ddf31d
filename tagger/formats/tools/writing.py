"""Write texts with character spans as the JSON of doccano, Label Studio and spaCy (or Prodigy)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Literal

from tagger.text.sentence import Sentence

Written = Literal["doccano", "labelstudio", "spacy"]


def spanned_lines(sentences: Iterable[Sentence], layers: Sequence[str], dialect: Written) -> Iterator[str]:
    """Yield JSON lines of texts with the entities of one layer, or of none; the sentences of a text are one line.

    Tokens are not written: the text is split again when it is read.

    Raises:
        DataError: A sentence has no such layer, or its tags have no spans.
    """
    for members in grouped_texts(sentences):
        found = [span for layer in layers for sentence in members for span in sentence.spans(layer)]
        spans = [(span.start_char, span.end_char, span.type) for span in found]
        yield json.dumps(_row(members[0].text, spans, dialect), ensure_ascii=False)


def grouped_texts(sentences: Iterable[Sentence]) -> Iterator[list[Sentence]]:
    """Yield the sentences of each text."""
    for _, part in groupby(_numbered(sentences), key=lambda pair: pair[0]):
        yield [sentence for _, sentence in part]


def _numbered(sentences: Iterable[Sentence]) -> Iterator[tuple[int, Sentence]]:
    """Yield sentences with the number of their text."""
    number, before = 0, None
    for sentence in sentences:
        number += before is None or not _goes_on(before, sentence)
        before = sentence
        yield number, sentence


def _goes_on(before: Sentence, after: Sentence) -> bool:
    """Whether a sentence comes after another in the text of one document."""
    same = after.document is not None and after.document == before.document and after.text == before.text
    return same and bool(before.offsets and after.offsets) and before.offsets[-1][1] <= after.offsets[0][0]


def _row(text: str, spans: Sequence[tuple[int, int, str]], dialect: Written) -> dict[str, Any]:
    match dialect:
        case "doccano":
            return {"text": text, "label": [list(span) for span in spans]}
        case "labelstudio":
            return {"text": text, "label": [_region(text, *span) for span in spans]}
        case "spacy":
            return {"text": text, "spans": [{"start": a, "end": b, "label": type_} for a, b, type_ in spans]}


def _region(text: str, start: int, end: int, type_: str) -> dict[str, Any]:
    return {"start": start, "end": end, "text": text[start:end], "labels": [type_]}
