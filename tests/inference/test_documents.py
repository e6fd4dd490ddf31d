"""Documents in batches: as they are alone, in order and bounded memory, with labels of whole texts if learned so."""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import pytest
from untrained import generated_vocabulary, torch_tagger, untrained_model

from tagger.config import (
    EmbeddingsConfig,
    EncoderConfig,
    HeadConfig,
    ReadingConfig,
    SentenceHeadConfig,
    TokensHeadConfig,
)
from tagger.errors import DataError
from tagger.inference.documents import predict_in_parts, whole_text_labels
from tagger.inference.items import document_of_text
from tagger.tagging import Tagger
from tagger.text.document import Document

LINES = ["Ada came to Paris.", "Is it far?", "Nobody knows!", "", "A long walk , and a good one ."]
TEXTS = [" ".join(LINES[i % 5] for i in range(start, start + start % 4)) for start in range(40)]
HEADS: dict[str, HeadConfig] = {
    "ner": TokensHeadConfig(kind="tokens"),
    "sentiment": SentenceHeadConfig(kind="sentence"),
}


def make_tagger(**readings: ReadingConfig) -> Tagger:
    model = untrained_model(
        generated_vocabulary(100, "ner", "sentiment"),
        HEADS,
        embeddings=EmbeddingsConfig(dimension=10),
        encoder=EncoderConfig(hidden_size=12),
        schemes={"ner": "iob2"},
        reading=readings or {"data": ReadingConfig(format="conll", columns=("token", "ner"))},
        loudness=5,
    )
    return torch_tagger(model)


TAGGER = make_tagger()


@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_documents_of_a_stream_are_those_of_their_texts_alone(chunk: int) -> None:
    found = list(TAGGER.tag_documents(TEXTS, chunk=chunk))
    for text, document in zip(TEXTS, found, strict=True):
        alone = TAGGER.tag_document(text)
        assert (document.text, document.tokens) == (text, alone.tokens)
        assert document.tags("ner") == alone.tags("ner")
        assert [s.label("sentiment").value for s in document.sentences] == [
            s.label("sentiment").value for s in alone.sentences
        ]
        for one, other in zip(document.sentences, alone.sentences, strict=True):
            np.testing.assert_allclose(one.tag_scores("ner"), other.tag_scores("ner"), atol=1e-5)


def test_contexts_come_back_beside_their_documents() -> None:
    context = [object() for _ in TEXTS]
    found = list(TAGGER.tag_documents(zip(TEXTS, context, strict=True), as_tuples=True, chunk=7))
    assert [document.text for document, _ in found] == TEXTS
    assert all(one is other for (_, one), other in zip(found, context, strict=True))


def test_a_stream_of_documents_reads_no_further_than_its_chunk() -> None:
    read = 0

    def texts() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "" if read % 2 else "Ada came. She left."

    documents = TAGGER.tag_documents(texts(), chunk=6)
    assert read == 0
    for number in range(1, 30):
        next(documents)
        assert read - number <= 6


@pytest.mark.parametrize(
    ("item", "as_tuples", "message"),
    [
        (None, False, "item 1: must be a text, got NoneType None"),
        (["a"], False, "item 1: must be a text, got list ['a']"),
        (("text", 1), False, "item 1: must be a text, got tuple ('text', 1)"),
        ("text", True, "item 1: must be a pair (text, context), got str 'text'"),
        ((b"text", 1), True, "item 1: must be a text, got bytes b'text'"),
    ],
)
def test_an_invalid_item_is_named_after_the_results_before_it_or_skipped(
    item: object, as_tuples: bool, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = ("Ada came.", "context") if as_tuples else "Ada came."
    items = [good, item, good]
    stream = TAGGER.tag_documents(items, as_tuples=as_tuples)  # type: ignore[call-overload]
    next(stream)
    with pytest.raises(TypeError) as caught:
        next(stream)
    assert str(caught.value) == message
    found = list(TAGGER.tag_documents(items, as_tuples=as_tuples, errors="skip"))  # type: ignore[call-overload]
    assert [len(pair[0] if as_tuples else pair) for pair in found] == [3, 0, 3]
    assert caplog.messages == [message]
    told: list[object] = []
    list(TAGGER.tag_documents(items, as_tuples=as_tuples, errors=lambda *told_: told.extend(told_)))  # type: ignore[call-overload]
    assert (told[0], str(told[1])) == (1, message)
    with pytest.raises(ValueError, match='errors must be "raise", "skip" or a function'):
        TAGGER.tag_documents(items, errors="ignore")  # type: ignore[call-overload]


def test_labels_of_whole_texts_are_predicted_for_whole_texts_beside_tags_of_sentences() -> None:
    both = make_tagger(
        words=ReadingConfig(format="conll", columns=("token", "ner")),
        texts=ReadingConfig(format="labelled", layer="sentiment"),
    )
    text = "Ada came to Paris. It was good. Nobody knows!"
    (document,) = both.tag_documents([text])
    assert len(document.sentences) == 3
    assert document.label("sentiment").value == both.tag(text).label("sentiment").value
    assert document.label("sentiment").scores == pytest.approx(both.tag(text).label("sentiment").scores, abs=1e-5)
    assert document.tags("ner") == TAGGER.tag_document(text).tags("ner")
    assert all(set(sentence.layers) == {"ner"} for sentence in document.sentences)
    assert both.tag_document("Ada came.").label("sentiment") == both.tag("Ada came.").label("sentiment")
    with pytest.raises(DataError, match="got one for each of its 3 sentences"):
        TAGGER.tag_document(text).label("sentiment")


@pytest.mark.parametrize(
    ("readings", "layers"),
    [
        ({"a": ReadingConfig(format="conll", columns=("token", "ner"))}, set()),
        ({"a": ReadingConfig(format="jsonl")}, {"sentiment"}),
        ({"a": ReadingConfig(format="labelled", layer="sentiment")}, {"sentiment"}),
        ({"a": ReadingConfig(format="labelled", layer="topic"), "b": ReadingConfig(format="conllu")}, set()),
    ],
)
def test_labels_are_of_whole_texts_where_a_corpus_has_texts_with_them(
    readings: dict[str, ReadingConfig], layers: set[str]
) -> None:
    assert whole_text_labels(make_tagger(**readings).model.config) == layers


def in_parts(tagger: Tagger, texts: list[str], ended: Callable[[], object] = lambda: None) -> list[str]:
    """The documents of texts, in parts of seven sentences, to the last bit."""
    drafts = (document_of_text(text, tagger.model.text_rules) for text in texts)
    return [repr(document) for document in predict_in_parts(drafts, tagger.backend, size=7, ended=ended)]


def test_parts_do_not_depend_on_those_before() -> None:
    ends: list[int] = []
    taken: list[str] = []
    drafts = (document_of_text(text, TAGGER.model.text_rules) for text in TEXTS)
    for document in predict_in_parts(drafts, TAGGER.backend, size=7, ended=lambda: ends.append(len(taken))):
        taken.append(repr(document))
    assert len(ends) > 3, "each part ends when its last document was taken"
    assert taken == in_parts(make_tagger(), TEXTS)
    for end in ends:
        assert in_parts(TAGGER, TEXTS[end:]) == taken[end:]


def test_documents_before_an_error_come_before_it_also_in_parts() -> None:
    def drafts() -> Iterator[Document]:
        for text in TEXTS[:20]:
            yield document_of_text(text, TAGGER.model.text_rules)
        raise DataError("broken")

    found = predict_in_parts(drafts(), TAGGER.backend, size=7)
    assert len(list(islice(found, 20))) == 20
    with pytest.raises(DataError, match="broken"):
        next(found)


def test_nothing_is_one_part_without_documents() -> None:
    assert in_parts(TAGGER, []) == []
