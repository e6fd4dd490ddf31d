"""The table of entities: its rows for models of each kind."""

import sys

import pytest

from tagger import to_dataframe
from tagger.errors import DataError, MissingExtraError
from tagger.text.document import Document
from tagger.text.rows import COLUMNS, rows_of
from tagger.text.sentence import Label, Sentence, TagLayer
from tagger.text.tokenization import DEFAULT_RULES

TEXT = "Ada wrote. Bob left Oslo!"


def make_document(kind: str, id: str | None = None) -> Document:
    first, second = DEFAULT_RULES.split(TEXT)
    layers = {
        "ner": (TagLayer(("B-PER", "O", "O"), "iob2"), TagLayer(("O", "O", "B-LOC", "O"), "iob2")),
        "upos": (TagLayer(("A", "B", "C"), scores=(0.5, 0.5, 0.5)), TagLayer(("A", "B", "C", "D"))),
        "mood": (Label("good", 0.25), Label("bad")),
    }[kind]
    parts = (
        Sentence(first.tokens, TEXT, first.offsets, {kind: layers[0]}),
        Sentence(second.tokens, TEXT, second.offsets, {kind: layers[1]}),
    )
    return Document(TEXT, parts, id=id)


def cells(document: Document) -> list[tuple[object, ...]]:
    return [tuple(row[column] for column in ("layer", *COLUMNS)) for row in rows_of(document, 4)]


def test_entities_have_a_row_each() -> None:
    assert cells(make_document("ner")) == [
        ("ner", 4, "Ada", 0, 3, "PER", None, "Ada wrote."),
        ("ner", 4, "Oslo", 20, 24, "LOC", None, "Bob left Oslo!"),
    ]


def test_labels_have_a_row_each_where_there_are_no_entities() -> None:
    assert cells(make_document("mood", id="x")) == [
        ("mood", "x", "Ada wrote.", 0, 10, "good", 0.25, "Ada wrote."),
        ("mood", "x", "Bob left Oslo!", 11, 25, "bad", None, "Bob left Oslo!"),
    ]
    whole = Document("Ada wrote. ", (DEFAULT_RULES.sentence("Ada wrote. "),), labels={"mood": Label("good", 0.5)})
    assert cells(whole) == [("mood", 4, "Ada wrote. ", 0, 11, "good", 0.5, "Ada wrote. ")]


def test_tokens_have_a_row_each_where_there_are_only_tags() -> None:
    found = cells(make_document("upos"))
    assert len(found) == 7
    assert found[3] == ("upos", 4, "Bob", 11, 14, "A", None, "Bob left Oslo!")
    assert found[0][6] == 0.5


def test_data_frame_has_the_rows_of_all_documents_and_names_several_layers() -> None:
    table = to_dataframe([make_document("ner", id="a"), Document(""), make_document("ner").sentences[1]])
    assert list(table.columns) == list(COLUMNS)
    assert list(table["id"]) == ["a", "a", 3]
    assert list(to_dataframe([make_document("ner"), make_document("mood")]).columns) == ["layer", *COLUMNS]
    assert list(to_dataframe(Document("")).columns) == list(COLUMNS)
    with pytest.raises(DataError, match="a table must be made of documents or sentences, got 'text'"):
        to_dataframe(["text"])  # type: ignore[list-item]


def test_without_pandas_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"tables need pandas .*; run: pip install pandas"):
        to_dataframe([])
