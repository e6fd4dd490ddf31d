"""Write texts with character spans as the JSON of doccano, Label Studio and spaCy (or Prodigy)."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Literal

from tagger.errors import DataError
from tagger.text.sentence import Label, Sentence, Span, place_of

Written = Literal["doccano", "labelstudio", "spacy"]


def spanned_lines(sentences: Iterable[Sentence], layers: Sequence[str], dialect: Written) -> Iterator[str]:
    """Yield JSON of texts with their entities; the sentences of a text are one item.

    doccano and spaCy have an item per line with one layer. Label Studio has one array of tasks, with all layers and
    labels. Tokens are not written: the text is split again when it is read.

    Raises:
        DataError: A sentence has no such layer, or its tags have no spans.
    """
    if dialect == "labelstudio":
        yield from _array(_task(members, layers) for members in grouped_texts(sentences))
        return
    for members in grouped_texts(sentences):
        spans = [span for layer in layers for span in _spans(members, layer)]
        yield _json(_row(members[0].text, spans, dialect))


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
    named = after.document is not None and after.document == before.document and after.text == before.text
    predicted = after.document is before.document is None and after.text is before.text  # of one `Document`
    return (
        (named or predicted) and bool(before.offsets and after.offsets) and before.offsets[-1][1] <= after.offsets[0][0]
    )


def _spans(members: Sequence[Sentence], layer: str) -> list[Span]:
    return [span for sentence in members for span in sentence.spans(layer)]


def labels_of(members: Sequence[Sentence]) -> dict[str, str]:
    """Return the labels of a text.

    Raises:
        DataError: Its sentences have different labels.
    """
    found: dict[str, str] = {}
    for sentence in members:
        for name, layer in sentence.layers.items():
            if isinstance(layer, Label) and found.setdefault(name, layer.value) != layer.value:
                raise DataError(
                    f"{place_of(sentence)}: a text must have one label `{name}`, got {found[name]!r} and "
                    f"{layer.value!r} in its sentences; drop it, or write sentences, such as jsonl"
                )
    return found


def _json(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False)


def _row(text: str, spans: Sequence[Span], dialect: Written) -> dict[str, Any]:
    if dialect == "doccano":
        return {"text": text, "label": [[span.start_char, span.end_char, span.type] for span in spans]}
    found = [{"start": span.start_char, "end": span.end_char, "label": span.type} for span in spans]
    return {"text": text, "spans": found}


def _array(rows: Iterable[Any]) -> Iterator[str]:
    """Yield the lines of an array, one for each item."""
    before = "["
    for row in rows:
        yield before
        before = f"{_json(row)},"
    yield before.removesuffix(",") if before != "[" else before
    yield "]"


def _task(members: Sequence[Sentence], layers: Sequence[str]) -> dict[str, Any]:
    """Return a text as a task with one annotation. A single layer is the control tag `label`, others have their names.

    Ids of the results are numbers in the task, as a tool that reads it requires.
    """
    text = members[0].text
    names = [("label" if len(layers) == 1 else layer, span) for layer in layers for span in _spans(members, layer)]
    results = [_region(text, span, name) for name, span in names]
    results += [
        {"from_name": name, "type": "choices", "value": {"choices": [value]}}
        for name, value in labels_of(members).items()
    ]
    numbered = [{"id": f"r{number}", "to_name": "text", **result} for number, result in enumerate(results)]
    return {"data": {"text": text}, "annotations": [{"result": numbered}]}


def _region(text: str, span: Span, name: str) -> dict[str, Any]:
    """Return an entity as a result of an annotation."""
    start, end = span.start_char, span.end_char
    value = {"start": start, "end": end, "text": text[start:end], "labels": [span.type]}
    return {"from_name": name, "type": "labels", "value": value}
