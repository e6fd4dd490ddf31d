"""Writing sentences to files: they come back, and what a format cannot hold is refused."""

import json
from pathlib import Path

import pytest

from tagger import DataError, Document, Sentence, generate, load_corpus, write_sentences
from tagger.text.sentence import TagLayer

SENTENCES = list(generate(5, seed=1, split="train"))


def test_lines_of_json_come_back_whole(tmp_path: Path) -> None:
    write_sentences(tmp_path / "a.jsonl", iter(SENTENCES))
    read = load_corpus(train=tmp_path / "a.jsonl", format="jsonl", split={"dev": 0.2}).train
    assert {s.text for s in read} < {s.text for s in SENTENCES}
    assert set(read[0].layers) == {"ner", "upos", "sentiment"}


def test_columns_have_the_chosen_layers_in_their_order(tmp_path: Path) -> None:
    write_sentences(tmp_path / "a.conll", SENTENCES[:1], format="conll", layers=["upos", "ner"])
    lines = [line.split("\t") for line in (tmp_path / "a.conll").read_text("utf-8").splitlines() if "\t" in line]
    tokens, *layers = zip(*lines, strict=True)
    assert tokens == SENTENCES[0].tokens
    assert layers == [SENTENCES[0].tags("upos"), SENTENCES[0].tags("ner")]


def test_no_sentence_is_an_empty_file(tmp_path: Path) -> None:
    write_sentences(tmp_path / "a.jsonl", [])
    assert (tmp_path / "a.jsonl").read_bytes() == b""


def test_missing_layer_is_named_and_the_file_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("before")
    with pytest.raises(DataError, match="sentence 0 must have the layer `chunk`; its layers are: ner, upos, sentiment"):
        write_sentences(path, SENTENCES, format="conll", layers=["chunk"])
    assert path.read_text() == "before"


def test_format_of_one_layer_refuses_two(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="doccano holds one layer of tags, got ner, upos; choose one with `layers`"):
        write_sentences(tmp_path / "a", SENTENCES, format="doccano")


def test_unknown_format_is_a_value_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"format must be one of conll, conllu, .* got 'xml'"):
        write_sentences(tmp_path / "a", SENTENCES, format="xml")


def test_documents_are_written_as_one_text_each(tmp_path: Path) -> None:
    text = "Ada sings. Oslo sleeps."
    tags = {"ner": TagLayer(("B-PER", "O", "O"), "iob2")}
    parts = (
        Sentence(("Ada", "sings", "."), text, ((0, 3), (4, 9), (9, 10)), tags),
        Sentence(("Oslo", "sleeps", "."), text, ((11, 15), (16, 22), (22, 23)), tags),
    )
    row = {"text": text, "label": [[0, 3, "PER"], [11, 15, "PER"]]}
    for given, more in (([Document(text, parts, id=7), Document("")], [{"text": "", "label": []}]), (parts, [])):
        write_sentences(tmp_path / "w", given, format="doccano")
        lines = (tmp_path / "w").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines] == [row, *more]
