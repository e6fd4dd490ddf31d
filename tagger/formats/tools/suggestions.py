"""Predictions as records that annotation tools import, so that a person can correct them.

- doccano: `{"text", "label": [[start, end, type], ...]}`; for a model without entities the labels of the text;
- Label Studio: tasks, `{"data": {"text"}, "predictions": [{"result": [...], "score"}]}`. The name of a tag in the
  labelling configuration is `label`, or the name of the layer if the model has several; that of the text is `text`;
- Prodigy: `{"text", "tokens", "spans"}`, with `token_end` as the last token of a span, and `label` for a label.

The other keys of a record are kept; in a task of Label Studio they are part of `data`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from tagger.text.document import Document
from tagger.text.sentence import Label, Span, TagLayer

Tool = Literal["doccano", "labelstudio", "prodigy"]


def suggestion_of(document: Document, tool: Tool) -> dict[str, Any]:
    """Return the record of a document with what was predicted for it, for one of the tools."""
    return {"doccano": _doccano, "labelstudio": _label_studio, "prodigy": _prodigy}[tool](document)


def _kept(document: Document, *replaced: str) -> dict[str, Any]:
    """Return id and other keys of the record, apart from those that the result replaces."""
    given = {"id": document.id} if document.id is not None else {}
    own = {**given, **(document.record or {})}
    return {key: value for key, value in own.items() if key not in ("text", *replaced)}


def _doccano(document: Document) -> dict[str, Any]:
    layers = _entity_layers(document)
    spans = sorted((s.start_char, s.end_char, s.type) for layer in layers for s in document.spans(layer))
    values = [label.value for _, label in _labels(document)]
    found: list[Any] = [list(span) for span in spans] if layers else values
    return {**_kept(document, "label", "labels", "data", "entities"), "text": document.text, "label": found}


def _label_studio(document: Document) -> dict[str, Any]:
    record = document.record or {}
    results = list(_results(document))
    scores = [result["score"] for result in results if result.get("score") is not None]
    prediction: dict[str, Any] = {"model_version": "tagger", "result": results}
    if scores:
        prediction["score"] = min(scores)
    if isinstance(record.get("data"), Mapping):
        return {**_kept(document), "predictions": [prediction]}
    return {"data": {**_kept(document, "label", "entities"), "text": document.text}, "predictions": [prediction]}


def _results(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the regions and choices of a prediction."""
    layers = _entity_layers(document)
    for layer in layers:
        for number, span in enumerate(document.spans(layer)):
            value = {"start": span.start_char, "end": span.end_char, "text": span.text, "labels": [span.type]}
            name = layer if len(layers) > 1 else "label"
            yield _result(f"{layer}-{number}", name, "labels", value, span.score)
    for layer, label in _labels(document):
        yield _result(layer, layer, "choices", {"choices": [label.value]}, label.score)


def _result(id: str, name: str, kind: str, value: Mapping[str, Any], score: float | None) -> dict[str, Any]:
    found = {"id": id, "from_name": name, "to_name": "text", "type": kind, "value": dict(value)}
    return found if score is None else {**found, "score": score}


def _prodigy(document: Document) -> dict[str, Any]:
    offsets = [pair for sentence in document.sentences for pair in sentence.offsets]
    text = document.text
    tokens = [
        {"text": text[start:end], "start": start, "end": end, "id": i, "ws": text[end : end + 1].isspace()}
        for i, (start, end) in enumerate(offsets)
    ]
    spans = [_prodigy_span(span) for layer in _entity_layers(document) for span in document.spans(layer)]
    row = {
        **_kept(document, "spans", "tokens", "answer", "label", "labels", "entities"),
        "text": text,
        "tokens": tokens,
        "spans": spans,
    }
    labels = [label.value for _, label in _labels(document)]
    return {**row, "label": labels[0]} if labels else row


def _prodigy_span(span: Span) -> dict[str, Any]:
    found = {"start": span.start_char, "end": span.end_char, "token_start": span.start, "token_end": span.end - 1}
    return {**found, "label": span.type} if span.score is None else {**found, "label": span.type, "score": span.score}


def _entity_layers(document: Document) -> list[str]:
    """Return the layers of entities that the sentences of a document have."""
    layers = (item for sentence in document.sentences for item in sentence.layers.items())
    return list(dict.fromkeys(n for n, layer in layers if isinstance(layer, TagLayer) and layer.scheme is not None))


def _labels(document: Document) -> list[tuple[str, Label]]:
    """Return the labels of a text: of the whole text, or of its only sentence."""
    single = document.sentences[0].layers.items() if len(document.sentences) == 1 else ()
    return [*document.labels.items(), *((name, layer) for name, layer in single if isinstance(layer, Label))]
