"""Texts with character spans as some tools and corpora of their own write them.

- DataTurks: `{"content": ..., "annotation": [{"label": [type], "points": [{"start", "end", "text"}]}]}`, where `end` is
  the last character;
- CLUENER: `{"text": ..., "label": {type: {"words": [[first, last]]}}}`, where the second number is the last character;
- Rasa's JSON: `{"rasa_nlu_data": {"common_examples": [{"text", "intent", "entities": [{"start", "end", "entity"}]}]}}`,
  whose intent is the label `intent`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tagger.errors import DataError
from tagger.formats.tools.annotated import Annotated, Translation, filled, one_class, shown, text_of
from tagger.formats.tools.classes import LAYER, UNLABELLED

OTHER_PARTS = "ignored {} part|parts of the training data that is|are no example|examples of a user"


def is_dataturks(row: Mapping[str, Any]) -> bool:
    """Whether a record is of DataTurks."""
    return isinstance(row.get("content"), str) and "annotation" in row


def translate_dataturks(row: Mapping[str, Any], how: Translation, place: str) -> Iterator[Annotated]:
    """Yield the text of a record, with its spans or its class."""
    text, found = text_of(row, "content"), row.get("annotation")
    others = {key: value for key, value in row.items() if key not in ("content", "annotation")}
    ignored = filled(others, without=("extras", "metadata"))
    if found is None:
        how.tally.count(UNLABELLED.replace("a class", "annotations"), f"at {place}")
    elif isinstance(found, dict):
        label = one_class(found.get("labels"), "labels", how, place)
        if label is not None:
            yield Annotated(text=text, labels={LAYER: label}, others=others, ignored=ignored)
    elif isinstance(found, list):
        spans = [span for annotation in found for span in _points(annotation)]
        yield Annotated(text=text, spans={"annotation": spans}, others=others, ignored=ignored)
    else:
        raise DataError(f"`annotation` must be a list of labels with points, got {shown(found)}")


def _points(annotation: Any) -> Iterator[dict[str, Any]]:
    """Yield the spans of an annotation of DataTurks."""
    match annotation:
        case {"label": [*labels], "points": [*points]} if all(isinstance(point, dict) for point in points):
            for point in points:
                yield {**point, "end": behind(point.get("end")), "labels": labels}
        case _:
            raise DataError(f"an annotation must have `label` and `points`, got {shown(annotation)}")


def behind(last: Any) -> Any:
    """Return the place behind the last character or token; what is no number stays, to be refused as such."""
    return last + 1 if type(last) is int else last


def is_cluener(row: Mapping[str, Any]) -> bool:
    """Whether a record has spans by type and by text."""
    label = row.get("label")
    named = isinstance(row.get("text"), str) and isinstance(label, dict) and bool(label)
    return named and all(isinstance(texts, dict) for texts in label.values()) if isinstance(label, dict) else False


def translate_cluener(row: Mapping[str, Any], how: Translation, place: str) -> Iterator[Annotated]:
    """Yield the text of a record with the spans of its types."""
    text, found = text_of(row, "text"), row.get("label")
    others = {key: value for key, value in row.items() if key not in ("text", "label")}
    if not isinstance(found, dict):
        raise DataError(f"`label` must be an object type → texts → places, got {shown(found)}")
    spans = [
        {"start": first, "end": behind(last), "label": type_, "text": words}
        for type_, texts in found.items()
        for words, first, last in _places(texts)
    ]
    yield Annotated(text=text, spans={"label": spans}, others=others, ignored=filled(others, without=()))


def _places(texts: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the words and the first and last character of each span of a type."""
    for words, places in texts.items() if isinstance(texts, dict) else [("", texts)]:
        for place in places if isinstance(places, list) else [places]:
            if not isinstance(place, list) or len(place) != 2:
                raise DataError(f"`label` must be an object type → texts → [[first, last]], got {shown(place)}")
            yield words, *place


def is_rasa(row: Mapping[str, Any]) -> bool:
    """Whether an object is Rasa's training data."""
    return isinstance(row.get("rasa_nlu_data"), dict)


def translate_rasa(row: Mapping[str, Any], how: Translation, place: str) -> Iterator[Annotated]:
    """Yield the text of each example, with its entities and its intent."""
    data = row.get("rasa_nlu_data")
    examples = data.get("common_examples") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(examples, list):
        raise DataError(f"`rasa_nlu_data` must have a list `common_examples`, got {shown(data)}")
    for key in filled(data, without=("common_examples",)):
        how.tally.count(OTHER_PARTS, f"`{key}` at {place}")
    for number, example in enumerate(examples, 1):
        if not isinstance(example, dict):
            raise DataError(f"example {number} must be an object with a text, got {shown(example)}")
        yield _example(example, how, f"{place}: example {number}")


def _example(row: Mapping[str, Any], how: Translation, place: str) -> Annotated:
    """Return the text of an example."""
    entities = row.get("entities") or []
    if not isinstance(entities, list) or not all(isinstance(entity, dict) for entity in entities):
        raise DataError(f"`entities` must be a list of objects, got {shown(entities)}")
    spans = [{"start": e.get("start"), "end": e.get("end"), "label": e.get("entity")} for e in entities]
    others = {key: value for key, value in row.items() if key not in ("text", "intent", "entities")}
    intent = None if row.get("intent") is None else one_class([row["intent"]], "intent", how, place)
    return Annotated(
        text=text_of(row, "text"),
        spans={"entities": spans},
        labels={} if intent is None else {"intent": intent},
        others=others,
        whole=True,
        ignored=filled(others, without=()),
    )
