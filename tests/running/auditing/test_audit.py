"""Label errors in a training set are found by models that did not see them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tagger import Corpus, DataError, Recipe, RecipeError, RunListener, Sentence, audit, load, train
from tagger.config import load_recipe
from tagger.reporting.audit import Audit
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, TagLayer

PEOPLE = ("Ada", "Bob", "Eve", "Max", "Zoe")
PLACES = ("Oslo", "Rome", "Bonn", "Lima")
VERBS = {"lives": "calm", "works": "busy", "sleeps": "calm"}
SMALL: dict[str, Any] = {
    "embeddings": {"dimension": 8, "char_hidden": 4},
    "encoder": {"hidden_size": 8},
    "training": {"epochs": 6, "batch_size": 4, "learning_rate": 0.05},
}
NER = {"ner": {"kind": "tokens"}}


def sentences() -> list[Sentence]:
    """Sentences of five words whose entities, tags and label follow from the words."""
    found = []
    for person, verb, place in product(PEOPLE, VERBS, PLACES):
        layers: dict[str, TagLayer | Label] = {
            "ner": TagLayer(("B-PER", "O", "O", "B-LOC", "O"), "iob2", "iob2"),
            "pos": TagLayer(("N", "V", "P", "N", "X")),
            "mood": Label(VERBS[verb]),
        }
        found.append(Sentence.from_tokens([person, verb, "in", place, "."], layers))
    return found


CLEAN = sentences()


def changed(layer: str, wrong: dict[int, str]) -> list[Sentence]:
    """The sentences with another value of a layer in some of them."""
    found = list(CLEAN)
    for i, value in wrong.items():
        scheme: Scheme | None = "iob2" if layer == "ner" else None
        other = Label(value) if layer == "mood" else TagLayer(tuple(value.split()), scheme, scheme)
        found[i] = replace(found[i], layers={**found[i].layers, layer: other})
    return found


def recipe(heads: dict[str, Any] = NER, **more: Any) -> Recipe:
    return Recipe(heads=heads, **{**SMALL, **more})


def run(train: Sequence[Sentence], heads: dict[str, Any] = NER, **settings: Any) -> Audit:
    return audit(recipe(heads), corpus=Corpus(train, dev=CLEAN[::6]), **{"folds": 2, "threads": 1, **settings})


WRONG = {3: "O O O B-LOC O", 17: "B-LOC O O B-LOC O", 30: "B-PER I-PER O B-LOC O", 44: "B-PER O O O O"}


@pytest.fixture(scope="module")
def audited() -> Audit:
    return run(changed("ner", WRONG))


def test_corrupted_entities_are_found_among_as_many_suspects(audited: Audit) -> None:
    found = audited.suspects["ner"]
    texts = {" ".join(CLEAN[i].tokens) for i in WRONG}
    assert {suspect.sentence.text for suspect in found.ranked[: len(WRONG)]} == texts
    kinds = sorted(suspect.kind for suspect in found.ranked[: len(WRONG)])
    assert kinds == ["missing entity", "missing entity", "wrong boundary", "wrong type"]
    assert found.number >= len(WRONG)
    assert (audited.sentences, audited.folds, audited.notes) == (60, 2, ())


def test_suspects_are_written_for_programs_and_for_people(audited: Audit, tmp_path: Path) -> None:
    audited.save(tmp_path / "suspects.jsonl")
    audited.save(tmp_path / "suspects.txt")
    rows = [json.loads(line) for line in (tmp_path / "suspects.jsonl").read_text().splitlines()]
    assert rows == audited.to_dict()["suspects"]["ner"]
    assert len(rows) == audited.suspects["ner"].number
    assert {"place", "layer", "kind", "gold", "proposed", "probability", "gold_probability", "text"} <= rows[0].keys()
    compared, score, first, *lines = (tmp_path / "suspects.txt").read_text().splitlines()
    assert compared == "60 train sentences compared; not compared: 10 dev"
    assert score.startswith("ner: F1 0.")
    assert first.startswith(f"ner: {len(rows)} suspects among 118 gold entities: ")
    assert len(lines) == len(rows)
    with pytest.raises(RecipeError, match=r"the name must end in \.jsonl or \.txt, got \.csv"):
        audited.save(tmp_path / "suspects.csv")


def test_tags_and_labels_of_one_network_are_audited_together() -> None:
    heads = {"pos": {"kind": "tokens", "scheme": "none"}, "mood": {"kind": "sentence"}}
    train = changed("pos", {7: "N V V N X"})
    label = train[21].label("mood").value
    train[21] = changed("mood", {21: "busy" if label == "calm" else "calm"})[21]
    train[3] = Sentence.from_tokens(train[3].tokens, {"pos": TagLayer(("N", None, "P", None, "X"))})
    longer = recipe(heads, training={**SMALL["training"], "epochs": 12})
    found = audit(longer, corpus=Corpus(train, dev=CLEAN[::6]), folds=2, threads=1).suspects
    assert (found["pos"].ranked[0].sentence, found["pos"].ranked[0].tokens) == (train[7], (2, 3))
    assert found["mood"].ranked[0].sentence == train[21]
    assert (found["pos"].noun, found["pos"].total) == ("token", 298)
    assert (found["mood"].noun, found["mood"].total) == ("sentence", 59)


@pytest.mark.parametrize(("layer", "value"), [("ner", "O O O O O"), ("mood", "calm")])
def test_a_layer_with_one_class_has_no_suspects(layer: str, value: str) -> None:
    train = changed(layer, dict.fromkeys(range(len(CLEAN)), value))
    heads = NER if layer == "ner" else {"mood": {"kind": "sentence"}}
    corpus = Corpus(train, dev=train[::6])
    found = audit(recipe(heads, training={"epochs": 1}), corpus=corpus, folds=2, threads=1).suspects[layer]
    assert (found.ranked, found.number) == ((), 0)


def test_documents_are_not_split_and_too_few_of_them_are_an_error() -> None:
    train = [replace(sentence, document=f"d{i % 2}") for i, sentence in enumerate(CLEAN)]
    with pytest.raises(DataError, match="each document stays whole, so 3 folds need at least 3 of them, got 2"):
        run(train, folds=3)
    with pytest.raises(ValueError, match="folds must be at least 2, got 1"):
        run(CLEAN, folds=1)


class Interrupting(RunListener):
    """Interrupts the training of a fold."""

    def __init__(self, fold: int) -> None:
        self.left, self.said = fold, list[str]()

    def noted(self, message: str) -> None:
        self.said.append(message)

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        self.left -= step == 1
        if not self.left:
            raise KeyboardInterrupt


def test_an_interrupt_ends_the_audit_with_the_folds_that_are_done() -> None:
    listener = Interrupting(2)
    found = audit(recipe(training={"epochs": 1}), corpus=Corpus(CLEAN, dev=CLEAN[::6]), folds=3, listener=listener)
    assert (found.sentences, found.notes[0]) == (
        20,
        "stopped in fold 2 of 3: 40 train sentences of 60 were not compared",
    )
    assert [said.split(";")[0] for said in listener.said if said.startswith("fold")] == ["fold 1 of 3", "fold 2 of 3"]
    with pytest.raises(KeyboardInterrupt):
        audit(recipe(), corpus=Corpus(CLEAN, dev=CLEAN[::6]), folds=2, listener=Interrupting(1))


def test_several_corpora_are_audited_without_teachers_and_the_runs_are_kept(tmp_path: Path) -> None:
    parts = {name: {"format": "synthetic", "sentences": size} for name, size in (("a", 20), ("b", 30))}
    (tmp_path / "raw.txt").write_text("Ada lives in Oslo .\n")
    raw = {"format": "text", "train": str(tmp_path / "raw.txt")}
    heads = {"sentiment": {"kind": "sentence", "teacher": "teacher.toml", "teacher_weight": 0.5}, **NER}
    wanted = recipe(heads, corpora={"raw": raw, **parts}, training={"epochs": 1})
    found = audit(wanted, folds=2, seed=3, keep=tmp_path / "kept")
    assert (found.sentences, found.seed, found.suspects["sentiment"].total) == (50, 3, 50)
    assert found.notes[:2] == (
        "the teachers of `sentiment` were ignored, because they may know the labels",
        "corpus `raw` was ignored, because it has no layer of a head",
    )
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {"fold-1", "fold-2"}
    assert load(tmp_path / "kept" / "fold-2").layers == ("sentiment", "ner")
    assert load_recipe(tmp_path / "kept" / "fold-2" / "recipe.toml").all_corpora().keys() == parts.keys()


def test_models_that_learned_too_little_are_reported_with_their_score() -> None:
    heads = {**NER, "mood": {"kind": "sentence"}}
    training = {**SMALL["training"], "epochs": 1, "learning_rate": 0.00001}
    found = audit(recipe(heads, training=training), corpus=Corpus(CLEAN), folds=2, threads=1)
    assert found.left_out == {"dev": 6}
    assert found.suspects["mood"].guess == pytest.approx(2 / 3, abs=0.05)
    assert not any(suspects.is_reliable for suspects in found.suspects.values())
    assert [note.split(" (")[0] for note in found.notes] == [
        f"layer `{layer}`: the models learned too little" for layer in ("ner", "mood")
    ]
    assert found.to_dict()["layers"]["ner"]["f1"] == found.suspects["ner"].score < 0.5


def test_a_model_that_is_kept_teaches_no_fold(tmp_path: Path) -> None:
    train(recipe(training={"epochs": 1}), corpus=Corpus(CLEAN), output=tmp_path / "old")
    following = Recipe(heads=NER, start=str(tmp_path / "old"), keep=0.3, training={"epochs": 1})
    found = audit(following, corpus=Corpus(CLEAN), folds=2, keep=tmp_path / "kept")
    assert "`keep` was ignored, because the model in `start` may know the labels" in found.notes
    kept = load_recipe(tmp_path / "kept" / "fold-1" / "recipe.toml")
    assert (kept.start, kept.keep) == (str(tmp_path / "old"), None)
