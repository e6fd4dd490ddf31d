"""The comparison of one network with several: which runs are trained, how, and which are refused."""

import json
from pathlib import Path
from typing import Any

import compare_joint as script
import pytest

import tagger
from tagger.config import dump_recipe
from tagger.errors import TaggerError


def test_missing_runs_are_trained_with_their_seed_and_the_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[tuple[str, int, int]] = []

    def train(recipe: Path, *, output: Path, seed: int, threads: int, **_: Any) -> Any:
        made.append((recipe.stem, seed, threads))
        output.mkdir()
        report = {"scores": {"upos": {"accuracy": 0.5}}, "dev_scores": {}, "ended": "done"}
        (output / "report.json").write_text(json.dumps(report), encoding="utf-8")
        return type("Run", (), {"outcome": tagger.training.loop.Outcome([], "done")})

    monkeypatch.setattr(tagger, "train", train)
    folders = {("pos-ewt", seed): tmp_path / f"pos-ewt-{seed}" for seed in (1, 2)}
    script.train_missing(folders, tmp_path, 3)
    assert made == [("pos-ewt", 1, 3), ("pos-ewt", 2, 3)]
    assert "[2/2] pos-ewt seed 2: upos 0.5000; took" in capsys.readouterr().err


def test_the_joint_network_has_the_single_networks_of_its_seed_as_teachers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, list[str]]] = []
    scores = {layer: {"accuracy": 0.5} for layer in script.SINGLE}
    report = {"scores": scores, "dev_scores": {}, "ended": "done"}

    def train(recipe: Path, *, output: Path, overrides: list[str], **_: Any) -> Any:
        made.append((recipe.stem, overrides))
        output.mkdir()
        (output / "report.json").write_text(json.dumps(report), encoding="utf-8")
        return type("Run", (), {"outcome": tagger.training.loop.Outcome([], "done")})

    monkeypatch.setattr(tagger, "train", train)
    script.train_missing({(name, 2): tmp_path / f'{name} "2"' for name in script.LAYERS}, tmp_path, 1)
    assert [name for name, _ in made] == ["pos-ewt", "ner-wnut17", "sentiment-mr", "joint-english"]
    assert [overrides for _, overrides in made[:3]] == [[], [], []]
    recipe = tagger.load_recipe(script.RECIPES / "joint-english.toml", made[3][1])
    teachers = {layer: str(tmp_path / f'{name} "2"') for layer, name in script.SINGLE.items()}
    assert {layer: recipe.heads[layer].teacher for layer in teachers} == teachers


def test_all_files_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(TaggerError) as refused:
        script.test_tokens(tmp_path)
    assert all(name in str(refused.value) for name in ("en_ewt-ud-train", "wnut17train"))


def test_a_run_of_another_recipe_is_refused_before_any_training(tmp_path: Path) -> None:
    folders = {("pos-ewt", seed): tmp_path / f"pos-ewt-{seed}" for seed in (1, 2)}
    folders["pos-ewt", 2].mkdir()
    kept = tagger.load_recipe(script.RECIPES / "pos-ewt.toml", ["seed=2", "training.epochs=9"])
    (folders["pos-ewt", 2] / "recipe.toml").write_text(dump_recipe(kept), encoding="utf-8")
    with pytest.raises(TaggerError, match=r"expected a run of pos-ewt, but it has `training\.epochs` 9 instead of 10"):
        script.train_missing(folders, tmp_path, 1)
    assert not folders["pos-ewt", 1].exists()
