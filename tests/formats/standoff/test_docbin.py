"""DocBin: what spaCy writes is read, and what is written spaCy reads."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import readers
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import DocBin

from tagger.conversion.writing import write_sentences
from tagger.corpus.corpus import load_corpus
from tagger.doctor.check import check
from tagger.errors import DataError
from tagger.text.sentence import Label, Sentence, TagLayer
from tagger.text.tokenization import sentence_from_text


def make_file(path: Path, *, cats: dict[str, float] | None = None) -> Path:
    doc = spacy.blank("en")("Ada went to  New York.")
    doc.set_ents([doc.char_span(0, 3, label="PER"), doc.char_span(13, 21, label="LOC")])
    doc.spans["parts"] = [doc.char_span(17, 21, label="NAME")]
    doc.cats = cats or {}
    path.write_bytes(DocBin(docs=[doc], store_user_data=True).to_bytes())
    return path


def test_entities_groups_and_the_class_are_layers(tmp_path: Path) -> None:
    (sentence,) = readers.read("docbin", make_file(tmp_path / "a.spacy", cats={"trip": 1.0, "food": 0.0}))
    assert sentence.tokens == ("Ada", "went", "to", "New", "York", ".")
    assert sentence.tags("ner") == ("B-PER", "O", "O", "B-LOC", "I-LOC", "O")
    assert sentence.tags("parts") == ("O", "O", "O", "O", "B-NAME", "O")
    assert sentence.label("label") == Label("trip")


def test_check_and_training_read_it(tmp_path: Path) -> None:
    path = make_file(tmp_path / "train.spacy")
    diagnosis = check(path)
    assert (diagnosis.format, list(diagnosis.errors)) == ("docbin", [])
    corpus = load_corpus(train=path, dev=path, format="docbin")
    assert [span.type for span in corpus.train[0].spans("ner")] == ["PER", "LOC"]


@pytest.mark.parametrize("data", [b"", b"no such file", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_what_is_no_docbin_is_one_sentence(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.spacy"
    path.write_bytes(data)
    with pytest.raises(DataError, match="must be a DocBin of spaCy 3"):
        readers.read("docbin", path)


TEXTS = st.text("Ada .,\n\tü👍-", min_size=1, max_size=20).filter(str.strip)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXTS, st.sampled_from(["good", "bad"])), min_size=1, max_size=3), st.data())
def test_texts_come_back(texts: list[tuple[str, str]], data: Any) -> None:
    sentences = []
    for text, label in texts:
        sentence = sentence_from_text(text)
        tags = tuple(data.draw(st.sampled_from(["O", "B-X"])) for _ in sentence.tokens)
        layers = {"ner": TagLayer(tags, "iob2"), "label": Label(label)}
        sentences.append(Sentence(sentence.tokens, text, sentence.offsets, layers))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "a.spacy"
        write_sentences(file, sentences, format="docbin")
        again = readers.read("docbin", file)
    assert [(s.text, s.tokens, s.offsets, s.tags("ner"), s.label("label").value) for s in again] == [
        (s.text, s.tokens, s.offsets, s.tags("ner"), s.label("label").value) for s in sentences
    ]
