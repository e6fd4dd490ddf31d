"""The probabilities of a prediction in JSON lines, as `tagger tag` writes them, for files that are scored.

`"tag_scores": {layer: [...]}` has one per tag, each span and each label has a `score`, and `"sequence_scores"` has one
per layer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tagger.errors import DataError
from tagger.text.gaps import known_spans
from tagger.text.schemes import Boundary
from tagger.text.sentence import Label, Layer, Sentence, TagLayer, Values
from tagger.wording import shorten

Layers = Mapping[str, Layer]
KEYS = ("labels", "tag_scores", "spans", "sequence_scores")


def with_probabilities(layers: Layers, row: Mapping[str, Any]) -> dict[str, Layer]:
    """Return the layers of a JSON object with their probabilities, where it has them.

    Raises:
        DataError: One is not a number from 0 to 1, or a layer has some but not one for each tag or span.
    """
    tables = {key: value if isinstance(value := row.get(key), dict) else {} for key in KEYS}
    return {
        name: scored_label(name, layer, tables["labels"].get(name))
        if isinstance(layer, Label)
        else layer
        if isinstance(layer, Values)
        else replace(
            layer,
            scores=_scores(name, tables["tag_scores"].get(name), layer.tags),
            scored_spans=_spans(name, tables["spans"].get(name)),
            score=_probability(name, tables["sequence_scores"].get(name)),
        )
        for name, layer in layers.items()
    }


def scored_label(name: str, label: Label, value: Any) -> Label:
    """Return a label with the probability that its JSON value has."""
    score = _probability(name, value.get("score")) if isinstance(value, dict) else None
    return replace(label, score=score)


def settled(sentence: Sentence) -> Sentence:
    """Return the sentence with probabilities of the spans that its tags have in their scheme, if all of them have one.

    While it was read, the scheme was unknown.
    """
    layers = dict(sentence.layers)
    for name, layer in sentence.layers.items():
        if isinstance(layer, TagLayer) and layer.scored_spans is not None:
            scores = dict(layer.scored_spans)
            spans = known_spans(layer.tags, layer.scheme) if layer.scheme is not None else None
            complete = spans is not None and all(span in scores for span in spans)
            found = tuple([(span, scores[span]) for span in spans or ()]) if complete else None
            layers[name] = replace(layer, scored_spans=found)
    return replace(sentence, layers=layers)


def _scores(name: str, value: Any, tags: Sequence[str | None]) -> tuple[float, ...] | None:
    """Return the probability of each tag; an unknown tag needs none, and has 1."""
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != len(tags):
        raise DataError(
            f"`tag_scores.{name}` must have one probability per token, {len(tags)} in all, got {shorten(value)}"
        )
    found = [_probability(name, score) for score in value]
    if not any(score is not None for score in found):
        return None
    if any(score is None and tag is not None for score, tag in zip(found, tags, strict=True)):
        raise DataError(f"`tag_scores.{name}` must have a probability for each tag that is known, got {shorten(value)}")
    return tuple([1.0 if score is None else score for score in found])


def _spans(name: str, value: Any) -> tuple[tuple[Boundary, float], ...] | None:
    """Return the spans with their probabilities; None if they have none, or another form."""
    if not isinstance(value, list) or not all(isinstance(span, dict) for span in value):
        return None
    places = [Boundary(str(span.get("type")), span.get("start"), span.get("end")) for span in value]
    scores = [_probability(name, span.get("score")) for span in value]
    found = tuple([(place, score) for place, score in zip(places, scores, strict=True) if score is not None])
    if found and len(found) < len(value):
        raise DataError(f"each span of `spans.{name}` must have a `score`, or none, got {shorten(value)}")
    return found if len(found) == len(value) else None


def _probability(name: str, value: Any) -> float | None:
    """Return a probability; None if there is none."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise DataError(f"a probability of layer `{name}` must be a number from 0 to 1, got {shorten(value)}")
    return float(value)
