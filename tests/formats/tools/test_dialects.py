"""Each dialect of annotation tools: recognised by its keys, and read into text, entities, classes and other keys."""

import json
from contextlib import suppress
from typing import Any

import pytest
from readers import parse

from tagger.errors import DataError
from tagger.formats.tally import Tally
from tagger.formats.tools.reading import dialect_name
from tagger.text.sentence import Sentence, TagLayer

TEXT = "Ida Berg rows to Selm."


def task(*annotations: Any, **more: Any) -> dict[str, Any]:
    return {"id": 5, "data": {"text": TEXT, "page": 3}, "annotations": list(annotations), "predictions": [], **more}


def region(start: int, end: int, type_: str, name: str = "label") -> dict[str, Any]:
    value = {"start": start, "end": end, "text": TEXT[start:end], "labels": [type_]}
    return {"value": value, "from_name": name, "to_name": "text", "type": "labels"}


def choice(value: str, name: str = "mood") -> dict[str, Any]:
    return {"value": {"choices": [value]}, "from_name": name, "to_name": "text", "type": "choices"}


TASK = task({"result": [region(0, 8, "PER"), region(17, 21, "LOC")], "was_cancelled": False})
SPACY_2 = {
    "id": 4,
    "paragraphs": [
        {"sentences": [{"tokens": [{"orth": "Ida", "ner": "B-PER"}, {"orth": "Berg", "ner": "L-PER"}]}]},
        {"sentences": [{"tokens": [{"orth": "Selm", "ner": "U-LOC", "tag": "NNP"}]}], "cats": []},
    ],
}

# The items of a file, what a note calls it, and of each sentence its text, entities and classes.
Found = list[tuple[str, list[tuple[str, str]], dict[str, str]]]
FULL: Found = [(TEXT, [("Ida Berg", "PER"), ("Selm", "LOC")], {})]
DIALECTS: dict[str, tuple[list[Any], str, Found]] = {
    "Label Studio": ([TASK], "Label Studio", FULL),
    "Label Studio, choices": (
        [task({"result": [choice("calm")]})],
        "Label Studio",
        [(TEXT, [], {"mood": "calm"})],
    ),
    "Label Studio, both": (
        [task({"result": [choice("calm"), region(0, 8, "PER")]})],
        "Label Studio",
        [(TEXT, [("Ida Berg", "PER")], {"mood": "calm"})],
    ),
    "Label Studio, of long ago": (
        [{"data": {"essay": TEXT}, "completions": [{"result": [region(17, 21, "LOC")]}]}],
        "Label Studio",
        [(TEXT, [("Selm", "LOC")], {})],
    ),
    "DataTurks": (
        [
            {"content": TEXT, "annotation": [{"label": ["LOC"], "points": [{"start": 17, "end": 20, "text": "Selm"}]}]},
            {"content": "It is cold.", "annotation": [], "extras": None},
        ],
        "DataTurks",
        [(TEXT, [("Selm", "LOC")], {}), ("It is cold.", [], {})],
    ),
    "DataTurks, classes": (
        [{"content": "It is cold.", "annotation": {"labels": ["weather"]}}],
        "DataTurks",
        [("It is cold.", [], {"label": "weather"})],
    ),
    "CLUENER": (
        [{"text": TEXT, "label": {"name": {"Ida Berg": [[0, 7]]}, "place": {"Selm": [[17, 20]]}}}],
        "CLUENER",
        [(TEXT, [("Ida Berg", "name"), ("Selm", "place")], {})],
    ),
    "GLiNER": (
        [{"tokenized_text": ["Ida", "Berg", "rows"], "ner": [[0, 1, "PER"]]}, {"tokenized_text": ["ok"], "ner": []}],
        "GLiNER",
        [("Ida Berg rows", [("Ida Berg", "PER")], {}), ("ok", [], {})],
    ),
    "SpERT": (
        [{"tokens": ["in", "Selm"], "entities": [{"type": "LOC", "start": 1, "end": 2}], "relations": []}],
        "SpERT",
        [("in Selm", [("Selm", "LOC")], {})],
    ),
    "DyGIE": (
        [{"doc_key": "d", "sentences": [["Ida", "rows"], ["to", "Selm"]], "ner": [[[0, 0, "PER"]], [[3, 3, "LOC"]]]}],
        "DyGIE",
        [("Ida rows", [("Ida", "PER")], {}), ("to Selm", [("Selm", "LOC")], {})],
    ),
    "spaCy 2": ([SPACY_2], "spaCy 2", [("Ida Berg", [("Ida Berg", "PER")], {}), ("Selm", [("Selm", "LOC")], {})]),
    "spaCy, cats": (
        [{"text": "It is cold.", "cats": {"weather": 1.0, "food": 0.0}}],
        "spaCy's cats",
        [("It is cold.", [], {"label": "weather"})],
    ),
    "spaCy, spans and cats": (
        [{"text": TEXT, "spans": [[17, 21, "LOC"]], "cats": {"trip": True, "food": False}}],
        "character spans",
        [(TEXT, [("Selm", "LOC")], {"label": "trip"})],
    ),
    "doccano, intents and slots": (
        [{"text": TEXT, "cats": ["trip"], "entities": [[17, 21, "LOC"]]}],
        "character spans",
        [(TEXT, [("Selm", "LOC")], {"label": "trip"})],
    ),
    "Prodigy, choices": (
        [{"text": "It is cold.", "options": [{"id": "a"}, {"id": "b"}], "accept": ["b"], "answer": "accept"}],
        "Prodigy's choices",
        [("It is cold.", [], {"label": "b"})],
    ),
    "doccano, classes": (
        [{"id": 1, "text": "It is cold.", "label": ["weather"]}, {"id": 2, "text": "Brr", "label": ["weather"]}],
        "doccano's classes",
        [("It is cold.", [], {"label": "weather"}), ("Brr", [], {"label": "weather"})],
    ),
    "doccano of long ago": (
        [{"text": TEXT, "annotations": [{"label": 3, "start_offset": 17, "end_offset": 21, "user": 1}]}],
        "character spans",
        [(TEXT, [("Selm", "label3")], {})],
    ),
    "Rasa": (
        [
            {
                "rasa_nlu_data": {
                    "common_examples": [
                        {"text": "row to Selm", "intent": "go", "entities": [{"start": 7, "end": 11, "entity": "to"}]},
                        {"text": "stop", "intent": "halt"},
                    ],
                    "lookup_tables": [],
                }
            }
        ],
        "Rasa",
        [("row to Selm", [("Selm", "to")], {"intent": "go"}), ("stop", [], {"intent": "halt"})],
    ),
}


def lines_of(items: list[Any], form: str) -> list[str]:
    if form == "lines":
        return [json.dumps(item) for item in items]
    return json.dumps(items[0] if form == "object" else items, indent=2).split("\n")


def read(*items: Any, tally: Tally | None = None, **settings: Any) -> list[Sentence]:
    return parse("jsonl", lines_of(list(items), "lines"), where="f", tally=tally, **settings)


def shown(sentence: Sentence, layer: str = "ner") -> tuple[str, list[tuple[str, str]], dict[str, str]]:
    labels = {name: sentence.label(name).value for name, value in sentence.layers.items() if not _is_tags(value)}
    spans: list[tuple[str, str]] = []
    if layer in sentence.layers:
        tagged = Sentence(sentence.tokens, sentence.text, sentence.offsets, {layer: _iob2(sentence, layer)})
        spans = [(sentence.text[s.start_char : s.end_char], s.type) for s in tagged.spans(layer)]
    return sentence.text, spans, labels


def _is_tags(value: Any) -> bool:
    return isinstance(value, TagLayer)


def _iob2(sentence: Sentence, layer: str) -> TagLayer:
    return TagLayer(sentence.tag_layer(layer).tags, "iob2")


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("form", ["lines", "array", "object"])
def test_a_dialect_is_recognised_and_read(name: str, form: str) -> None:
    items, known_as, expected = DIALECTS[name]
    if form == "object" and len(items) > 1:
        return
    lines = lines_of(items, form)
    assert dialect_name(lines) == known_as
    assert [shown(sentence) for sentence in parse("jsonl", lines, where="f")] == expected


@pytest.mark.parametrize("name", DIALECTS)
def test_a_wrong_type_at_any_place_is_read_or_an_error_of_the_data(name: str) -> None:
    items, _, _ = DIALECTS[name]
    for place in _places(items[0]):
        for value in (None, 5, "x", [], {}, [[]], [None], {"a": None}, True):
            changed = json.loads(json.dumps(items[0]))
            _set(changed, place, value)
            with suppress(DataError):
                read(items[0], changed)


def _places(value: Any) -> list[tuple[Any, ...]]:
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in ((key,), *((key, *rest) for rest in _places(value[key])))]


def _set(value: Any, place: tuple[Any, ...], new: Any) -> None:
    for key in place[:-1]:
        value = value[key]
    value[place[-1]] = new


def test_the_first_completed_annotation_is_read_and_said() -> None:
    tally = Tally()
    cancelled = {"result": [region(0, 3, "X")], "was_cancelled": True}
    first, second = {"result": [region(0, 8, "PER")]}, {"result": [region(17, 21, "LOC")]}
    (sentence,) = read(task(cancelled, first, second), task(cancelled), task(), tally=tally)
    assert shown(sentence)[1] == [("Ida Berg", "PER")]
    assert tally.counts == {
        "read the first annotation of {} text|texts with several": 1,
        "skipped {} text|texts without a completed annotation": 2,
    }


def test_predictions_are_no_gold() -> None:
    tally = Tally()
    (sentence,) = read(task({"result": []}, predictions=[{"result": [region(0, 8, "PER")]}]), tally=tally)
    assert shown(sentence)[1] == []
    assert tally.counts == {"ignored the predictions of {} text|texts": 1}


def test_several_control_tags_are_layers_of_their_names() -> None:
    results = [region(0, 8, "PER", "who"), region(17, 21, "LOC", "where")]
    first, second = read(task({"result": results}), task({"result": []}))
    assert shown(first, "who")[1] == [("Ida Berg", "PER")]
    assert shown(first, "where")[1] == [("Selm", "LOC")]
    assert [*second.layers] == ["who", "where"]
    (named,) = read(task({"result": results}), layers={"ner": "where"})
    assert ([*named.layers], shown(named)[1]) == (["ner"], [("Selm", "LOC")])


def test_other_keys_of_a_record_stay_with_its_sentences() -> None:
    (sentence,) = read(TASK)
    assert sentence.record == {"id": 5, "data": {"page": 3}}
    first, second = read({"id": "a", "text": "One. Two.", "label": [[0, 3, "N"]], "meta": {"x": 1}, "Comments": []})
    assert first.record == second.record == {"id": "a", "meta": {"x": 1}, "Comments": []}


def test_a_label_that_is_a_number_is_named_and_may_be_renamed() -> None:
    tally = Tally()
    items, _, _ = DIALECTS["doccano of long ago"]
    read(*items, tally=tally)
    assert any("labelN" in note and "rename" in note for note in tally.notes())


@pytest.mark.parametrize(
    "item",
    [
        {"text": "It is cold.", "label": ["a", "b"]},
        {"text": "It is cold.", "cats": {"a": 1, "b": 1}},
        {"text": "It is cold.", "options": [{"id": "a"}], "accept": ["a", "b"]},
        task({"result": [{**choice("a"), "value": {"choices": ["a", "b"]}}]}),
    ],
)
def test_several_classes_of_a_text_are_an_error_with_the_way(item: Any) -> None:
    with pytest.raises(DataError, match=r"a text must have one label, got 2, `a`, `b`; keep one, or choose several ="):
        read(item)


@pytest.mark.parametrize(
    "item",
    [
        {"text": "It is cold.", "cats": {}},
        {"text": "It is cold.", "options": [{"id": "a"}], "accept": []},
        {"content": "It is cold.", "annotation": None},
    ],
)
def test_a_text_without_a_class_is_skipped_and_counted(item: Any) -> None:
    good = {**item, "cats": {"x": 1}} if "cats" in item else {**item, "accept": ["a"]}
    good = {"content": "Ok", "annotation": {"labels": ["x"]}} if "content" in item else good
    tally = Tally()
    assert len(read(good, item, tally=tally)) == 1
    assert any(note.startswith("skipped 1 text without") for note in tally.notes())


def test_a_blank_text_is_skipped_and_counted() -> None:
    tally = Tally()
    (sentence,) = read({"text": TEXT, "label": [], "tokens": None}, {"text": " \n", "label": []}, tally=tally)
    assert sentence.text == TEXT
    assert tally.notes() == ["skipped 1 blank text, the first at f:2"]
