"""Keys of JSON lines: those that a dataset has for its layers are read, every other is told, as tables."""

import json

import pytest

from tagger.data.annotated import Tally
from tagger.data.corpus import load_corpus, load_dataset
from tagger.data.json_keys import layer_values, unread_keys
from tagger.data.jsonl import parse_jsonl
from tagger.errors import DataError

LAYERS = [
    ({"tags": {"ner": ["O"]}, "labels": {"intent": "Play"}}, {"ner": ["O"], "intent": "Play"}),
    ({"ner_tags": ["O"], "pos_tags": ["NOUN"]}, {"ner": ["O"], "pos": ["NOUN"]}),
    ({"tags": {"ner": ["O"]}, "ner_tags": ["B-X"]}, {"ner": ["O"], "ner_tags": ["B-X"]}),
    ({"tags": ["O"], "labels": ["a"]}, {"tags": ["O"], "labels": ["a"]}),
    ({"upos": ["NOUN"], "label": "pos", "intent": 3}, {"upos": ["NOUN"], "label": "pos", "intent": 3}),
    ({"lemmas": ["a"], "head": [0], "id": "1", "ner_score": 0.5, "ner_tags": None}, {}),
]
UNREAD = [
    ({"text": "a", "tokens": ["a"], "tags": {"ner": ["O"]}, "meta": {"k": "v"}, "document": "d"}, []),
    ({"words": ["a"], "ner_tags": ["O"]}, []),
    ({"sentence": "a", "label": "pos"}, []),
    ({"sentence": "a", "tokens": ["a"], "lemmas": ["a"], "id": "1"}, ["sentence", "lemmas", "id"]),
    ({"tokens": ["a"], "meta": {"k": 1}, "document": 7, "note": "", "more": None}, ["meta", "document"]),
    ({"tokens": ["a"], "spans": {"ner": []}, "tags": {"ner": ["O"]}}, []),
    ({"tokens": ["a"], "spans": {"ner": [{"start": 0, "end": 1, "type": "X"}]}}, ["spans"]),
]


@pytest.mark.parametrize(("row", "layers"), LAYERS)
def test_layers_are_found_in_tables_and_by_the_names_of_datasets(row, layers) -> None:
    assert layer_values(row) == layers


@pytest.mark.parametrize(("row", "keys"), UNREAD)
def test_keys_that_no_reader_takes_are_told(row, keys) -> None:
    assert list(unread_keys(row)) == keys


def test_tags_without_names_are_refused() -> None:
    with pytest.raises(DataError, match=r"^f:1: `ner_tags` must hold the names of tags, got numbers without names"):
        parse_jsonl(['{"tokens": ["a"], "ner_tags": [0]}'], where="f")


def test_a_corpus_notes_unread_keys_with_the_number_of_their_lines(tmp_path) -> None:
    rows = [{"tokens": ["a"], "ner_tags": ["O"], "x{y}": 1}, {"tokens": ["b"], "ner_tags": ["B-X"], "x{y}": 2}]
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    corpus = load_corpus(train=tmp_path / "a.jsonl", format="jsonl")
    assert f"the key 'x{{y}}' of 2 lines is not read, the first at {tmp_path / 'a.jsonl'}:1" in corpus.notes
    assert [s.tags("ner") for s in corpus.train] == [("O",), ("B-X",)]


def test_a_file_that_would_have_no_layer_is_refused_by_its_keys() -> None:
    with pytest.raises(DataError, match=r"^f: must have a layer .* got none; the key 'entity' of 1 lines is not read"):
        parse_jsonl(['{"tokens": ["a"], "entity": ["O"]}'], where="f", tally=Tally())
    assert parse_jsonl(['{"text": "a"}'], where="f", tally=Tally()) != []


def test_rows_of_strings_are_read_as_the_dataset_of_them_is(tmp_path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = {"words": [["Ada", "naps"]] * 20, "ner_tags": [["B-PER", "O"]] * 20, "label": ["pos"] * 20}
    dataset = datasets.Dataset.from_dict(rows)
    dataset.save_to_disk(str(tmp_path / "set"))
    (tmp_path / "a.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in dataset))
    plain, other = load_corpus(train=tmp_path / "a.jsonl", format="jsonl"), load_dataset(tmp_path / "set")
    (sentence,) = {(s.tokens, s.tags("ner"), s.label("label").value) for s in (*other.train, *other.dev)}
    assert {(s.tokens, s.tags("ner"), s.label("label").value) for s in plain.train} == {sentence}
