"""Records to be tagged: one document each, with its keys, split as texts are in training."""

import json
from pathlib import Path
from typing import Any

import pytest

from tagger.errors import DataError
from tagger.formats.faults import Faults
from tagger.formats.streaming import stream_documents
from tagger.formats.table import input_format_of
from tagger.text.choices import InputFormat
from tagger.text.document import Document
from tagger.text.tokenization import TextRules

TEXT = "Ada wrote. Bob left Oslo!"


def read(text: str, format: InputFormat = "jsonl", **settings: Any) -> list[Document]:
    return list(stream_documents(text.split("\n"), format, where="f", **settings))


@pytest.mark.parametrize(
    ("record", "id"),
    [
        ({"id": 7, "text": TEXT, "meta": {"a": [1]}, "label": [[0, 3, "PER"]]}, 7),  # doccano
        ({"id": "a", "data": TEXT, "label": []}, "a"),  # its old form
        ({"id": 8, "data": {"text": TEXT, "page": 3}}, 8),  # a task of Label Studio
        ({"id": 8, "data": {"note": TEXT}, "annotations": [], "predictions": []}, 8),
        ({"text": TEXT, "spans": [{"start": 0, "end": 3, "label": "PER"}], "_input_hash": 5}, None),  # Prodigy
        ({"text": TEXT, "id": {"odd": True}}, None),
    ],
)
def test_a_record_is_a_document_that_keeps_its_keys(record: dict[str, Any], id: object) -> None:
    for lines in (json.dumps(record), json.dumps([record], indent=1), f"\n{json.dumps([record])}"):
        (document,) = read(lines)
        assert (document.text, document.id, len(document.sentences)) == (TEXT, id, 2)
        assert document.tokens == TextRules().sentence(TEXT).tokens
        written = document.to_dict()
        kept = {key: value for key, value in record.items() if key != "spans"}  # which the result replaces
        assert {key: written[key] for key in kept} == kept
        assert [sentence.origin.path for sentence in document.sentences if sentence.origin] == ["f", "f"]


def test_own_tokens_of_a_text_and_sentences_of_tokens_are_kept() -> None:
    tokens = [{"text": "Ada wrote", "start": 0, "end": 9, "id": 0}, {"text": ".", "start": 9, "end": 10, "id": 1}]
    (document,) = read(json.dumps({"text": "Ada wrote.", "tokens": tokens}))
    assert document.tokens == ("Ada wrote", ".")
    (document,) = read('{"tokens": ["Ada wrote.", "Bob left."], "id": 1}')
    assert [sentence.tokens for sentence in document.sentences] == [("Ada wrote.", "Bob left.")]


def test_what_is_written_is_read_again_as_the_same_sentences() -> None:
    (document,) = read(json.dumps({"id": 1, "text": TEXT}))
    (again,) = read(json.dumps(document.to_dict()))
    assert again.sentences == document.sentences
    assert again.to_dict() == document.to_dict()


@pytest.mark.parametrize("row", [{"text": " "}, {"text": ""}, {"tokens": []}, {"data": {"text": ""}}, {"data": ""}])
def test_an_empty_text_is_a_document_without_sentences(row: dict[str, Any]) -> None:
    (document,) = read(json.dumps({**row, "id": 3}))
    assert (document.sentences, document.id) == ((), 3)


def test_a_record_of_several_texts_gives_a_document_each() -> None:
    found = read(
        '{"rasa_nlu_data": {"common_examples": [{"text": "hi", "intent": "a"}, {"text": "by", "intent": "b"}]}}'
    )
    assert [document.text for document in found] == ["hi", "by"]


class Collected(Faults):
    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, kind: str, place: str, message: str, **values: object) -> None:
        self.found.append(place)


@pytest.mark.parametrize("bad", ["x", "[1]", '{"text": 3}', '{"text": "a", "tokens": [1]}', '{"id": 1}', '"text"'])
def test_a_bad_record_is_named_by_its_line_and_may_be_skipped(bad: str) -> None:
    text = f'{{"text": "a"}}\n{bad}\n{{"text": "b"}}'
    with pytest.raises(DataError, match=r"^f:2: "):
        read(text)
    faults = Collected()
    assert [document.text for document in read(text, faults=faults)] == ["a", "b"]
    assert faults.found == ["f:2"]


def test_units_of_plain_text() -> None:
    text = "Ada wrote.\nBob left.\n\n \nCy came."
    lines = read(text, "text")
    assert [(document.text, len(document.sentences)) for document in lines] == [
        ("Ada wrote.", 1), ("Bob left.", 1), ("", 0), (" ", 0), ("Cy came.", 1),
    ]  # fmt: skip
    assert [document.text for document in read(text, "text", unit="document")] == ["Ada wrote.\nBob left.", "Cy came."]
    assert [(d.text, len(d.sentences)) for d in read(text, "text", unit="file")] == [(text, 3)]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_rows_of_a_csv_file_keep_their_columns(mark: str) -> None:
    first, second = read(f'id{mark}text{mark}day\n7{mark}"a ""b""{mark} c\nd"{mark}Monday\n8{mark}{mark}\n', "csv")
    assert (first.id, first.text, first.record) == ("7", f'a "b"{mark} c\nd', {
        "id": "7", "text": f'a "b"{mark} c\nd', "day": "Monday",
    })  # fmt: skip
    assert (second.id, second.sentences) == ("8", ())
    with pytest.raises(DataError, match="f:2: must have one field for each column of the header"):
        read(f"id{mark}text\n7{mark}a{mark}b", "csv")
    with pytest.raises(DataError, match="f:2: must have a column `text`, got a, b"):
        read(f"a{mark}b\n7{mark}a", "csv")


def test_texts_of_brat_are_documents_named_after_their_files(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b", "deep/a"):
        (tmp_path / f"{name}.txt").write_text(TEXT, encoding="utf-8")
        (tmp_path / f"{name}.ann").write_text("T1\tX 1 2\td\n", encoding="utf-8")
    found = list(stream_documents([], "brat", where=str(tmp_path)))
    assert [(document.id, len(document.sentences)) for document in found] == [("b", 2), ("deep/a", 2)]
    assert input_format_of(str(tmp_path)) == "brat"


def test_names_of_files_say_their_format() -> None:
    names = ("a.jsonl", "a.json.gz", "a.csv", "a.tsv", "a.conllu", "a.txt", "-")
    assert [input_format_of(name) for name in names] == ["jsonl", "jsonl", "csv", "csv", "conllu", "text", "text"]
