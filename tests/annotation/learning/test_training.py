"""Training from judgements: what is learned, its score on held-out texts, and the reason of a failure."""

from dataclasses import replace
from pathlib import Path

import pytest
from annotation.projects import NAMES, judged_project, make_project

import tagger
from tagger.annotation.learning.training import learn, score, suggest_from_start
from tagger.annotation.project import Project
from tagger.annotation.store.trainings import AFTER
from tagger.errors import TaggerError
from tagger.tagging import Tagger
from tagger.text.document import Document
from tagger.text.sentence import Sentence


def test_new_types_are_learned_and_scored_on_texts_that_were_held_out(tmp_path: Path) -> None:
    project = judged_project(tmp_path / "notes.sqlite", types=["product", "organization"])
    assert not project.store.predictions.any()
    assert learn(project.store, epochs=12, threads=1, folder=tmp_path / "model")
    held = [text for text in project.store.texts.some(range(1, 61)) if project.store.settings.is_held_out(text.draw)]
    facts = project.store.trainings.all()[-1].facts
    assert facts["sentences"] == 60 - len(held)
    assert facts["score"]["sentences"] == len(held)
    assert facts["score"]["low"] is None or facts["score"]["low"] <= facts["score"]["f1"] <= facts["score"]["high"]
    assert project.store.predictions.on(70) is not None
    assert {span.type for span in project.item(70).suggestions} <= {"product", "organization"}
    loaded = tagger.load(tmp_path / "model")
    assert loaded.layers == ("ner",)
    project.close()


def test_types_that_the_start_knows_are_suggested_first_and_not_forgotten(tmp_path: Path) -> None:
    documents = [Document(line, (Sentence.from_tokens(line.split()),)) for line in NAMES * 3]
    project = Project.create(tmp_path / "notes.sqlite", documents, types=["PER", "ORG"], teach=False)
    suggest_from_start(project.store)
    assert [(s.start, s.end, s.type) for s in project.item(1).suggestions] == [(0, 2, "PER")]
    for number in range(1, 10, 3):
        project.judge(number, 0, 2, "PER")
    assert learn(project.store, epochs=3, threads=1, folder=tmp_path / "model")
    assert ("ORG", "European Commission") in [
        (s.type, s.text) for s in tagger.load(tmp_path / "model").tag(NAMES[1]).spans("ner")
    ]
    project.close()


def test_nothing_is_learned_without_an_entity(tmp_path: Path) -> None:
    project = make_project(tmp_path / "notes.sqlite", [f"a text of number {n}" for n in range(20)])
    for number in range(1, 21):
        project.judge_rest(number)
    assert not learn(project.store)
    assert project.store.trainings.all() == []


def test_score_is_that_of_the_report(english: Tagger) -> None:
    gold = [Sentence.from_tokens(line.split()) for line in NAMES]
    predicted = list(english.predict(gold))
    wanted = [replace(s, layers={"ner": p.layers["ner"]}) for s, p in zip(gold, predicted, strict=True)]
    found = score(english, "ner", ["PER", "LOC", "ORG", "MISC"], wanted)
    assert (found["f1"], found["low"], found["sentences"]) == (1.0, None, 3)


def test_training_that_fails_leaves_its_reason_and_the_judgements(tmp_path: Path) -> None:
    project = make_project(tmp_path / "notes.sqlite", ["Ada left"] * 20, start="nowhere")
    for number in range(1, 21):
        project.judge(number, 0, 1, "person")
    with pytest.raises(TaggerError, match="nowhere"):
        project.learn()
    found = project.progress()
    assert "nowhere" in found["error"]
    assert (found["trainings"], found["next_training_in"], found["judgements"]) == (0, AFTER, 20)
