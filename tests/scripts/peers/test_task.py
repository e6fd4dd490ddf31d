"""What a tool learns: its answers are scored as ours are."""

from typing import Any

import pytest
from peers.task import Task, Trained, scored

from tagger import Corpus, Label, Sentence


@pytest.mark.parametrize(
    ("kind", "gold", "answer", "score"),
    [
        ("entities", "B-PER O B-LOC", ["B-PER", "O", "O"], 2 / 3),
        ("entities", "B-PER O B-LOC", ["B-PER", "I-PER", "B-LOC"], 1 / 2),
        ("tags", "PROPN VERB PROPN", ["PROPN", "VERB", "X"], 2 / 3),
        ("labels", "good", "good", 1.0),
        ("labels", "good", "bad", 0.0),
    ],
)
def test_answers_are_scored_as_ours_are(kind: str, gold: str, answer: Any, score: float) -> None:
    layer = Label(gold) if kind == "labels" else gold.split()
    given = Task("recipe", "layer", kind, Corpus([Sentence.from_tokens(["Ada", "saw", "Rome"], {"layer": layer})]), ())
    model = Trained("", lambda sentences: [answer] * len(sentences), 0, 0.0)
    assert scored(given, model, given.corpus.train) == pytest.approx(score)
