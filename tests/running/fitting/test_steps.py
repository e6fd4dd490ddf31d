"""Steps of a training: what an epoch reads, replaced mentions, the training on train and dev, and interruptions."""

import json
from pathlib import Path

import pytest
from small_recipes import NER, SYNTHETIC
from small_runs import (
    FILES,
    SENTIMENT,
    Interrupter,
    Notes,
    make_conll_recipe,
    make_recipe,
    make_two_corpora,
    same_bits,
    weights,
)

from tagger.corpus.synthetic import generate
from tagger.errors import ModelError
from tagger.running.run import RunListener
from tagger.running.train import train
from tagger.tagging import load


def test_a_corpus_with_a_weight_is_drawn_as_often(tmp_path: Path) -> None:
    class Counter(RunListener):
        steps = 0

        def started(self, num_epochs: int, num_steps: int) -> None:
            self.steps = num_steps

    recipe = make_two_corpora(tmp_path)
    counts = []
    for weight in ("1.0", "5.0"):
        listener = Counter()
        train(recipe, overrides=[f"corpora.one.weight={weight}", "training.epochs=1"], listener=listener)
        counts.append(listener.steps)
    assert counts == [4, 10]  # 12 and 12 sentences in eights, then 5 * 12 and 12


def test_an_interrupted_run_keeps_the_best_model_and_reports_no_score(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    listener = Interrupter(epoch=1)
    run = train(recipe, output=tmp_path / "run", listener=listener, overrides=["training.epochs=50"])
    assert run.outcome.interrupted
    assert "not scored on test, because training was stopped" in listener.said
    with pytest.raises(ModelError, match="already holds a run that was stopped; use another one"):
        train(recipe, output=tmp_path / "run")
    assert run.report is None
    assert {path.name for path in run.folder.iterdir()} == FILES
    assert same_bits(load(run.folder).network.state_dict(), weights(run))
    assert "This model was not scored on a test split." in (run.folder / "model" / "README.md").read_text()


def test_an_interrupted_run_leaves_no_scores_of_an_earlier_run(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    train(recipe, output=tmp_path / "run", overrides=["training.epochs=1"])
    run = train(recipe, output=tmp_path / "run", overwrite=True, listener=Interrupter(epoch=1))
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert (report["scores"], report["split"], report["ended"]) == ({}, None, run.outcome.reason)


def test_a_run_interrupted_before_any_score_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(make_recipe(tmp_path, SYNTHETIC, NER), output=tmp_path / "run", listener=Interrupter(step=1))
    assert not (tmp_path / "run").exists()


class AtRefit(Interrupter):
    """Presses Ctrl-C at the first step of the training on train and dev."""

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        if any(note.startswith("training again") for note in self.said):
            raise KeyboardInterrupt


def make_refit(folder: Path) -> Path:
    train_sentences = [f"Ada/B-PER ran{i}/O" for i in range(20)]
    dev = ["Bo/B-LOC fell/O", "Bo/B-LOC fell/O"]
    return make_conll_recipe(folder, train=train_sentences, dev=dev, test=["Bo/B-LOC fell/O"])


def test_a_refit_learns_from_dev_and_reports_the_dev_scores_before(tmp_path: Path) -> None:
    recipe = make_refit(tmp_path)
    before = train(recipe).report.to_dict()
    run = train(recipe, overrides=["training.refit=true"])
    report = run.report.to_dict()
    assert {"Bo", "fell"} <= set(run.tagger.backend.model.vocabulary.words)
    assert "S-LOC" in run.tagger.backend.model.vocabulary.labels["ner"]
    assert {key: report[key] for key in ("epoch", "dev", "dev_scores")} == {
        key: before[key] for key in ("epoch", "dev", "dev_scores")
    }
    assert (before["train_sentences"], report["train_sentences"]) == (20, 22)
    assert [Path(path).name for path in report["train_files"]] == ["train.conll", "dev.conll"]
    epochs = "1 epoch" if report["epoch"] == 1 else f"{report['epoch']} epochs"
    assert report["notes"][-1] == (
        f"the model was trained again on train and dev for {epochs}, which dev had chosen; the dev scores are those of "
        "the model before, which was trained on train alone"
    )
    assert same_bits(weights(run), weights(train(recipe, overrides=["training.refit=true"])))


def test_dev_of_each_corpus_joins_its_own_train(tmp_path: Path) -> None:
    listener = Interrupter()
    corpora = "".join(
        f'[corpora.{name}]\nformat = "synthetic"\nsentences = {size}\n' for name, size in (("a", 40), ("b", 60))
    )
    recipe = make_recipe(tmp_path, corpora, NER)
    train(recipe, listener=listener, overrides=["training.refit=true", "corpora.a.weight=0.5"])
    shares = [note for note in listener.said if note.startswith("an epoch has")]
    assert shares == [
        "an epoch has 20 of 40 a, 60 of 60 b sentences",
        "an epoch has 22 of 44 a, 66 of 66 b sentences",
    ]
    assert "training again on all 110 sentences of train and dev" in "".join(listener.said)


def test_an_interrupted_refit_keeps_the_model_that_dev_has_chosen(tmp_path: Path) -> None:
    recipe, listener = make_refit(tmp_path), AtRefit()
    run = train(recipe, listener=listener, output=tmp_path / "run", overrides=["training.refit=true"])
    assert same_bits(weights(run), weights(train(recipe)))
    assert (run.outcome.interrupted, run.report) == (True, None)
    assert json.loads((tmp_path / "run" / "report.json").read_text())["train_sentences"] == 20
    assert "stopped before that has ended; the model is the one that dev has chosen" in listener.said


def test_replaced_mentions_are_learned_but_are_no_words_or_sentences_of_train(tmp_path: Path) -> None:
    names = [f"{first}/B-PER ran{i}/O" for i, first in enumerate(["Ada", "Bo", "Cy"])]
    recipe = make_conll_recipe(tmp_path, train=names, dev=["Ada/B-PER sat/O"], test=["Ada/B-PER sat/O"])
    listener, replacing = Interrupter(), ["training.mention_replacement=0.9"]
    run = train(recipe, listener=listener, overrides=replacing, seed=5)
    plain = train(recipe, seed=5)
    assert "train has 3 added sentences: changed copies (`mention_replacement`)" in listener.said
    report = run.report.to_dict()
    assert (report["train_sentences"], report["added_sentences"]) == (3, 3)
    assert "added_sentences" not in plain.report.to_dict()
    assert run.tagger.backend.model.vocabulary == plain.tagger.backend.model.vocabulary
    assert not same_bits(weights(run), weights(plain))
    assert same_bits(weights(run), weights(train(recipe, overrides=replacing, seed=5)))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('"balanced"', lambda counts: [sum(counts) / (3 * count) for count in counts]),
        ("{ positive = 3 }", lambda counts: [1.0, 1.0, 3.0]),
    ],
)
def test_class_weights_reach_the_loss(tmp_path: Path, given: str, expected: object) -> None:
    run = train(make_recipe(tmp_path, SYNTHETIC, SENTIMENT, f"class_weights = {given}"))
    train_part = list(generate(40, seed=1, split="train"))
    names = run.tagger.model.vocabulary.labels["sentiment"]
    assert names == ["negative", "neutral", "positive"]
    counts = [sum(s.label("sentiment").value == name for s in train_part) for name in names]
    found = run.tagger.network.heads["sentiment"].class_weights
    assert found.tolist() == pytest.approx(expected(counts))


def test_a_layer_of_one_class_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("good\tfine film\n" * 3)
    data = '[data]\nformat = "labelled"\nlayer = "sentiment"\ntrain = "a.txt"\ndev = "a.txt"\n'
    listener = Notes()
    train(make_recipe(tmp_path, data, SENTIMENT), overrides=["training.epochs=1"], listener=listener)
    assert "train has only one label of `sentiment`, good, so its head has nothing to learn" in listener.said


def test_sampling_over_corpora_is_said_and_done(tmp_path: Path) -> None:
    corpora = "".join(
        f'[corpora.{name}]\nformat = "synthetic"\nsentences = {n}\n' for name, n in (("big", 400), ("small", 100))
    )
    listener = Notes()
    path = make_recipe(tmp_path, corpora, SENTIMENT)
    train(path, overrides=["training.sampling=even", "training.epochs=1"], listener=listener)
    assert "an epoch has 250 of 400 big, 250 of 100 small sentences" in listener.said
