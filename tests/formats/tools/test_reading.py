"""JSON of texts with character spans: every dialect is read and written, and what does not fit is told."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import readers
from hypothesis import given
from hypothesis import strategies as st

from tagger.config import ReadingConfig
from tagger.corpus.corpus import load_corpus
from tagger.errors import DataError
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.tally import Tally
from tagger.formats.tools.reading import holds_texts, read_texts
from tagger.formats.tools.writing import Written, spanned_lines
from tagger.text.sentence import Label, Sentence, TagLayer
from tagger.text.tokenization import sentence_from_text, split_sentences

EU = "EU rejects German call."
TOKENS = '{"tokens": ["Oslo"], "ner_tags": ["B-LOC"]}'
ORG, MISC = (0, 2, "ORG"), (11, 17, "MISC")
SPAN = "f:2: a span must have a start and an end in characters and a type, got "
DROP = '; fix it, or choose misaligned = "drop"'
EXPAND = DROP + ' or "expand"'
DIALECTS: dict[str, Any] = {
    "doccano": {"id": 1, "text": EU, "label": [list(ORG), list(MISC)], "Comments": []},
    "doccano, older": {"id": 1, "data": EU, "labels": [list(ORG), list(MISC)]},
    "doccano with relations": {
        "id": 1,
        "text": EU,
        "entities": [
            {"id": 7, "label": "ORG", "start_offset": 0, "end_offset": 2},
            {"id": 8, "label": "MISC", "start_offset": 11, "end_offset": 17},
        ],
        "relations": [{"id": 1, "from_id": 7, "to_id": 8, "type": "rejects"}],
    },
    "Label Studio": {
        "id": 3,
        "text": EU,
        "label": [
            {"start": 0, "end": 2, "text": "EU", "labels": ["ORG"]},
            {"start": 11, "end": 17, "text": "German", "labels": ["MISC"]},
        ],
        "annotator": 1,
        "annotation_id": 4,
        "created_at": "2024-01-01T00:00:00Z",
        "updated_at": "2024-01-01T00:00:00Z",
        "lead_time": 5.5,
    },
    "Label Studio under other keys": {
        "review": EU,
        "source": "a newspaper",
        "entity": [
            {"start": 0, "end": 2, "text": "EU", "labels": ["ORG"]},
            {"start": 11, "end": 17, "text": "German", "labels": ["MISC"]},
        ],
    },
    "spaCy, spans": {"text": EU, "spans": [{"start": s, "end": e, "label": t} for s, e, t in (ORG, MISC)]},
    "spaCy, entities": {"text": EU, "entities": [list(ORG), list(MISC)]},
    "spaCy, training tuple": [EU, {"entities": [list(ORG), list(MISC)]}],
    "Prodigy": {
        "text": EU,
        "tokens": [
            {"text": EU[start:end], "start": start, "end": end, "id": i, "ws": i < 3}
            for i, (start, end) in enumerate([(0, 2), (3, 10), (11, 17), (18, 22), (22, 23)])
        ],
        "spans": [
            {"start": 0, "end": 2, "token_start": 0, "token_end": 0, "label": "ORG"},
            {"start": 11, "end": 17, "token_start": 2, "token_end": 2, "label": "MISC"},
        ],
        "answer": "accept",
        "_input_hash": 5,
    },
}


def parse(*items: Any, tally: Tally | None = None, **settings: Any) -> list[Sentence]:
    lines = [item if isinstance(item, str) else json.dumps(item) for item in items]
    source, faults = Source("f", lambda: lines), Faults()
    sentences = list(read_texts(source, ReadingConfig(format="jsonl", **settings), tally or Tally(), faults))
    faults.close()
    return sentences


def done(tally: Tally) -> list[str]:
    """The notes but for those of keys that were ignored."""
    tally.unread.clear()
    return tally.notes()


def error_of(*items: Any, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        parse(*items, **settings)
    return str(caught.value)


def entities(sentences: list[Sentence], layer: str = "ner") -> list[tuple[int, int, str]]:
    """The spans of sentences whose tags are IOB2, as characters."""
    found = (spans for s in with_schemes(sentences, layer) for spans in s.spans(layer))
    return [(span.start_char, span.end_char, span.type) for span in found]


def with_schemes(sentences: list[Sentence], layer: str = "ner") -> list[Sentence]:
    return [
        Sentence(s.tokens, s.text, s.offsets, {layer: TagLayer(s.tags(layer), "iob2")}, s.meta, s.document)
        for s in sentences
    ]


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("form", ["lines", "array", "array on one line"])
def test_each_dialect_is_read_as_lines_and_as_an_array(name: str, form: str) -> None:
    items = [DIALECTS[name]] * 2
    text = "\n".join(map(json.dumps, items)) if form == "lines" else json.dumps(items, indent=2)
    lines = [json.dumps(items)] if form == "array on one line" else text.split("\n")
    assert holds_texts(lines)
    sentences = parse(*lines)
    assert [sentence.tags("ner") for sentence in sentences] == [("B-ORG", "O", "B-MISC", "O", "O")] * 2
    assert [sentence.text for sentence in sentences] == [EU, EU]
    assert [sentence.document for sentence in sentences] == [None, None]


def test_lines_of_items_are_remembered() -> None:
    item = DIALECTS["doccano"]
    of_lines = parse(item, "", item)
    of_array = parse("[", json.dumps(item) + ",", "", json.dumps(item), "]")
    assert [s.origin.at(0) for s in of_lines if s.origin] == ["f:1", "f:3"]
    assert [s.origin.at(0) for s in of_array if s.origin] == ["f:2", "f:4"]


@pytest.mark.parametrize(
    "row",
    [
        {"tokens": ["a"], "tags": {"ner": ["O"]}, "spans": {"ner": []}, "labels": {}},
        {"tokens": ["a"], "ner_tags": ["O"]},
        {"text": "a"},
        {"text": "a", "label": "good"},
        {"text": "a", "labels": {"mood": "good"}},
    ],
)
def test_sentences_of_tokens_and_bare_texts_hold_no_spans(row: Any) -> None:
    assert not holds_texts([json.dumps(row)])


@pytest.mark.parametrize("row", [{"text": "a", "label": []}, {"data": "a", "labels": []}, {"text": "a", "spans": []}])
def test_text_without_an_entity_holds_texts(row: Any) -> None:
    assert holds_texts(["", "no JSON", "5", json.dumps(row)])
    assert parse(row)[0].tags("ner") == ("O",)


def test_text_that_was_not_labelled_has_no_entities_and_is_counted() -> None:
    tally = Tally()
    first, second = parse(DIALECTS["Label Studio"], {"text": "Nothing here", "id": 2}, tally=tally)
    assert "B-ORG" in first.tags("ner")
    assert second.tags("ner") == ("O", "O")
    assert done(tally) == ["read 1 text without a list of spans as having no entities, the first at f:2"]


@pytest.mark.parametrize("answer", ["reject", "ignore"])
def test_examples_that_were_refused_are_left_out_and_counted(answer: str) -> None:
    tally = Tally()
    item = DIALECTS["Prodigy"]
    assert len(parse(item, {**item, "answer": answer}, tally=tally)) == 1
    assert done(tally) == [f'skipped 1 text that was not accepted, the first "{answer}" at f:2']


def prodigy(text: str, *offsets: tuple[int, int], **more: Any) -> dict[str, Any]:
    tokens = [{"text": text[a:b], "start": a, "end": b, "id": i} for i, (a, b) in enumerate(offsets)]
    return {"text": text, "tokens": tokens, "spans": [], **more}


def test_tokens_that_say_where_they_stand_are_those_of_their_text() -> None:
    text = "Ada-Mae can't.\nShe can."
    item = prodigy(text, (0, 3), (3, 7), (8, 14), (14, 15), (15, 18), (19, 23), spans=[{**SHE, "label": "PER"}])
    first, second = parse(item)
    assert (first.tokens, second.tokens) == (("Ada", "-Mae", "can't."), ("She", "can."))
    assert (first.tags("ner"), second.tags("ner")) == (("O", "O", "O"), ("B-PER", "O"))
    assert first.text == second.text == text
    assert second.offsets == ((15, 18), (19, 23))
    tally = Tally()
    parse({**item, "answer": "accept"}, tally=tally)
    assert tally.notes() == []


SHE = {"start": 15, "end": 18}


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        (prodigy("Ada ran", (0, 3), (4, 8)), "each of `tokens` must have `start` and"),
        (prodigy("Ada ran", (0, 3), (2, 7)), "each of `tokens` must have `start` and"),
        (prodigy("Ada ran", (4, 7)), "each of `tokens` must have `start` and"),
        ({**prodigy("Ada ran", (0, 3), (4, 7)), "text": "Ada RAN"}, "each of `tokens` must have `start` and"),
        (prodigy("Ada ran", (0, 3)), "`tokens` must cover all words of the text, got none for ' ran'; fix them"),
        ({"text": "Ada", "tokens": [{"text": "Ada"}], "spans": []}, "each of `tokens` must have `start` and"),
        (
            {"text": "Ada", "tokens": [{"start": 0, "end": 3}, "x"], "spans": []},
            "each of `tokens` must have `start` and",
        ),
    ],
)
def test_tokens_that_are_not_those_of_the_text_are_reported(item: Any, sentence: str) -> None:
    assert error_of(item).startswith(f"f:1: {sentence}")


@pytest.mark.parametrize(
    "lines", [['[{"tokens": ["Oslo"], "ner_tags": ["B-LOC"]}]'], ['{"text": "a", "label": []}', TOKENS]]
)
def test_sentence_of_tokens_among_texts_is_reported_what_to_do(lines: list[str]) -> None:
    assert (
        "got a sentence of tokens; put sentences of tokens into a file of their own, one object per line"
        in error_of(*lines)
    )


def test_layer_of_spans_may_be_named() -> None:
    assert parse(DIALECTS["doccano"], layer="news")[0].tags("news")[0] == "B-ORG"


def test_several_lists_of_spans_and_classes_are_read_as_named() -> None:
    first = {"text": EU, "a": [[0, 2, "X"]], "b": [[0, 23, "Y"]], "cats": ["play"], "mood": "good"}
    second = {"text": "One. Two.", "a": [], "cats": [], "mood": None}
    names = {"one": "a", "two": "b", "intent": "cats", "mood": "mood"}
    sentences = parse(first, second, layers=names)
    assert sentences[0].tags("one") == ("B-X", "O", "O", "O", "O")
    assert sentences[0].tags("two") == ("B-Y", "I-Y", "I-Y", "I-Y", "I-Y")
    assert (sentences[0].label("intent"), sentences[0].label("mood")) == (Label("play"), Label("good"))
    assert [set(s.layers) for s in sentences[1:]] == [{"one", "two"}] * 2
    assert error_of(first).startswith("f:1: must have one list of spans, got `a` and `b`; name what to read: layers =")


def test_text_with_a_label_stays_one_sentence() -> None:
    item = {"text": "One. Two.", "entities": [[0, 3, "N"]], "cats": ["count"]}
    assert len(parse({**item, "cats": []})) == 2
    for layer, settings in {"label": {}, "intent": {"layer": "ner", "layers": {"intent": "cats"}}}.items():
        (whole,) = parse(item, **settings)
        assert (len(whole), whole.label(layer).value, whole.tags("ner")[0]) == (4, "count", "B-N")


def test_text_of_several_sentences_is_a_document() -> None:
    item = {"text": "Ada came. Bob left.\n\nCy", "label": [[0, 3, "P"], [10, 13, "P"], [21, 23, "P"]]}
    sentences = parse(item, {"text": "Dee", "label": [[0, 3, "P"]]})
    assert [s.tokens[0] for s in sentences] == ["Ada", "Bob", "Cy", "Dee"]
    assert [s.document for s in sentences] == ["1", "1", "1", "2"]
    assert [s.tags("ner")[0] for s in sentences] == ["B-P"] * 4
    assert [s.offsets[0] for s in sentences] == [(0, 3), (10, 13), (21, 23), (0, 3)]
    assert {s.text for s in sentences[:3]} == {item["text"]}


def test_text_that_is_tokenised_already_has_its_sentences_on_lines() -> None:
    item = {"text": "Mr . X came .\n \nBob-Y left .", "label": [[0, 6, "P"], [16, 21, "P"]]}
    sentences = parse(item, tokenize="blanks")
    assert [s.tags("ner") for s in sentences] == [("B-P", "I-P", "I-P", "O", "O"), ("B-P", "O", "O")]
    assert error_of({"text": "a\nb", "label": [[0, 3, "P"]]}, tokenize="blanks").startswith(
        "f:1: an entity must lie in one sentence"
    )


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ("plain", "f:2: must be a JSON object, got 'plain' (Expecting value)"),
        (5, "f:2: must be an object with a text and its spans, got '5'"),
        ([EU], f"f:2: must be an object with a text and its spans, got '[\"{EU}\"]'"),
        ({"label": []}, "f:2: must have a text under `text`, got the keys `label`"),
        ({"text": 5, "label": []}, "f:2: must have a text under `text`, got '5'"),
        ({"text": "a", "label": ["X"]}, "f:2: `label` must be a list of [start, end, type], got '[\"X\"]'"),
        ({"text": "a", "label": "X"}, "f:2: `label` must be a list of [start, end, type], got '\"X\"'"),
        ({"text": "a", "label": [[0, 1, "X"], [0, 1]]}, SPAN + "'[0, 1]'"),
        ({"text": "a", "label": [[0, 1, "X"], [0, 1.0, "X"]]}, SPAN + "'[0, 1.0, \"X\"]'"),
        ({"text": "a", "label": [[0, 1, ""]]}, SPAN + "'[0, 1, \"\"]'"),
        (
            {"text": "a", "label": [{"start": 0, "end": 1, "labels": []}]},
            SPAN + '\'{"start": 0, "end": 1, "labels": []}\'',
        ),
        (
            {"text": "a", "spans": [{"start": "/p[1]", "end": "/p[1]", "label": "X"}]},
            SPAN + '\'{"start": "/p[1]", "end": "/p[1]", "label": "X"}\'',
        ),
        ('{"text": "a", "text": "b", "label": []}', "f:2: must have each key once, got 'text' twice"),
        ('{"text": "\\ud83d", "label": []}', "f:2: must be Unicode text, got half a surrogate pair ('\\ud83d')"),
        (
            {"text": "Berlin", "label": [[0, 3, "LOC"]]},
            "f:2: an entity must begin and end with a token, got 'Ber' (LOC, characters 0 to 3) in 'Berlin'" + EXPAND,
        ),
        (
            {"text": "Yahoo! Inc", "label": [[0, 10, "ORG"]]},
            "f:2: an entity must lie in one sentence, got 'Yahoo! Inc' (ORG, characters 0 to 10) behind '!'" + EXPAND,
        ),
        (
            {"text": "a", "label": [[0, 3, "X"]]},
            "f:2: an entity must lie inside its text, got 'a' (X, characters 0 to 3)" + DROP,
        ),
        (
            {"text": "a b", "label": [[1, 2, "X"]]},
            "f:2: an entity must have a character that is not white space, got ' ' (X, characters 1 to 2)" + DROP,
        ),
        (
            {"text": "a b c", "label": [[0, 3, "X"], [2, 5, "Y"]]},
            "f:2: an entity must not overlap another, got 'b c' (Y, characters 2 to 5) "
            "with 'a b' (X, characters 0 to 3)" + DROP,
        ),
        (
            {"text": "a b", "label": [[0, 3, "X"], [2, 3, "Y"]]},
            "f:2: an entity must not lie inside another, got 'b' (Y, characters 2 to 3) "
            'with \'a b\' (X, characters 0 to 3); fix it, or choose nested = "outermost" or "innermost" or "layers"',
        ),
        (
            {"text": "👍 Ada", "label": [{"start": 3, "end": 6, "text": "Ada", "labels": ["P"]}]},
            "f:2: an entity must lie inside its text, got 'da' (P, characters 3 to 6, as 'Ada'); ",
        ),
        (
            {"text": "👍 Ada.", "label": [{"start": 3, "end": 6, "text": "Ada", "labels": ["P"]}]},
            "f:2: an entity must have the text that was annotated, got 'da.' (P, characters 3 to 6, as 'Ada')" + DROP,
        ),
    ],
)
def test_each_bad_item_gets_one_sentence(item: Any, sentence: str) -> None:
    assert error_of({"text": "fine", "label": []}, item).startswith(sentence)


def test_all_bad_entities_are_reported_together() -> None:
    lines = error_of(*[{"text": "Berlin", "label": [[0, 3, "A"], [1, 3, "B"]]}] * 6).splitlines()
    assert lines[-2] == "... and 2 more such problems"
    assert (
        lines[-1]
        == 'to read the file as it is, set misaligned = "drop" and nested = "outermost" or "innermost" or "layers"'
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[{"text": "a", "label": []} {"text"',
            "f:1: the array must continue with a comma or end with ], got '{\"text\"'",
        ),
        ('[{"text": "a", "label": []}', "f:1: the array must continue with a comma or end with ], got '' after item 1"),
        ('[{"text": "a", "label": []}] x', "f:1: the array must continue with a comma or end with ], got '] x' after"),
        ('[{"text": "a", "label": []},\n]', "f:2: item 2: must be a JSON object, got ']' (Expecting value)"),
        ('[\n\n{"text": "a", "label": [[0, 9, "X"]]}\n]', "f:3: item 1: an entity must lie inside its text"),
        ("[", "f:1: item 1: must be a JSON object, got '' (Expecting value)"),
    ],
)
def test_break_in_an_array_is_reported_with_its_place(text: str, sentence: str) -> None:
    assert error_of(*text.split("\n")).startswith(sentence)


def test_what_is_dropped_grown_and_trimmed_is_noted_by_the_corpus(tmp_path: Path) -> None:
    text = "Ada saw Berlin"
    labels = [[0, 4, "P"], [0, 7, "X"], [8, 11, "L"], [20, 22, "L"]]
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": text, "label": labels}), encoding="utf-8")

    def load(**policy: Any) -> tuple[tuple[str, ...], list[str]]:
        corpus = load_corpus(train=path, dev=path, format="jsonl", **policy)
        notes = [note.split(", the first")[0] for note in corpus.notes]
        return corpus.train[0].tags("ner"), notes[:-1]

    in_dev = [
        "counted as missed: 1 entity that begins or ends inside a token",
        "counted as missed: 1 entity that is nested",
    ]
    assert load(misaligned="drop", nested="innermost") == (
        ("B-P", "O", "O"),
        [
            "trimmed 2 entities that have white space at the ends",
            "dropped 1 entity that begins or ends inside a token",
            "dropped 2 entities that reach outside the text",
            "dropped 1 entity that is nested",
            *in_dev,
        ],
    )
    assert load(misaligned="expand", nested="outermost") == (
        ("B-X", "I-X", "B-L"),
        [
            "trimmed 2 entities that have white space at the ends",
            "expanded 1 entity that begins or ends inside a token",
            "dropped 2 entities that reach outside the text",
            "dropped 1 entity that is nested",
            *in_dev,
        ],
    )
    with pytest.raises(DataError, match="must not lie inside another, got 'Ada '"):
        load(misaligned="drop")


def test_tags_are_written_in_the_scheme_that_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(DIALECTS["doccano"]), encoding="utf-8")
    corpus = load_corpus(train=path, format="jsonl", scheme="bioes")
    assert (corpus.schemes, corpus.train[0].tags("ner")[0]) == ({"ner": "bioes"}, "S-ORG")


def test_layer_is_no_key_of_a_file_of_tokens(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"tokens": ["a"], "tags": {"ner": ["O"]}}', encoding="utf-8")
    assert readers.read("jsonl", path)[0].tokens == ("a",)
    with pytest.raises(DataError, match=r"a\.jsonl: `layer` is for texts with character spans, got tokens or texts"):
        readers.read("jsonl", path, layer="ner")


RESULTS = [
    {
        "id": f"r{number}",
        "to_name": "text",
        "from_name": "label",
        "type": "labels",
        "value": {"start": start, "end": end, "text": EU[start:end], "labels": [type_]},
    }
    for number, (start, end, type_) in enumerate([ORG, MISC])
]


def test_written_lines_have_the_documented_forms() -> None:
    (sentence,) = with_schemes(parse(DIALECTS["doccano"]))
    written = {name: json.loads("".join(spanned_lines([sentence], ["ner"], name))) for name in get_args(Written)}
    assert written == {
        "doccano": {"text": EU, "label": [list(ORG), list(MISC)]},
        "labelstudio": [{"data": {"text": EU}, "annotations": [{"result": RESULTS}]}],
        "spacy": DIALECTS["spaCy, spans"],
    }


def test_sentences_of_one_document_are_written_as_one_text() -> None:
    items = [{"text": "Ada came. Bob left.", "label": [[0, 3, "P"], [10, 13, "P"]]}, {"text": "Dee", "label": []}]
    sentences = with_schemes(parse(*items, *items))
    assert [json.loads(line) for line in spanned_lines(sentences, ["ner"], "doccano")] == items * 2
    same = with_schemes(parse(items[1], items[1]))
    assert len(list(spanned_lines(same, ["ner"], "doccano"))) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", ""),
        ('{"text": "a", "spans": [], "answer": "reject"}', "; skipped 1 text that was not accepted"),
        ('{"text": "B", "label": "POS", "answer": "ignore"}', "; skipped 1 text that was not accepted"),
        ('[{"text": " ", "spans": [[0, 1, "X"]]}]', "; skipped 1 blank text"),
    ],
)
def test_file_without_a_text_is_refused(text: str, reason: str) -> None:
    with pytest.raises(DataError) as caught:
        readers.parse("jsonl", [text], where="f")
    assert str(caught.value) == f"f: the file must hold at least one sentence, got none{reason}"


OF_ITEMS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "a class of Label Studio": (
        [{"id": 1, "text": EU, "sentiment": "pos", "annotator": 1}],
        {"sentiment": Label("pos")},
    ),
    "classes": ([{"text": EU, "label": "pos"}, {"text": EU, "label": None}], {"label": Label("pos")}),
    "tokens": ([{"tokens": ["Oslo"], "ner_tags": ["B-LOC"]}], {"ner": TagLayer(("B-LOC",))}),
    "a class that was refused": (
        [{"text": EU, "label": "neg", "answer": "reject"}, {"text": EU, "label": "pos", "answer": "accept"}],
        {"label": Label("pos")},
    ),
}


@pytest.mark.parametrize("name", OF_ITEMS)
@pytest.mark.parametrize("form", ["lines", "array"])
def test_classes_and_tokens_are_read_from_lines_and_from_arrays(name: str, form: str) -> None:
    items, layers = OF_ITEMS[name]
    lines = [json.dumps(items)] if form == "array" else list(map(json.dumps, items))
    assert not holds_texts(lines)
    assert readers.parse("jsonl", lines, where="f")[0].layers == layers


def test_value_of_another_kind_under_a_key_of_spans_is_a_bad_item() -> None:
    good = {"text": "a", "ner": [[0, 1, "X"]]}
    assert error_of(good, {"text": "a", "ner": 5}, layers={"ner": "ner"}) == (
        "f:2: spans must be a list of [start, end, type], got '5'"
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "a", "Ada saw. Bob", "reject"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "data", "label", "labels", "spans", "start", "end", "answer", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(st.lists(VALUES, min_size=1, max_size=3), st.sampled_from([None, {"a": "x", "b": "label"}]))
def test_whatever_stands_in_the_items_is_read_or_told(items: list[Any], layers: dict[str, str] | None) -> None:
    for lines in ([json.dumps(item) for item in items], [json.dumps(items)]):
        holds_texts(lines)
        try:
            sentences = parse(*lines, layers=layers)
        except DataError:
            continue
        assert all(
            len(sentence.tags(layer)) == len(sentence)
            for sentence in sentences
            for layer in sentence.layers
            if isinstance(sentence.layers[layer], TagLayer)
        )


HARD = ["Ada", "don't", "U.S.", "a-b", '"', "(x)", "\ufb01n", "\u200b", "日本語"]
HARD += ["👍🏽", "👨\u200d👩\u200d👧", "🇩🇪", "\U0001d518n", "e\u0301te\u0301", "שָׁלוֹם", "مرحبا", "\u200fabc"]
PIECES = st.sampled_from(HARD) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
TEXTS = st.lists(st.tuples(PIECES, st.sampled_from([" ", "  ", "", ". ", "! ", "\n\n", "\t"])), min_size=1, max_size=8)


@given(TEXTS.map(lambda pairs: "".join(map("".join, pairs))).filter(lambda t: bool(t.strip())), st.data())
@pytest.mark.parametrize("dialect", get_args(Written))
def test_spans_that_fit_the_tokens_come_back_from_each_dialect(
    dialect: Written, text: str, data: st.DataObject
) -> None:
    spans = []
    for start, end in split_sentences(text):
        tokens = sentence_from_text(text[start:end], start=start).offsets
        cuts = sorted(data.draw(st.sets(st.integers(0, len(tokens)), max_size=4)))
        for first, last in zip(cuts[::2], cuts[1::2], strict=False):
            spans.append((tokens[first][0], tokens[last - 1][1], data.draw(st.sampled_from(["PER", "a b", "B-X"]))))
    tally = Tally()
    read = parse({"text": text, "label": [list(span) for span in data.draw(st.permutations(spans))]}, tally=tally)
    assert (entities(read), done(tally)) == (spans, [])
    lines = list(spanned_lines(with_schemes(read), ["ner"], dialect))
    again = parse(*lines, tally=tally)
    assert (entities(again), done(tally)) == (spans, [])
    assert [(s.tokens, s.offsets, s.text, s.document) for s in again] == [
        (s.tokens, s.offsets, s.text, s.document) for s in read
    ]


@pytest.mark.parametrize("dialect", get_args(Written))
def test_corpus_of_columns_comes_back_from_each_dialect(dialect: Written, data_folder: Path, tmp_path: Path) -> None:
    columns = {"format": "conll", "columns": ["token", "ner"]}
    corpus = load_corpus(train=data_folder / "ner/ncbi-disease/iob2/test.tsv", **columns)
    path = tmp_path / "test.jsonl"
    path.write_text("\n".join(spanned_lines(corpus.train, ["ner"], dialect)), encoding="utf-8")
    again = load_corpus(train=path, format="jsonl", tokenize="blanks")
    assert again.notes == ("layer `ner` reads as IOB2",)
    assert [(s.tokens, s.tags("ner")) for s in again.train] == [(s.tokens, s.tags("ner")) for s in corpus.train]
    assert sum(len(sentence.spans("ner")) for sentence in again.train) == 960  # as the corpus's own table says


def test_no_entity_of_a_corpus_is_lost_to_the_tokens_of_its_text(data_folder: Path, tmp_path: Path) -> None:
    columns = {"format": "conll", "columns": ["token", "ner"]}
    corpus = load_corpus(train=data_folder / "ner/wnut17/emerging.dev.conll", **columns)
    path = tmp_path / "dev.jsonl"
    path.write_text("\n".join(spanned_lines(corpus.train, ["ner"], "spacy")), encoding="utf-8")
    again = load_corpus(train=path, format="jsonl", misaligned="expand")
    assert sum(len(s.spans("ner")) for s in again.train) == sum(len(s.spans("ner")) for s in corpus.train) == 836
    assert {span.type for s in again.train for span in s.spans("ner")} == {
        span.type for s in corpus.train for span in s.spans("ner")
    }
