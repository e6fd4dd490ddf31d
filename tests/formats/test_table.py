"""The table of formats: recipes and commands choose among its rows, and its examples are what they say."""

import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import readers
from sounds import tone, write_wav

from tagger.cli import app
from tagger.errors import DataError
from tagger.extensions import Reader
from tagger.formats.detection import detect_format
from tagger.formats.streaming import stream_documents
from tagger.formats.table import FORMATS, READABLE, STREAMS, WRITABLE, written
from tagger.text.choices import FileFormat, InputFormat, OutputFormat
from tagger.text.sentence import Sentence, TagLayer

SETTINGS: dict[str, dict[str, Any]] = {
    "conll": {"columns": ["token", "ner"]},
    "csv": {"columns": ["sentence", "token", "ner"], "delimiter": ",", "header": 1},
}


def choices(command: Callable[..., None], option: str) -> set[str]:
    """What an option of a command accepts."""
    hint = get_type_hints(command)[option]
    return set(get_args(get_args(hint)[0] if type(None) in get_args(hint) else hint))


def test_recipes_read_the_formats_that_hold_tags_and_raw_text() -> None:
    assert set(get_args(FileFormat)) == set(READABLE) - {"text"}
    assert set(Reader.built_in) == {*get_args(FileFormat), "text", "synthetic"}


def test_streams_are_of_the_formats_that_can_be_streamed() -> None:
    assert set(get_args(InputFormat)) == set(STREAMS)


def test_commands_have_the_choices_of_the_table() -> None:
    assert choices(app.check, "format") == choices(app.evaluate, "format") == set(get_args(FileFormat))
    assert choices(app.convert, "format") == set(READABLE)
    assert choices(app.tag, "input_format") == set(get_args(InputFormat))
    assert choices(app.tag, "output_format") == set(get_args(OutputFormat))
    to = get_type_hints(app.convert, include_extras=True)["to"].__metadata__[0]
    assert all(name in to.help for name in WRITABLE)


@pytest.mark.parametrize("name", FORMATS)
def test_a_row_is_described_and_its_example_is_what_it_says(name: str, tmp_path: Path) -> None:
    row = FORMATS[name]
    assert row.about.endswith(".")
    path = tmp_path / "train.txt"
    path.write_text("Ada lives in Oslo" if name == "brat" else row.example, encoding="utf-8")
    if name == "brat":
        path.with_suffix(".ann").write_text(row.example, encoding="utf-8")
    if name in ("docbin", "wav"):  # which are binary
        return
    read = name if row.read is not None else {"csv": "conll"}.get(name, "jsonl")
    assert detect_format(row.example.split("\n"), where="f", path=path) == read
    for example in row.example.splitlines(keepends=True) if read == "jsonl" else [row.example]:
        path.write_text("Ada lives in Oslo" if name == "brat" else example, encoding="utf-8")
        assert readers.read(read, path, **SETTINGS.get(name, {}))


@pytest.mark.parametrize("name", READABLE)
def test_every_readable_format_can_be_tagged_with_the_tokens_that_are_evaluated(name: str, tmp_path: Path) -> None:
    row, path = FORMATS[name], tmp_path / f"a{next(iter(FORMATS[name].suffixes), '.txt')}"
    example = row.example.splitlines()[0] if name == "jsonl" else row.example
    path.write_text("Ada lives in Oslo" if name == "brat" else example, encoding="utf-8")
    if name == "brat":
        path.with_suffix(".ann").write_text(example, encoding="utf-8")
    if name == "docbin":
        pytest.importorskip("spacy")
        path = tmp_path / "a.spacy"
        made = Sentence.from_tokens(["Ada", "sleeps"], {"ner": TagLayer(("B-PER", "O"), "iob2")})
        path.write_bytes(b"".join(written("docbin", [made], ["ner"])))
    if name == "wav":
        pytest.importorskip("soundfile")
        pytest.importorskip("kaldi_native_fbank")
        path = write_wav(tmp_path / "a.wav", tone(440))
    settings = SETTINGS.get(name, {})
    lines = [] if name in ("brat", "docbin", "wav") else example.splitlines()
    documents = list(stream_documents(lines, name, settings.get("columns"), where=str(path)))
    assert [s.tokens for d in documents for s in d.sentences] == [
        s.tokens for s in readers.read(name, path, **settings)
    ]
    assert not any(s.layers for d in documents for s in d.sentences)


# Files of formats that are read as a whole, and the text, id and number of sentences of each document.
WHOLE = {
    "pubtator": ("7|t|Oslo waits.\n7|a|Ada left it. She slept.\n\n8|t|No.\n8|a|\n", ["7", "8"], [3, 1]),
    "labelled": ("id\tlabel\ttext\na\tup\tok\nb\tup\tok\n", ["a", "b"], [1, 1]),
    "xml": ("<PER>Ada</PER> left. She slept.\n<PER>Ada</PER> left. She slept.\n", [None, None], [2, 2]),
    "parallel": ("Ada left\tB-PER O\nAda left\tB-PER O\n", [None, None], [1, 1]),
}


@pytest.mark.parametrize("name", WHOLE)
def test_sentences_of_one_text_are_one_document(name: str) -> None:
    text, ids, numbers = WHOLE[name]
    documents = list(stream_documents(text.splitlines(), name, where="f"))
    assert [document.id for document in documents] == ids
    assert [len(document.sentences) for document in documents] == numbers
    if name == "labelled":
        assert [document.record for document in documents] == [{"id": "a"}, {"id": "b"}]


def test_readers_take_the_same_arguments() -> None:
    for row in FORMATS.values():
        if row.read is not None:
            assert list(inspect.signature(row.read).parameters) == ["source", "config", "tally", "faults"]


def stream(text: str, format: InputFormat, columns: list[str] | None = None) -> list[Sentence]:
    """Return the sentences of the documents, each of which has one at most; an empty one has an empty sentence."""
    documents = list(stream_documents(text.split("\n"), format, columns, where="f"))
    assert all(len(document.sentences) < 2 for document in documents)
    return [part for document in documents for part in document.sentences or (Sentence((), document.text, ()),)]


def tokens(sentences: list[Sentence]) -> list[tuple[str, ...]]:
    return [sentence.tokens for sentence in sentences]


def error_of(text: str, format: InputFormat, columns: list[str] | None = None) -> str:
    with pytest.raises(DataError) as caught:
        stream(text, format, columns)
    return str(caught.value)


def test_each_line_of_text_is_a_sentence_and_blank_lines_stay() -> None:
    first, blank, last = stream("It's me.\n \nBye", "text")
    assert tokens([first, blank, last]) == [("It", "'s", "me", "."), (), ("Bye",)]
    assert blank.text == " "
    assert last.origin is not None
    assert last.origin.at(0) == "f:3"


def test_json_lines_come_without_their_gold() -> None:
    (sentence,) = stream('\n{"tokens": ["a"], "tags": {"ner": ["O"]}}\n', "jsonl")
    assert (sentence.tokens, sentence.layers) == (("a",), {})


def test_texts_with_character_spans_come_without_them() -> None:
    first, second = stream('{"text": "EU", "label": [[0, 2, "X"]]}\n{"text": "a", "labels": [[0, 1, "X"]]}', "jsonl")
    assert (first.tokens, second.tokens, first.layers, second.layers) == (("EU",), ("a",), {}, {})


@pytest.mark.parametrize("row", ['{"text": ""}', '{"text": " "}', '{"tokens": []}', '{"text": "", "tokens": []}'])
def test_an_empty_text_in_json_is_a_sentence_without_tokens(row: str) -> None:
    (sentence,) = stream(row, "jsonl")
    assert (sentence.tokens, sentence.text.strip()) == ((), "")


def test_a_json_object_without_text_and_tokens_is_an_error() -> None:
    assert "must have `tokens`" in error_of('{"text": null}', "jsonl")


def test_json_objects_keep_keys_that_predictions_do_not_have() -> None:
    row = {
        "id": "a7", "meta": {"page": 3}, "document": 12, "words": ["a"], "text": "a", "url": None, "more": [{"x": 1}],
        "tags": {"ner": ["O"]}, "spans": {"ner": []}, "labels": {"x": "y"}, "tag_scores": {}, "readings": {},
    }  # fmt: skip
    (document,) = stream_documents([json.dumps(row)], "jsonl", where="f")
    written = document.to_dict()
    assert list(written)[:7] == ["id", "meta", "document", "words", "url", "more", "text"]
    assert written == {
        "id": "a7", "meta": {"page": 3}, "document": 12, "words": ["a"], "text": "a", "url": None, "more": [{"x": 1}],
        "tokens": ["a"], "tags": {}, "spans": {}, "labels": {},
    }  # fmt: skip


def test_comment_as_wide_as_a_token_opens_a_stream() -> None:
    (sentence,) = stream("# id 7 domain=en\nthe _ _ O\nRome _ _ B-X", "conll", ["token", "_", "_", "ner"])
    assert (sentence.tokens, sentence.meta) == (("the", "Rome"), {"id 7 domain": "en"})


def test_columns_come_without_their_gold_but_with_comments_and_documents() -> None:
    first, second = stream("-DOCSTART-\tO\n\n# sent_id = 1\na\tO\nb c\tB-X\n\nd\tO", "conll", ["token", "ner"])
    assert (first.tokens, first.layers, first.meta, first.document) == (("a", "b c"), {}, {"sent_id": "1"}, "1")
    assert second.tokens == ("d",)


@pytest.mark.parametrize("columns", [None, ["token", "ner"]])
def test_one_column_is_the_token_whatever_the_model_was_trained_on(columns: list[str] | None) -> None:
    assert tokens(stream("# a comment\nx\ny\n\nz", "conll", columns)) == [("x", "y"), ("z",)]


def test_opening_of_a_document_does_not_say_how_many_columns_there_are() -> None:
    assert tokens(stream("-DOCSTART-\n\na b\tO", "conll", ["token", "ner"])) == [("a b",)]
    assert tokens(stream("-DOCSTART- O\n\na\nb", "conll")) == [("a", "b")]


def test_hash_tokens_may_open_a_stream() -> None:
    assert tokens(stream("# O\n# O\n\n# O", "conll", ["token", "ner"])) == [("#", "#"), ("#",)]


def test_columns_must_be_named_and_have_a_token() -> None:
    assert error_of("a O", "conll") == "f: has 2 columns; name them with --columns, such as token,_"
    assert error_of("a O", "conll", ["word", "ner"]) == (
        "f: has 2 columns; name them with --columns, such as token,_, got word, ner"
    )


@pytest.mark.parametrize("format", ["text", "conll", "jsonl"])
def test_no_lines_are_no_sentences(format: InputFormat) -> None:
    assert list(stream_documents([], format, where="f")) == []


def test_blank_columns_are_no_sentences() -> None:
    assert stream("\n \n", "conll", ["token", "ner"]) == []


def test_sentence_with_a_bad_line_is_never_given_and_ends_the_stream() -> None:
    lines = iter(["a O", "", "b O", "c", "d O", "", "e O"])
    documents = stream_documents(lines, "conll", ["token", "ner"], where="f")
    assert next(documents).tokens == ("a",)
    with pytest.raises(DataError) as caught:
        next(documents)
    assert str(caught.value) == "f:4: must have 2 columns (token, ner), got 1: 'c'"
    assert next(lines) == "d O"


def test_bad_json_line_ends_the_stream() -> None:
    assert error_of('{"text": "a"}\nx', "jsonl") == "f:2: must be a JSON object, got 'x' (Expecting value)"


@pytest.mark.parametrize(
    ("format", "unit"), [("text", ["a b"]), ("conll", ["a\tO", ""]), ("jsonl", ['{"tokens": ["a"]}'])]
)
def test_stream_reads_no_further_than_it_must(format: InputFormat, unit: list[str]) -> None:
    def endless() -> Iterator[str]:
        for _ in range(3):
            yield from unit
        raise AssertionError("read ahead")

    documents = stream_documents(endless(), format, ["token", "ner"], where="f")
    assert [len(next(documents)) > 0 for _ in range(3)] == [True, True, True]
