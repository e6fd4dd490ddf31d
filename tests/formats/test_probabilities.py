"""Probabilities in JSON lines, which only scoring reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.faults import Faults
from tagger.formats.probabilities import settled
from tagger.formats.source import source_of
from tagger.formats.table import read_file
from tagger.formats.tally import Tally
from tagger.text.schemes import Boundary
from tagger.text.sentence import Label, Sentence, TagLayer, with_schemes

SPANS = [
    {"type": "PER", "start": 0, "end": 1, "score": 0.9},
    {"type": "LOC", "start": 2, "end": 4, "score": 0.4},
]
ROW = {
    "tokens": ["Ada", "in", "New", "York"],
    "tags": {"ner": ["B-PER", "O", "B-LOC", "I-LOC"], "upos": ["N", "P", "N", "N"]},
    "spans": {"ner": SPANS},
    "labels": {"mood": {"value": "good", "score": 0.7}, "intent": "go"},
    "tag_scores": {"ner": [0.9, 0.8, 0.7, 0.6], "upos": [1, 0, 0.5, 0.25]},
    "sequence_scores": {"ner": 0.3},
}


def read(tmp_path: Path, row: dict[str, Any], *, probabilities: bool = True) -> list[Sentence]:
    """The sentences of a file with one line."""
    path = tmp_path / "predicted.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    tally = Tally(probabilities=probabilities)
    return read_file("jsonl", source_of(path), ReadingConfig(format="jsonl"), tally, Faults())


def test_probabilities_are_read_where_they_are_wanted(tmp_path: Path) -> None:
    (sentence,) = read(tmp_path, ROW)
    spans = ((Boundary("PER", 0, 1), 0.9), (Boundary("LOC", 2, 4), 0.4))
    tags = ("B-PER", "O", "B-LOC", "I-LOC")
    assert sentence.tag_layer("ner") == TagLayer(tags, scores=(0.9, 0.8, 0.7, 0.6), scored_spans=spans, score=0.3)
    assert sentence.tag_layer("upos") == TagLayer(("N", "P", "N", "N"), scores=(1, 0, 0.5, 0.25))
    assert (sentence.label("mood"), sentence.label("intent")) == (Label("good", 0.7), Label("go"))
    (plain,) = read(tmp_path, ROW, probabilities=False)
    assert plain.tag_layer("ner") == TagLayer(tags)
    assert plain.label("mood") == Label("good")


def test_each_sentence_of_a_text_gets_its_probabilities(tmp_path: Path) -> None:
    labels = {"mood": [{"value": "good", "score": 0.7}, {"value": "bad", "score": 0.6}]}
    one, two = read(tmp_path, {**ROW, "sentences": [[0, 2], [2, 4]], "labels": labels})
    assert one.tag_layer("ner").scored_spans == ((Boundary("PER", 0, 1), 0.9),)
    assert two.tag_layer("ner").scored_spans == ((Boundary("LOC", 0, 2), 0.4),)
    assert (two.tag_scores("upos"), two.label("mood")) == ((0.5, 0.25), Label("bad", 0.6))


def test_spans_are_those_of_the_tags_in_their_scheme() -> None:
    spans = ((Boundary("LOC", 1, 2), 0.4), (Boundary("PER", 0, 1), 0.9))
    sentence = Sentence.from_tokens(["Ada", "York"], {"ner": TagLayer(("B-PER", "B-LOC"), scored_spans=spans)})
    found = settled(with_schemes(sentence, {"ner": "iob2"})).tag_layer("ner").scored_spans
    assert found == tuple(reversed(spans))
    assert settled(with_schemes(sentence, {"ner": "bioes"})).tag_layer("ner").scored_spans == ()
    one = Sentence.from_tokens(["Ada", "York"], {"ner": TagLayer(("B-PER", "B-LOC"), "iob2", scored_spans=spans[:1])})
    assert settled(one).tag_layer("ner").scored_spans is None


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("tag_scores", {"ner": [0.9]}, r"`tag_scores.ner` must have one probability per token, 4 in all, got \[0.9\]"),
    ("tag_scores", {"ner": [0.9, 2, 0, 0]}, "a probability of layer `ner` must be a number from 0 to 1, got 2"),
    ("labels", {"mood": {"value": "good", "score": "high"}}, "a number from 0 to 1, got 'high'"),
    ("sequence_scores", {"ner": True}, "a number from 0 to 1, got True"),
]


@pytest.mark.parametrize(("key", "value", "message"), WRONG)
def test_a_wrong_probability_is_named(tmp_path: Path, key: str, value: object, message: str) -> None:
    with pytest.raises(DataError, match=rf"predicted.jsonl:1: .*{message}"):
        read(tmp_path, {**ROW, key: value})
