"""The form of a saved report: whatever is edited in it, it is read or refused in one sentence that says where."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tagger.analysis.knowledge import knowledge_of
from tagger.errors import DataError
from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ClassLayer
from tagger.reporting.report import Report, load_report, signature_of
from tagger.reporting.saved_form import fault_of
from tagger.reporting.sections import Context
from tagger.text.schemes import Boundary
from tagger.text.sentence import Label, Origin, Sentence, TagLayer, Unaligned

OTHERS = [None, True, -1, 10**30, 0.5, float("nan"), float("inf"), "", "x", "B-x", [], {}, [1], [[1]], {"a": 1}]


def make_values() -> dict[str, Any]:
    tags = TagLayer(("B-PER", "O"), "iob2", scored_spans=((Boundary("PER", 0, 1), 0.75),))
    gold = TagLayer(("B-PER", "B-LOC"), "iob2", unaligned=(Unaligned("LOC", 0, 2),))
    place = Origin("test.conll", (1, 2))
    sides = [
        Sentence(("Ann", "b"), "Ann  b", ((0, 3), (5, 6)), layers, {"sent_id": "1"}, "d", place)
        for layers in ({"ner": gold, "mood": Label("good")}, {"ner": tags, "mood": Label("bad", 0.5, {"bad": 0.5})})
    ]
    layers = {
        "ner": EntityLayer("ner", (sides[0],), (sides[1],), "iob2"),
        "mood": ClassLayer("mood", (sides[0],), (sides[1],)),
    }
    report = Report(
        layers, signature_of(layers, seed=1), {"notes": []}, Context(("sent_id",), train=knowledge_of(sides))
    )
    values: dict[str, Any] = json.loads(json.dumps(report.to_dict(sentences=True)))
    return values


def places(values: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield place
    for key, value in (
        values.items() if isinstance(values, dict) else enumerate(values if isinstance(values, list) else ())
    ):
        yield from places(value, (*place, key))


def changed(values: Any, place: tuple[str | int, ...], other: Any) -> Any:
    """A copy with another value at a place; without the place if the value is `...`."""
    values = copy.deepcopy(values)
    inner = values
    for key in place[:-1]:
        inner = inner[key]
    if other is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = other
    return values


EDITED = {
    ("sentences", 0, "layers", "ner", "predicted", "tags", 0): ("O", "`spans` must be those of the tags"),
    ("sentences", 0, "layers", "ner", "predicted", "tags", 1): (..., "`tags` must be one per token, 2 in all, got 1"),
    ("sentences", 0, "layers", "ner", "gold"): ({"value": "x"}, "`sentences.0.layers.ner` must have entities"),
    ("sentences", 0, "layers", "ner", "gold", "scheme"): ("x", "sentences.0.layers.ner.gold.scheme`: must be"),
    ("sentences", 0, "layers", "mood", "predicted", "scores", "bad"): (-1, "greater than or equal to 0"),
    ("sentences", 0, "tokens", 1): (..., "must be one"),
    ("sentences", 0, "offsets", 1): ([2, 9], "`offsets` must be in order and within the text, got [2, 9]"),
    ("sentences", 0, "origin"): ([], "`origin` must be a file and its lines"),
    ("sentences", 0, "note"): ("x", "`sentences.0.note`: Extra inputs are not permitted"),
    ("signature", "layers", "ner"): (..., "`signature.layers` must have kind and scheme of `ner`"),
    ("signature", "colour"): ("x", "`signature.colour`"),
    ("context", "by"): (1, "`context.by`: must be a list"),
}


@pytest.mark.parametrize("place", EDITED)
def test_an_edited_report_is_refused_and_the_error_names_the_place(
    tmp_path: Path, place: tuple[str | int, ...]
) -> None:
    other, expected = EDITED[place]
    values, path = changed(make_values(), place, other), tmp_path / "report.json"
    path.write_text(json.dumps(values), "utf-8")
    with pytest.raises(DataError) as error:
        load_report(path)
    assert str(error.value).startswith(f"{path}: the report is damaged or of another version: ")
    assert expected in str(error.value)


def test_a_report_with_a_number_that_json_does_not_have_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps({**make_values(), "seconds": float("nan")}), "utf-8")
    with pytest.raises(DataError, match="cannot be read: NaN is not a number of JSON"):
        load_report(path)


def test_whatever_is_edited_in_a_report_that_is_read_can_be_written(tmp_path: Path) -> None:
    values, path, chance = make_values(), tmp_path / "report.json", random.Random(1)
    assert fault_of(values) is None
    read = 0
    for place in [place for place in places(values) if place and (place[0] != "scores" or len(place) == 1)]:
        for other in (..., *chance.sample(OTHERS, 3)):
            path.write_text(json.dumps(changed(values, place, other)), "utf-8")
            try:
                report = load_report(path)
            except DataError:
                continue
            read += 1
            report.to_text(details=True), report.to_html(), json.dumps(report.to_dict(sentences=True), allow_nan=False)
    assert read >= 20
