"""Training from judgements: exact probabilities, scores on held-out texts, and the process beside the page."""

import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from annotation.projects import make_project

import tagger
from tagger.annotation.learning import learn, score, suggest_from_start
from tagger.annotation.project import Project
from tagger.annotation.store.texts import Text
from tagger.annotation.store.trainings import AFTER
from tagger.annotation.suggesting import gain, predictions, shown, span_layer
from tagger.annotation.worker import folder_of
from tagger.corpus.synthetic import generate
from tagger.errors import TaggerError
from tagger.tagging import Tagger
from tagger.text.document import Document
from tagger.text.sentence import Sentence

SENTENCES = list(islice(generate(80, seed=1, split="train"), 80))
NAMES = ["Barack Obama visited Paris in May .", "Siemens and the European Commission spoke .", "what about boston"]


@pytest.fixture(scope="module")
def english() -> Tagger:
    return tagger.load("english", backend="torch", threads=1)


def texts_of(lines: list[str]) -> list[Text]:
    return [Text(number, Sentence.from_tokens(line.split()), 1) for number, line in enumerate(lines, 1)]


def test_suggestions_have_the_exact_probabilities_of_the_model(english: Tagger) -> None:
    texts = texts_of(NAMES)
    assert span_layer(english, ["PER", "DRUG"]) == "ner"
    assert span_layer(english, ["DRUG"]) is None
    said = {each.text: each for each in predictions(english, "ner", ["PER", "LOC", "ORG", "MISC"], texts)}
    for text, sentence in zip(texts, english.predict([text.sentence for text in texts]), strict=True):
        found = {(start, end, type): probability for start, end, type, probability in said[text.id].spans}
        sure = {(s.start, s.end, s.type): s.score for s in sentence.spans("ner") if s.score and s.score > 0.5}
        assert sure
        assert {span: found[span] for span in sure} == pytest.approx(sure, abs=1e-3)


def test_suggestions_are_of_the_types_of_the_project_alone(english: Tagger) -> None:
    (said,) = predictions(english, "ner", ["LOC"], texts_of(NAMES[:1]))
    assert [span[:3] for span in said.spans] == [(3, 4, "LOC")]


def test_uncertain_entities_teach_most_and_overlapping_ones_are_not_suggested() -> None:
    sure, open_, other = (0, 1, "PER", 0.99), (2, 4, "PER", 0.5), (3, 5, "LOC", 0.4)
    assert gain([open_]) == 1.0 > gain([sure])
    assert gain([sure, open_, other]) == pytest.approx(1.82)
    assert shown([other, open_, sure]) == [sure, open_]


def judged_project(
    path: Path, *, texts: int = 80, types: list[str], start: str = "english", **settings: object
) -> Project:
    """A project all of whose texts are judged from gold."""
    documents = [Document(each.text, (replace(each, layers={}),)) for each in SENTENCES[:texts]]
    project = Project.create(path, documents, types=types, start=start, teach=False, **settings)  # type: ignore[arg-type]
    for number, sentence in enumerate(SENTENCES[: texts * 3 // 4], 1):
        for span in sentence.spans("ner"):
            if span.type in types:
                project.judge(number, span.start, span.end, span.type)
        project.judge_rest(number)
    return project


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


@pytest.mark.slow
def test_process_trains_beside_the_page(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    judged_project(path, types=["product", "organization"]).close()
    project = Project(path)
    try:
        until = time.monotonic() + 120
        while not project.progress()["trainings"]:
            assert time.monotonic() < until
            time.sleep(0.5)
        found = project.progress()
        assert found["next_training_in"] == AFTER
        assert found["error"] is None
        assert tagger.load(folder_of(path)).layers == ("ner",)
    finally:
        project.close()


def test_training_that_fails_leaves_its_reason_and_the_judgements(tmp_path: Path) -> None:
    project = make_project(tmp_path / "notes.sqlite", ["Ada left"] * 20, start="nowhere")
    for number in range(1, 21):
        project.judge(number, 0, 1, "person")
    with pytest.raises(TaggerError, match="nowhere"):
        project.learn()
    found = project.progress()
    assert "nowhere" in found["error"]
    assert (found["trainings"], found["next_training_in"], found["judgements"]) == (0, AFTER, 20)
