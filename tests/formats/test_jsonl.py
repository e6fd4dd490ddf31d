"""JSON lines: what tagging writes is read back, and each line that is no sentence is told what it must be."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readers import parse_jsonl, read_jsonl

from tagger.corpus.corpus import Corpus, load_corpus
from tagger.doctor.check import check
from tagger.errors import DataError
from tagger.formats.jsonl import sentence_from_json, sentence_to_json
from tagger.formats.tally import Tally
from tagger.text.schemes import Boundary
from tagger.text.sentence import Label, Sentence, Span, TagLayer
from tagger.text.tokenization import sentence_from_text

NUMBERS = (
    "`{}` must be a list of strings, got numbers such as 5, and the names of the tags are missing; write the names, or "
    "read the dataset that has them with load_dataset (`dataset` in a recipe)"
)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda word: bool(word.strip()))


def parse(*lines: Any, **settings: Any) -> list[Sentence]:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return parse_jsonl(texts, where="f", **settings)


def error_of(*lines: Any, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        parse(*lines, **settings)
    return str(caught.value)


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5),
            st.none() | WORDS,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_what_is_written_is_read_back_the_same(rows: list[tuple[list[tuple[str, str]], str | None]]) -> None:
    sentences = []
    for pairs, label in rows:
        layers: dict[str, TagLayer | Label] = {"upos": TagLayer(tuple(tag for _, tag in pairs))}
        layers |= {"mood": Label(label)} if label else {}
        sentences.append(Sentence.from_tokens([word for word, _ in pairs], layers))
    lines = [json.dumps(sentence_to_json(sentence), ensure_ascii=False) for sentence in sentences]
    assert parse(*lines) == sentences


@pytest.mark.parametrize("text", ["Don't  stop , \tnow!", " a a aa a", "日本 語", "👍🏽 e\u0301"])
def test_offsets_in_the_original_text_come_back(text: str) -> None:
    sentence = sentence_from_text(text)
    (again,) = parse(sentence_to_json(sentence))
    assert again == sentence


def test_sentence_of_a_document_comes_back_where_it_stands() -> None:
    text = "A dog ran. A dog sat."
    sentence = Sentence(("A", "dog", "sat", "."), text, ((11, 12), (13, 16), (17, 20), (20, 21)))
    row = sentence_to_json(sentence)
    assert row["offsets"] == [[11, 12], [13, 16], [17, 20], [20, 21]]
    assert parse(row) == [sentence]


def test_offsets_are_written_only_where_the_text_does_not_tell_them() -> None:
    assert "offsets" not in sentence_to_json(sentence_from_text(" a  dog \n"))


def test_written_object_has_the_documented_form() -> None:
    ner = TagLayer(("B-PER", "E-PER", "O"), "bioes", "iob2", scored_spans=((Boundary("PER", 0, 2), 0.5),))
    layers = {"ner": ner, "upos": TagLayer(("PROPN", "PROPN", "VERB")), "mood": Label("good", 0.75)}
    sentence = Sentence.from_tokens(["Ada", "Lovelace", "sang"], layers)
    assert sentence_to_json(sentence) == {
        "text": "Ada Lovelace sang",
        "tokens": ["Ada", "Lovelace", "sang"],
        "tags": {"ner": ["B-PER", "I-PER", "O"], "upos": ["PROPN", "PROPN", "VERB"]},
        "spans": {
            "ner": [
                {
                    "type": "PER",
                    "start": 0,
                    "end": 2,
                    "start_char": 0,
                    "end_char": 12,
                    "text": "Ada Lovelace",
                    "score": 0.5,
                }
            ]
        },
        "labels": {"mood": {"value": "good", "score": 0.75}},
    }
    assert sentence.spans("ner") == (Span("PER", 0, 2, 0, 12, 0.5),)


def test_probabilities_of_tags_and_sequences_are_written_with_six_digits() -> None:
    layer = TagLayer(("A", "B"), scores=(0.123456789, 1.0), score=1.23456789e-12)
    row = sentence_to_json(Sentence.from_tokens(["a", "b"], {"upos": layer}))
    assert (row["tag_scores"], row["sequence_scores"]) == ({"upos": [0.123457, 1.0]}, {"upos": 1.23457e-12})


def test_text_alone_is_split_as_asked() -> None:
    assert parse({"text": "It's"})[0].tokens == ("It", "'s")
    assert parse({"text": "It's"}, tokenize="blanks")[0].tokens == ("It's",)


def test_layers_may_be_named_by_their_top_level_key() -> None:
    row = {"tokens": ["a", "b"], "ner_tags": ["O", "B-X"], "class": 3, "gone": None}
    (sentence,) = parse(row, layers={"ner": "ner_tags", "kind": "class", "x": "gone", "y": "absent"})
    assert sentence.tags("ner") == ("O", "B-X")
    assert sentence.label("kind").value == "3"
    assert set(sentence.layers) == {"ner", "kind"}


def test_blank_lines_are_separators_and_lines_are_remembered() -> None:
    first, second = parse({"text": "a"}, "", "  ", {"text": "b"})
    assert first.origin is not None
    assert second.origin is not None
    assert (first.origin.at(0), second.origin.at(0)) == ("f:1", "f:4")


def test_null_tables_are_no_layers() -> None:
    assert parse({"tokens": ["a"], "tags": None, "labels": None})[0].layers == {}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"text": ', "must be a JSON object, got '{\"text\": ' (Expecting value)"),
        ("plain", "must be a JSON object, got 'plain' (Expecting value)"),
        ([1], "must be a JSON object, got '[1]'"),
        ("null", "must be a JSON object, got 'null'"),
        ({}, "must have `tokens` (a list of words) or `text` (a sentence), got no key"),
        ({"text": 5}, "must have `tokens` (a list of words) or `text` (a sentence), got the keys `text`"),
        ({"tokens": "ab"}, "`tokens` must be a list of words that are not empty, got '\"ab\"'"),
        ({"tokens": []}, "`tokens` must be a list of words that are not empty, got '[]'"),
        ({"tokens": ["a", " "]}, '`tokens` must be a list of words that are not empty, got \'["a", " "]\''),
        ({"tokens": ["a", 5]}, "`tokens` must be a list of words that are not empty, got '[\"a\", 5]'"),
        (
            {"tokens": ["b", "a"], "text": "a b"},
            "token 'b' must come next in `text`, got 'a b'; fix it or add `offsets`",
        ),
        (
            {"tokens": ["a", "dog"], "text": "can a dog"},
            "token 'a' must come next in `text`, got 'can a dog'; fix it or add `offsets`",
        ),
        (
            {"tokens": ["a", "c"], "text": "a b c"},
            "token 'c' must come next in `text`, got 'b c'; fix it or add `offsets`",
        ),
        ({"tokens": ["x"], "text": "a"}, "token 'x' must come next in `text`, got 'a'; fix it or add `offsets`"),
        (
            {"tokens": ["a"], "text": "a b. "},
            "`text` must end with the last token, got 'b.' after it; fix it or add `offsets`",
        ),
        (
            {"text": "a", "offsets": [[0, 1]]},
            "`offsets` needs `tokens` and `text`, got no `tokens`; add it or remove `offsets`",
        ),
        (
            {"tokens": ["a"], "offsets": [[0, 1]]},
            "`offsets` needs `tokens` and `text`, got no `text`; add it or remove `offsets`",
        ),
        (
            {"tokens": ["a"], "text": "a", "offsets": 5},
            "`offsets` must be a list of [start, end] for each of the 1 tokens, got '5'",
        ),
        (
            {"tokens": ["a"], "text": "a", "offsets": []},
            "`offsets` must be a list of [start, end] for each of the 1 tokens, got '[]'",
        ),
        (
            {"tokens": ["a"], "text": "a", "offsets": [[0, 1.0]]},
            "`offsets` of token 1 must be [start, end], got '[0, 1.0]'",
        ),
        (
            {"tokens": ["a"], "text": "a", "offsets": [[False, True]]},
            "`offsets` of token 1 must be [start, end], got '[false, true]'",
        ),
        ({"tokens": ["a"], "text": "a", "offsets": [0]}, "`offsets` of token 1 must be [start, end], got '0'"),
        (
            {"tokens": ["a", "a"], "text": "a a", "offsets": [[2, 3], [0, 1]]},
            "`offsets` of token 2 must lie between 3 and 3 in order, got [0, 1]",
        ),
        (
            {"tokens": ["a"], "text": "a", "offsets": [[-1, 1]]},
            "`offsets` of token 1 must lie between 0 and 1 in order, got [-1, 1]",
        ),
        (
            {"tokens": ["a"], "text": "a", "offsets": [[0, 2]]},
            "`offsets` of token 1 must lie between 0 and 1 in order, got [0, 2]",
        ),
        (
            {"tokens": ["a"], "text": "a b", "offsets": [[2, 3]]},
            "`offsets` of token 1 must hold 'a' in `text`, got 'b'",
        ),
        ({"tokens": ["a"], "tags": "O"}, "`tags` must be an object layer → values, got '\"O\"'"),
        ({"tokens": ["a"], "tags": ["O", "O"]}, "layer `tags` must have one tag per token, 1 in all, got 2"),
        ({"tokens": ["a"], "ner_tags": [5]}, NUMBERS.format("ner_tags")),
        ({"tokens": ["a"], "labels": [0]}, NUMBERS.format("labels").replace("5", "0")),
        (
            {"tokens": ["a"], "tags": {"ner": ["O", "O"]}},
            "layer `ner` must have one tag per token, 1 in all, got 2",
        ),
        ({"tokens": ["a"], "tags": {"ner": [5]}}, NUMBERS.format("ner")),
        ({"tokens": ["a"], "tags": {"ner": [""]}}, "layer `ner` must be a label or a list of tags, got '[\"\"]'"),
        ({"tokens": ["a"], "labels": {"m": 0.5}}, "layer `m` must be a label or a list of tags, got '0.5'"),
        ({"tokens": ["a"], "labels": {"m": None}}, "layer `m` must be a label or a list of tags, got 'null'"),
        ({"tokens": ["a"], "labels": {"m": {}}}, "layer `m` must be a label or a list of tags, got 'null'"),
        ({"tokens": ["a"], "labels": {"m": ""}}, "layer `m` must be a label or a list of tags, got '\"\"'"),
        (
            {"tokens": ["a"], "tags": {"m": ["O"]}, "labels": {"m": "x"}},
            "layer `m` must be in `tags` or in `labels`, got it in both",
        ),
        ('{"text": "a", "text": "b"}', "must have each key once, got 'text' twice"),
        ('{"tokens": ["a\\ud800"]}', "must be Unicode text, got half a surrogate pair ('\\ud800')"),
    ],
)
def test_each_bad_line_gets_one_sentence(line: Any, sentence: str) -> None:
    assert error_of({"text": "fine"}, line) == f"f:2: {sentence}"


def test_text_without_a_token_is_a_bad_line() -> None:
    assert error_of({"text": " "}).startswith("f:1: the text has no token")


@pytest.mark.parametrize("line", ["[" * 100_000, "1" * 5_000, '{"text": ' + "1" * 5_000 + "}"])
def test_json_that_python_cannot_hold_is_no_traceback(line: str) -> None:
    assert error_of(line).startswith("f:1: must be a JSON object, got '")


def test_whole_surrogate_pair_is_a_character() -> None:
    assert parse('{"tokens": ["\\ud83d\\ude00"]}')[0].tokens == ("😀",)


def test_all_bad_lines_are_reported_together() -> None:
    lines = error_of(*["x"] * 12).splitlines()
    assert lines[0] == "f:1: must be a JSON object, got 'x' (Expecting value)"
    assert lines[-1] == "... and 2 more such problems"


def test_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('\ufeff{"text": "Ä"}\r\n'.encode())
    assert [sentence.tokens for sentence in read_jsonl(path)] == [("Ä",)]


def test_object_of_many_keys_is_read_in_time_that_grows_with_it(tmp_path: Path) -> None:
    keys = [f"k{i}" for i in range(200_000)]
    line = json.dumps(dict.fromkeys(keys, 1))[:-1] + ', "k199999": 1}'
    started = time.process_time()
    with pytest.raises(DataError, match="must have each key once, got 'k199999' twice"):
        parse_jsonl([line], where="f")
    assert time.process_time() - started < 10


def test_comments_and_document_come_back_and_are_written_only_where_there_are_any() -> None:
    plain = Sentence.from_tokens(["a"])
    assert not {"meta", "document"} & sentence_to_json(plain).keys()
    full = Sentence.from_tokens(["a"], meta={"id": "1", "note": ""}, document="d")
    assert sentence_from_json(json.loads(json.dumps(sentence_to_json(full)))) == full


@pytest.mark.parametrize("row", [{"meta": {"n": 1}}, {"meta": ["x"]}, {"document": 7}])
def test_values_of_another_kind_are_no_comments(row: dict[str, object]) -> None:
    assert sentence_from_json({"tokens": ["a"], **row}) == Sentence.from_tokens(["a"])


DATASET_ROWS = [
    ({"tokens": ["a"], "ner_tags": ["O"], "pos_tags": ["X"]}, {"ner": "O", "pos": "X"}),
    ({"words": ["a"], "labels": ["O"]}, {"labels": "O"}),
    ({"tokens": ["a"], "tags": ["O"], "tag": None}, {"tags": "O"}),
    ({"tokens": ["a"], "upos": ["X"], "lemmas": ["a"], "head": ["0"]}, {"upos": "X"}),
    ({"tokens": ["a"], "tags": {"ner": ["O"]}, "pos_tags": ["X"], "upos": ["Y"]}, {"ner": "O", "pos": "X"}),
]


@pytest.mark.parametrize(("row", "layers"), DATASET_ROWS)
def test_lists_under_names_of_dataset_columns_are_layers(row: dict[str, Any], layers: dict[str, str]) -> None:
    (sentence,) = parse(row)
    assert {name: sentence.tags(name) for name in sentence.layers} == {name: (tag,) for name, tag in layers.items()}


def test_strings_are_read_into_the_layers_that_a_dataset_gives(tmp_path: Path) -> None:
    row = {"id": "0", "tokens": ["Ada", "naps"], "ner_tags": ["B-PER", "O"], "upos": ["X", "Y"], "intent": "rest"}
    path = tmp_path / "train.json"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    theirs = load_corpus(dataset="json", data_files={"train": str(path)}).train[0]
    ours = load_corpus(train=str(path), format="jsonl").train[0]
    assert set(ours.layers) == {"ner", "upos", "intent"}
    assert dict(ours.layers) == dict(theirs.layers)


def test_exported_corpus_whose_names_of_tags_are_lost_is_refused(tmp_path: Path) -> None:
    sentence = Sentence.from_tokens(["Ada", "naps"], {"ner": TagLayer(("B-PER", "O"))}, meta={"id": "7"})
    Corpus([sentence]).to_dataset()["train"].to_json(tmp_path / "train.jsonl")
    with pytest.raises(DataError, match=r"train.jsonl:1: `ner_tags` must be .* names of the tags are missing"):
        load_corpus(train=str(tmp_path / "train.jsonl"), format="jsonl")


def test_comments_as_pairs_come_back() -> None:
    (sentence,) = parse({"tokens": ["a"], "meta": [{"key": "id", "value": "7"}]})
    assert sentence.meta == {"id": "7"}


def test_keys_that_nothing_reads_are_reported_with_their_lines(tmp_path: Path) -> None:
    rows = [{"id": 1, "tokens": ["a"], "ner_tags": ["O"]}, {"id": 2, "tokens": ["b"], "ner_tags": ["O"], "x": {"y": 1}}]
    path = tmp_path / "train.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert load_corpus(train=str(path), format="jsonl").notes[:2] == (
        "2 lines have the key `id`, which is not read as a layer",
        "1 line has the key `x`, which is not read as a layer",
    )
    chosen = load_corpus(train=str(path), format="jsonl", layers={"ner": "ner_tags"})
    assert not any("key" in note for note in chosen.notes)


def test_what_is_written_has_no_key_that_nothing_reads() -> None:
    layers = {"ner": TagLayer(("B-X", "O"), "iob2", "iob2"), "intent": Label("y")}
    sentence = Sentence(("a", "c"), "a b c", ((0, 1), (4, 5)), layers, meta={"id": "1"}, document="d")
    keys = Tally()
    assert parse(sentence_to_json(sentence), tally=keys)[0].layers.keys() == layers.keys()
    assert keys.notes() == []


def test_lists_that_are_no_tags_in_one_line_are_no_layer_in_any() -> None:
    keys = Tally()
    rows = [{"tokens": ["a"], "topics": ["x"]}, {"tokens": ["a", "b"], "topics": ["x"]}]
    assert [dict(s.layers) for s in parse(*rows, tally=keys)] == [{}, {}]
    assert keys.unread == {"topics": 2}


TWICE: list[tuple[dict[str, Any], str, str, str]] = [
    ({"ner_tags": ["B-LOC", "O"], "ner": ["O", "B-PER"]}, "ner", "ner_tags", "ner"),
    ({"ner": ["O", "B-PER"], "ner_tags": ["B-LOC", "O"]}, "ner", "ner", "ner_tags"),
    ({"pos_tags": ["X", "Y"], "pos": ["Y", "X"]}, "pos", "pos_tags", "pos"),
    ({"tags": {"ner": ["O", "O"]}, "ner": ["O", "B-X"]}, "ner", "tags.ner", "ner"),
    ({"ner": ["O", "B-X"], "tags": {"ner": ["O", "O"]}}, "ner", "tags.ner", "ner"),
    ({"tags": {"ner": ["O", "O"]}, "ner_tags": ["O", "B-X"]}, "ner", "tags.ner", "ner_tags"),
    ({"labels": {"intent": "a"}, "intent": "b"}, "intent", "labels.intent", "intent"),
]


@pytest.mark.parametrize(("more", "layer", "first", "second"), TWICE)
def test_two_annotations_of_one_layer_are_refused_by_the_names_of_their_keys(
    more: dict[str, Any], layer: str, first: str, second: str, tmp_path: Path
) -> None:
    row = {"tokens": ["Oslo", "is"], **more}
    wanted = f"layer `{layer}` must be given once, got it in two places, `{first}` and `{second}`; remove one of them"
    assert error_of(row) == f"f:1: {wanted}"
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match="must be given once"):
        load_corpus(train=str(path), format="jsonl")
    assert [(finding.place, finding.message) for finding in check(path).errors] == [(f"{path}:1", wanted)]


@pytest.mark.parametrize(
    ("tags", "end"), [("B-X I-X", 2), ("I-X I-X", 2), ("S-X O", 1), ("B-X L-X", 2), ("B-X B-X", 1)]
)
def test_spans_beside_tags_must_be_theirs_in_some_scheme(tags: str, end: int) -> None:
    spans = [{"type": "X", "start": 0, "end": end}] + [{"type": "X", "start": 1, "end": 2}] * (tags == "B-X B-X")
    row = {"tokens": ["a", "b"], "tags": {"ner": tags.split()}, "spans": {"ner": spans}}
    assert parse(row)[0].tags("ner") == tuple(tags.split())
    for wrong in ([{**spans[0], "type": "Y"}], [{**spans[0], "end": 3}], [*spans, *spans], ["X"]):
        assert "got it in two places, `tags.ner` and `spans.ner`, whose spans" in error_of(
            {**row, "spans": {"ner": wrong}}
        )


@pytest.mark.parametrize("key", ["tags", "ner_tags", "entities"])
def test_null_is_an_unknown_tag_and_is_written_back(key: str) -> None:
    tags = ["B-PER", None, "O"]
    (sentence,) = parse({"tokens": ["Ada", "Lovelace", "sang"], key: {"ner": tags} if key == "tags" else tags})
    (layer,) = sentence.layers
    assert sentence.tags(layer) == ("B-PER", None, "O")
    assert sentence_to_json(sentence)["tags"] == {layer: tags}
    assert parse(json.dumps(sentence_to_json(sentence))) == [sentence]


def test_spans_beside_unknown_tags_are_those_that_are_known() -> None:
    row = {"tokens": ["Ada", "sang", "Oslo"], "tags": {"ner": ["B-PER", "O", "B-LOC"]}}
    assert parse(
        {**row, "tags": {"ner": ["B-PER", "O", None]}, "spans": {"ner": [{"type": "PER", "start": 0, "end": 1}]}}
    )
    assert "whose spans" in error_of({**row, "tags": {"ner": [None, "O", "B-LOC"]}, "spans": {"ner": []}})
