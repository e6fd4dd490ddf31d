"""Several runs of one recipe, one after another in this process."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from small_recipes import NER, SMALL, SYNTHETIC

import tagger
from tagger.config import Recipe, load_recipe
from tagger.corpus.synthetic import generate
from tagger.errors import DataError, ModelError, RecipeError, TaggerError
from tagger.metrics.entities import score_entities
from tagger.reporting.report import load_report
from tagger.running.several import processes
from tagger.running.several.processes import GroupListener
from tagger.running.several.training import train_several


class Recorder(GroupListener):
    """Keeps what it receives."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.notes: list[tuple[str, str]] = []
        self.results: dict[str, str] = {}

    def began(self, name: str, of: int) -> None:
        self.begun.append(f"{name} of {of}")

    def noted(self, name: str, message: str) -> None:
        self.notes.append((name, message))

    def ended(self, name: str, result: str) -> None:
        self.results[name] = result


def make_recipe(folder: Path, *parts: str) -> Path:
    path = folder / "small.toml"
    path.write_text("\n".join((*(parts or (SYNTHETIC, NER)), SMALL)))
    return path


def weights(folder: Path) -> bytes:
    return (folder / "model" / "weights.safetensors").read_bytes()


def test_runs_equal_those_of_train_on_the_data_of_the_recipe_and_are_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, output = make_recipe(tmp_path, "seed = 4", SYNTHETIC, NER), tmp_path / "runs"
    group = train_several(recipe, seeds=[1, 2], output=output, threads=1)
    tagger.train(recipe, seed=2, overrides=["data.seed=4"], output=tmp_path / "alone", threads=1)
    assert weights(output / "seed-2") == weights(tmp_path / "alone") != weights(output / "seed-1")
    golds = [[row["tokens"] for row in report_of(output / f"seed-{seed}")["sentences"]] for seed in (1, 2)]
    assert golds[0] == golds[1] == [list(s.tokens) for s in generate(4, seed=4, split="test")]
    assert load_recipe(output / "seed-2" / "recipe.toml").data == load_recipe(recipe, ["data.seed=4"]).data
    scores = [report_of(output / f"seed-{seed}")["scores"]["ner"]["f1"] for seed in (1, 2)]
    assert list(group.scores["ner"]["test"]["f1"].values) == scores
    assert json.loads((output / "seeds.json").read_text()) == json.loads(json.dumps(group.to_dict()))
    assert (output / "seeds.md").read_text() == group.to_markdown()
    assert (output / "seeds.tex").read_text() == group.to_latex()

    made: list[str] = []
    monkeypatch.setattr(processes, "train", lambda *_, output, **__: made.append(output.name) or finished_run())
    recorder = Recorder()
    with pytest.raises(DataError, match="seed-3"):  # the run that was not really made
        train_several(recipe, seeds=[1, 3], output=output, listener=recorder)
    assert (made, recorder.begun) == (["seed-3"], ["seed-3 of 1"])
    assert recorder.notes[0][0] == "seed-1"
    assert recorder.notes[0][1].startswith("used again: dev ner ")


def report_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return found


def finished_run() -> Any:
    return type("Run", (), {"outcome": type("Outcome", (), {"interrupted": False})})


def test_each_train_sentence_is_tested_once_and_the_pooled_score_is_that_of_all_sentences(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC.replace("40", "150"), NER, "[data.split]\nfold = [1, 2]\n")
    recipe.write_text(recipe.read_text().replace("epochs = 2", "epochs = 8"))
    group = train_several(recipe, folds=3, output=tmp_path / "runs", threads=1)
    reports = [load_report(tmp_path / "runs" / f"fold-{k}-of-3") for k in (1, 2, 3)]
    layers = [report.layers["ner"] for report in reports]
    gold = [sentence for layer in layers for sentence in layer.gold]
    predicted = [sentence for layer in layers for sentence in layer.predicted]
    wanted = [sentence.tokens for sentence in generate(150, seed=1, split="train")]
    assert sorted(sentence.tokens for sentence in gold) == sorted(wanted)
    pooled = score_entities(
        *([[str(tag) for tag in s.tags("ner", scheme="bioes")] for s in side] for side in (gold, predicted)), "bioes"
    )
    assert group.pooled["ner"]["f1"] == pytest.approx(pooled.headline)
    assert 0 < pooled.headline < 1
    assert len(group.scores["ner"]["test"]["f1"].values) == 3
    assert json.loads((tmp_path / "runs" / "folds.json").read_text())["pooled"]["ner"]["f1"] == pooled.headline


def test_a_run_that_fails_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "seed-1").write_text("in the way")
    recorder = Recorder()
    group = train_several(make_recipe(tmp_path), seeds=[1, 2], output=tmp_path / "runs", listener=recorder)
    assert list(group.reports) == ["seed-2"]
    assert "seed-1: the folder of a run must be writable" in group.failed["seed-1"]
    assert recorder.results["seed-1"] == f"failed: {group.failed['seed-1']}"
    (tmp_path / "runs" / "seed-2").rename(tmp_path / "seed-2")
    (tmp_path / "runs" / "seed-2").write_text("in the way")
    with pytest.raises(TaggerError, match=r"no run has finished\nseed-1: .*\nseed-2: "):
        train_several(make_recipe(tmp_path), seeds=[1, 2], output=tmp_path / "runs")


def test_a_run_that_was_stopped_is_made_anew_and_ends_the_others(tmp_path: Path) -> None:
    recipe, output = make_recipe(tmp_path), tmp_path / "runs"

    class Stopper(Recorder):
        def scored(self, name: str, epoch: Any) -> None:
            if name == "seed-2":
                raise KeyboardInterrupt

    group = train_several(recipe, seeds=[1, 2, 3], output=output, listener=Stopper())
    assert (list(group.reports), group.stopped) == (["seed-1"], ["seed-2", "seed-3"])
    assert report_of(output / "seed-2")["ended"] == "stopped by the user"
    assert not (output / "seed-3").exists()
    before = weights(output / "seed-1")
    recorder = Recorder()
    again = train_several(recipe, seeds=[1, 2, 3], output=output, listener=recorder)
    assert recorder.begun == ["seed-2 of 2", "seed-3 of 2"]
    assert len(again.reports) == 3
    assert weights(output / "seed-1") == before
    with pytest.raises(KeyboardInterrupt):
        train_several(recipe, seeds=[2, 3], output=output, listener=Stopper(), overwrite=True)
    train_several(recipe, seeds=[3], output=output, overrides=["training.epochs=1"], overwrite=True)
    assert (output / "seed-3" / "log.jsonl").read_text().count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"seeds": [1], "folds": 2}, ValueError, "either seeds or folds"),
        ({}, ValueError, "either seeds or folds"),
        ({"seeds": [1], "seed": 2}, ValueError, "either seed or seeds"),
        ({"seeds": [1], "jobs": 0}, ValueError, "jobs must be at least 1"),
        ({"seeds": [1, 1]}, RecipeError, "seeds must be different"),
        (
            {"folds": 41},
            TaggerError,
            "fold-1-of-41 and 40 more: each sentence stays whole, so 41 folds need at least 41",
        ),
        ({"seeds": [1], "device": "tpu"}, ModelError, "tpu"),
        (
            {"seeds": [1, 2], "overrides": ["training.epochs=1"]},
            DataError,
            "`training.epochs` 2 instead of 1; use",
        ),
    ],
)
def test_what_cannot_be_done_is_refused_in_one_sentence(
    tmp_path: Path, arguments: Mapping[str, Any], kind: type[Exception], message: str, made: Path
) -> None:
    with pytest.raises(kind) as refused:
        train_several(make_recipe(tmp_path), **{"output": made, **arguments})
    assert message in str(refused.value)
    assert not (made / "seed-2").exists()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of one run with seed 1."""
    folder = tmp_path_factory.mktemp("made")
    group = train_several(make_recipe(folder), seeds=[1], output=folder / "runs")
    assert group.notes()[1] == "one run has no standard deviation"
    return folder / "runs"


def test_several_runs_are_not_put_into_a_run(tmp_path: Path, made: Path) -> None:
    with pytest.raises(ModelError, match="must be for several runs, but holds a run; use another one"):
        train_several(make_recipe(tmp_path), seeds=[1], output=made / "seed-1")


def test_teachers_are_trained_with_each_seed_and_their_runs_are_used_again(tmp_path: Path) -> None:
    (tmp_path / "teacher.toml").write_text("\n".join((SYNTHETIC, NER, SMALL)))
    other = '[heads.upos]\nkind = "tokens"\nscheme = "none"\n'
    for name, layer in (("one", "ner"), ("two", "upos")):
        rows = [f"{word}\t{tag}\n" for word, tag in (("Ada", "B-PER" if layer == "ner" else "PROPN"), ("sings", "O"))]
        (tmp_path / f"{name}.conll").write_text("\n".join(["".join(rows)] * 6))
    corpora = "".join(
        f'[corpora.{name}]\nformat = "conll"\ncolumns = ["token", "{layer}"]\ntrain = "{name}.conll"\n'
        for name, layer in (("one", "ner"), ("two", "upos"))
    )
    recipe = make_recipe(tmp_path, corpora, NER + 'teacher = "teacher.toml"\n', other)
    train_several(recipe, seeds=[1, 2], output=tmp_path / "runs")
    teachers = [tmp_path / "runs" / f"seed-{seed}" / "teachers" / "teacher" for seed in (1, 2)]
    assert [report_of(teacher)["seed"] for teacher in teachers] == [1, 2]
    recorder = Recorder()
    train_several(recipe, seeds=[1, 2], output=tmp_path / "runs", listener=recorder)
    assert recorder.begun == []


def test_runs_without_a_test_split_have_dev_scores_alone(tmp_path: Path) -> None:
    for name, words in (("train", ("Ada", "Oslo")), ("dev", ("Ada",))):
        lines = [f"{word}\tB-PER\nsings\tO\n" for word in words]
        (tmp_path / f"{name}.conll").write_text("\n".join(lines))
    data = '[data]\nformat = "conll"\ncolumns = ["token", "ner"]\ntrain = "train.conll"\ndev = "dev.conll"\n'
    group = train_several(make_recipe(tmp_path, data, NER), seeds=[1, 2], output=tmp_path / "runs")
    assert list(group.scores["ner"]) == ["dev"]
    assert list(group.scores["ner"]["dev"]) == ["f1"]
    assert "there is no test split, so these are scores on dev alone" in group.notes()


def test_a_corpus_made_in_python_is_folded(tmp_path: Path) -> None:
    corpus = tagger.Corpus(list(generate(30, seed=1, split="train")), dev=list(generate(5, seed=1, split="dev")))
    recipe = Recipe(
        heads={"ner": {"kind": "tokens"}},
        embeddings={"dimension": 8, "char_hidden": 6},
        encoder={"hidden_size": 8},
        training={"epochs": 1},
    )
    group = train_several(recipe, folds=2, output=tmp_path, corpus=corpus)
    assert group.notes()[0] == "the recipe: 2 runs, folds 1, 2"
    sizes = [report_of(tmp_path / f"fold-{k}-of-2")["scores"]["ner"]["sentences"] for k in (1, 2)]
    assert sizes == [15, 15]
