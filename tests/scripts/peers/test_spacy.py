"""spaCy reads the word vectors of recipes, and learns entities and tags."""

import gzip
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from peers.spacy import read_vectors, train_spacy
from peers.task import Task, scored

from tagger import Corpus, Sentence
from tagger.text.sentence import TagLayer


def test_vectors_of_several_files_stand_side_by_side(tmp_path: Path) -> None:
    one, two = tmp_path / "one.txt.gz", tmp_path / "two.txt"
    one.write_bytes(gzip.compress(b"a 1 2\nb 3 4\nother 5 6\n"))
    two.write_text("c 7\na 8\n", encoding="utf-8")
    words, vectors = read_vectors([one, two], {"a", "b", "c", "d"})
    assert words == ["a", "b", "c"]
    assert np.array_equal(vectors, [[1, 2, 8], [3, 4, 0], [0, 0, 7]])


@pytest.mark.parametrize("kind", ["entities", "tags"])
def test_a_sentence_is_learned_by_heart(kind: str) -> None:
    tags = TagLayer(("B-PER", "I-PER", "O", "B-LOC"), "iob2") if kind == "entities" else ["PROPN", "PROPN", "VERB", "X"]
    sentence = Sentence.from_tokens(["Ada", "Lovelace", "saw", "Rome"], {"layer": tags})
    task = Task("recipe", "layer", kind, Corpus([sentence] * 96, [sentence], [sentence]), ())
    (model,) = train_spacy(task, Namespace(epochs=8))
    assert scored(task, model, [sentence]) == 1.0
