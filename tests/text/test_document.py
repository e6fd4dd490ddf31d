"""Documents: offsets in the whole text, labels, and their JSON."""

import json

import pytest

from tagger.errors import DataError
from tagger.text.document import Document
from tagger.text.sentence import Label, Sentence, Span, TagLayer
from tagger.text.tokenization import DEFAULT_RULES

TEXT = "Ada wrote. Bob left Oslo!"
TAGS = (("B-PER", "O", "O"), ("B-PER", "O", "B-LOC", "O"))


def make_document(*labels: str, whole: str | None = None) -> Document:
    """Return a document of two sentences with entities, a label for each sentence, or one for the whole text."""
    parts = [DEFAULT_RULES.sentence(TEXT[start:end], start=start) for start, end in DEFAULT_RULES.sentences(TEXT)]
    sentences = tuple(
        Sentence(
            part.tokens,
            TEXT,
            part.offsets,
            {"ner": TagLayer(tags, "iob2", score=0.5), **({"mood": Label(labels[i], 0.75)} if labels else {})},
        )
        for i, (part, tags) in enumerate(zip(parts, TAGS, strict=True))
    )
    return Document(TEXT, sentences, id=7, labels={"mood": Label(whole, 0.5)} if whole else {})


def test_spans_count_tokens_and_characters_in_the_whole_document() -> None:
    document = make_document()
    spans = document.spans("ner")
    assert spans == (Span("PER", 0, 1, 0, 3), Span("PER", 3, 4, 11, 14), Span("LOC", 5, 6, 20, 24))
    assert [span.text for span in spans] == ["Ada", "Bob", "Oslo"]
    assert [document.tokens[span.start] for span in spans] == ["Ada", "Bob", "Oslo"]
    assert document.tags("ner") == TAGS[0] + TAGS[1]
    assert len(document) == 7


def test_label_is_that_of_the_whole_text_and_never_one_of_several() -> None:
    assert make_document(whole="good").label("mood").value == "good"
    single = Document(TEXT, (DEFAULT_RULES.sentence(TEXT),))
    with pytest.raises(DataError, match="no label layer `mood`"):
        single.label("mood")
    with pytest.raises(DataError) as caught:
        make_document("good", "bad").label("mood")
    assert str(caught.value) == (
        "document 7 must have one label `mood`, got one for each of its 2 sentences; use `sentence.label('mood')` for "
        "each of `document.sentences`"
    )
    with pytest.raises(DataError, match=r"document 7 has no label layer `x`; its label layers are: `mood`"):
        make_document(whole="good").label("x")


def test_written_object_holds_the_sentences_as_ranges_of_tokens() -> None:
    row = make_document(whole="good").to_dict()
    assert list(row) == ["id", "text", "tokens", "tags", "spans", "labels", "sequence_scores", "sentences"]
    assert row["sentences"] == [[0, 3], [3, 7]]
    assert row["spans"]["ner"][2] == {
        "type": "LOC",
        "start": 5,
        "end": 6,
        "start_char": 20,
        "end_char": 24,
        "score": None,
        "text": "Oslo",
    }
    assert row["labels"] == {"mood": {"value": "good", "score": 0.5}}
    assert row["sequence_scores"] == {"ner": 0.25}
    each = make_document("good", "bad").to_dict()["labels"]
    assert each == {"mood": [{"value": "good", "score": 0.75}, {"value": "bad", "score": 0.75}]}
    assert json.loads(json.dumps(row)) == row


def test_keys_of_the_record_come_first_and_those_of_the_result_hide_them_in_input() -> None:
    record = {"id": [1], "url": "u", "text": "old", "tags": 3}
    row = Document("Oslo", (DEFAULT_RULES.sentence("Oslo"),), id=2, meta={"a": {"b": 1}}, record=record).to_dict()
    assert row == {
        "id": [1],
        "url": "u",
        "input": {"text": "old", "tags": 3},
        "text": "Oslo",
        "tokens": ["Oslo"],
        "tags": {},
        "spans": {},
        "labels": {},
        "meta": {"a": {"b": 1}},
    }


@pytest.mark.parametrize("text", ["", " \n "])
def test_a_document_without_sentences_has_nothing(text: str) -> None:
    document = Document(text)
    assert (document.spans("ner"), document.tags("ner"), document.tokens) == ((), (), ())
    assert document.to_dict() == {"text": text, "tokens": [], "tags": {}, "spans": {}, "labels": {}}
    with pytest.raises(DataError, match="no label layer `mood`"):
        document.label("mood")
