"""The JSON object of a sentence, or of the sentences of one text.

`{"text", "tokens", "tags": {layer: [...]}, "spans": {layer: [...]}, "labels": {layer: {"value", "score"}}}`, and more
where it is needed, such as numbers with their intervals, `"values": {layer: {"values": [...], "low": [...], ...}}`;
`formats/jsonl.py` describes the form and reads it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from tagger.text.sentence import Label, Sentence, Span, TagLayer, Values

RESULTS = (
    "tags",
    "spans",
    "labels",
    "values",
    "tag_scores",
    "sequence_scores",
    "readings",
    "offsets",
)  # keys of a result
TABLES = ("tags", "spans", "labels")  # keys that each result has
PROBABILITIES = ("tag_scores", "sequence_scores")
INPUT = "input"  # has the values of an input record whose keys are keys of a result
SPAN = ("type", "start", "end", "start_char", "end_char", "score", "text")


def record_of(
    text: str,
    sentences: Sequence[Sentence],
    *,
    labels: Mapping[str, Label] | None = None,
    kept: Mapping[str, Any] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the JSON object of a text and its sentences, ready for `json.dumps`.

    Tokens are counted from the start of the text. `sentences` is `[start, end)` of each sentence in tokens, if there
    are several. Probabilities are there if the sentences have them, and `offsets` if they do not follow from tokens and
    text.

    Args:
        text: The text.
        sentences: Its sentences, whose offsets count in it.
        labels: The labels of the whole text; those of a single sentence are labels of the text.
        kept: Other keys to keep. Values of keys that the result has too, and that are not the same, are in `input`.
        meta: The metadata of the text.
    """
    tags = _layers(sentences, TagLayer)
    row: dict[str, Any] = {
        "text": text,
        "tokens": [token for sentence in sentences for token in sentence.tokens],
        "tags": {name: [tag for s in sentences for tag in s.tags(name)] for name in tags},
        "spans": {
            name: [span_to_json(span) for span in spans_of(sentences, name)]
            for name in tags
            if all(sentence.tag_layer(name).scheme is not None for sentence in sentences)
        },
        "labels": _labels(sentences, labels or {}),
        **({"values": values} if (values := _values(sentences)) else {}),
        **_probabilities(sentences, tags),
    }
    if len(sentences) > 1:
        row["sentences"] = list(_ranges(sentences))
    if not implies_offsets(text, sentences):
        row["offsets"] = [list(pair) for sentence in sentences for pair in sentence.offsets]
    if meta:
        row["meta"] = dict(meta)
    if sentences and (document := sentences[0].document) is not None:
        row["document"] = document
    if any(sentence.tag_layer(name).readings for sentence in sentences for name in tags):
        row["readings"] = {name: list(_readings(sentences, name)) for name in tags}
    others = {key: value for key, value in (kept or {}).items() if key not in row}
    hidden = {key: value for key, value in (kept or {}).items() if key in row and value != row[key]}
    if hidden:
        hidden |= {INPUT: others.pop(INPUT)} if INPUT in others else {}
        others[INPUT] = hidden
    return others | row


def is_result(row: Mapping[str, Any]) -> bool:
    """Whether an object is one that `record_of` returns: its keys are those of a result, others are of the input."""
    return isinstance(row.get("tokens"), list) and all(isinstance(row.get(key), dict) for key in TABLES)


def spans_of(sentences: Iterable[Sentence], layer: str) -> Iterator[Span]:
    """Yield the spans of the sentences of one text, with tokens counted from the start of the text."""
    before = 0
    for sentence in sentences:
        for span in sentence.spans(layer):
            yield span.shifted(before) if before else span
        before += len(sentence)


def span_to_json(span: Span) -> dict[str, Any]:
    """Return a span as a JSON object."""
    return {name: getattr(span, name) for name in SPAN}


def implies_offsets(text: str, sentences: Iterable[Sentence]) -> bool:
    """Whether the offsets follow from the tokens and the text: only white space is outside of the tokens."""
    position = 0
    for sentence in sentences:
        for token, (start, end) in zip(sentence.tokens, sentence.offsets, strict=True):
            if start < position or text[position:start].strip() or text[start:end] != token:
                return False
            position = end
    return not text[position:].strip()


def _layers(sentences: Iterable[Sentence], kind: type) -> list[str]:
    """Return the names of the layers of this kind that the sentences have, in their order."""
    return list(dict.fromkeys(name for s in sentences for name, layer in s.layers.items() if isinstance(layer, kind)))


def _labels(sentences: Sequence[Sentence], whole: Mapping[str, Label]) -> dict[str, Any]:
    """Return the label of each layer, or the labels of all sentences where several were labelled one by one."""
    found: dict[str, Any] = {
        name: [_label(sentence.label(name)) for sentence in sentences] for name in _layers(sentences, Label)
    }
    single = {name: labels[0] if len(labels) == 1 else labels for name, labels in found.items()}
    return single | {name: _label(label) for name, label in whole.items()}


def _label(label: Label) -> dict[str, Any]:
    return {"value": label.value, "score": label.score}


def _values(sentences: Sequence[Sentence]) -> dict[str, Any]:
    """Return the numbers of each layer: those of all tokens, or those of each sentence."""
    found: dict[str, Any] = {}
    for name in _layers(sentences, Values):
        layers = [sentence.values(name) for sentence in sentences]
        if not layers[0].whole:
            layers = [_joined(layers)]
        rows = [values_to_json(layer) for layer in layers]
        found[name] = rows[0] if len(rows) == 1 else rows
    return found


def values_to_json(layer: Values) -> dict[str, Any]:
    """Return a layer of numbers as a JSON object, without what it does not have."""
    row = {key: value for key, value in asdict(layer).items() if value is not None and value is not False}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in row.items()}


def _joined(layers: Sequence[Values]) -> Values:
    """Return the numbers of the tokens of several sentences as one layer."""
    low, high = (
        tuple([value for ends in side for value in ends or ()]) if all(ends is not None for ends in side) else None
        for side in ([layer.low for layer in layers], [layer.high for layer in layers])
    )
    return replace(layers[0], values=tuple([v for layer in layers for v in layer.values]), low=low, high=high)


def _probabilities(sentences: Sequence[Sentence], layers: Sequence[str]) -> dict[str, Any]:
    """Return the probabilities of each tag and of all tags of each layer, if they were predicted, with six digits."""
    tags: dict[str, list[float]] = {}
    sequences: dict[str, float] = {}
    for name in layers:
        found = [sentence.tag_layer(name) for sentence in sentences]
        if all(layer.scores is not None for layer in found):
            tags[name] = [_short(score) for layer in found for score in layer.scores or ()]
        if (score := joint_score(found)) is not None:
            sequences[name] = _short(score)
    return {key: value for key, value in (("tag_scores", tags), ("sequence_scores", sequences)) if value}


def joint_score(layers: Iterable[TagLayer]) -> float | None:
    """Return the probability of all tags of sentences that were tagged one by one; None if one has none."""
    product = 1.0
    for number, layer in enumerate(layers, 1):
        if layer.score is None:
            return None
        product = layer.score if number == 1 else product * layer.score
    return product


def _ranges(sentences: Iterable[Sentence]) -> Iterator[list[int]]:
    """Yield start and end of each sentence in tokens."""
    start = 0
    for sentence in sentences:
        yield [start, start + len(sentence)]
        start += len(sentence)


def _readings(sentences: Sequence[Sentence], layer: str) -> Iterator[dict[str, Any]]:
    """Yield the readings of a layer, with the number of their sentence if there are several."""
    for number, sentence in enumerate(sentences):
        for reading in sentence.readings(layer):
            row: dict[str, Any] = {"sentence": number} if len(sentences) > 1 else {}
            row |= {"score": reading.sequence_score(layer), "tags": list(reading.tags(layer))}
            if reading.tag_layer(layer).scheme is not None:
                row["spans"] = [span_to_json(span) for span in reading.spans(layer)]
            yield row


def _short(probability: float) -> float:
    """Return a probability with six digits."""
    return float(f"{probability:.6g}")
