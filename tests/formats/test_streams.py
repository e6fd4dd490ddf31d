"""Sentences to be tagged come one at a time, whatever the format, and carry no gold."""

from collections.abc import Iterator

import pytest

from tagger.errors import DataError
from tagger.formats.table import stream_sentences
from tagger.text.choices import StreamFormat
from tagger.text.sentence import Sentence


def stream(text: str, format: StreamFormat, columns: list[str] | None = None) -> list[Sentence]:
    return list(stream_sentences(text.split("\n"), format, columns, where="f"))


def tokens(sentences: list[Sentence]) -> list[tuple[str, ...]]:
    return [sentence.tokens for sentence in sentences]


def error_of(text: str, format: StreamFormat, columns: list[str] | None = None) -> str:
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
def test_no_lines_are_no_sentences(format: StreamFormat) -> None:
    assert list(stream_sentences([], format, where="f")) == []


def test_blank_columns_are_no_sentences() -> None:
    assert stream("\n \n", "conll", ["token", "ner"]) == []


def test_sentence_with_a_bad_line_is_never_given_and_ends_the_stream() -> None:
    lines = iter(["a O", "", "b O", "c", "d O", "", "e O"])
    sentences = stream_sentences(lines, "conll", ["token", "ner"], where="f")
    assert next(sentences).tokens == ("a",)
    with pytest.raises(DataError) as caught:
        next(sentences)
    assert str(caught.value) == "f:4: must have 2 columns (token, ner), got 1: 'c'"
    assert next(lines) == "d O"


def test_bad_json_line_ends_the_stream() -> None:
    assert error_of('{"text": "a"}\nx', "jsonl") == "f:2: must be a JSON object, got 'x' (Expecting value)"


@pytest.mark.parametrize(
    ("format", "unit"), [("text", ["a b"]), ("conll", ["a\tO", ""]), ("jsonl", ['{"tokens": ["a"]}'])]
)
def test_stream_reads_no_further_than_it_must(format: StreamFormat, unit: list[str]) -> None:
    def endless() -> Iterator[str]:
        for _ in range(3):
            yield from unit
        raise AssertionError("read ahead")

    sentences = stream_sentences(endless(), format, ["token", "ner"], where="f")
    assert [len(next(sentences)) > 0 for _ in range(3)] == [True, True, True]
