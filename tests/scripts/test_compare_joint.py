"""The comparison of one network with several: which runs are trained, how, and which are refused."""

import json
from pathlib import Path
from typing import Any

import compare_joint as script
import pytest

import tagger
from tagger.errors import TaggerError


@pytest.mark.parametrize("text", ["{broken", "{}", "[]", '{"scores": {}}', '{"scores": {"upos": {"accuracy": null}}}'])
def test_report_without_the_scores_is_refused_before_any_training(text: str, tmp_path: Path) -> None:
    folders = {("pos-ewt", seed): tmp_path / f"pos-ewt-{seed}" for seed in (1, 2)}
    folders["pos-ewt", 2].mkdir()
    (folders["pos-ewt", 2] / "report.json").write_text(text, encoding="utf-8")
    with pytest.raises(TaggerError, match=r"report\.json: expected the scores .* `upos` has none; remove .*-2 to"):
        script.train_missing(folders, tmp_path, 1)
    assert not folders["pos-ewt", 1].exists()


def test_missing_runs_are_trained_with_their_seed_and_the_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[tuple[str, int, int]] = []

    def train(recipe: Path, *, output: Path, seed: int, threads: int, **_: Any) -> Any:
        made.append((recipe.stem, seed, threads))
        output.mkdir()
        report = {"scores": {"upos": {"accuracy": 0.5}}}
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
    report = {"scores": {layer: {"accuracy": 0.5} for layer in script.SINGLE}}

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


def keep_run(folder: Path, name: str, overrides: list[str]) -> None:
    recipe = tagger.load_recipe(script.RECIPES / f"{name}.toml", overrides)
    (folder / "recipe.toml").write_text(tagger.config.dump_recipe(recipe), encoding="utf-8")
    report = {"scores": {layer: {"accuracy": 0.5} for layer in script.SINGLE}}
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")


@pytest.mark.parametrize(
    ("made_with", "message"),
    [
        (["heads.upos.weight=2"], "`heads.upos.weight` 2.0 instead of 1.0"),
        (["seed=3", "training.epochs=9"], "`seed` 3 instead of 2, `training.epochs` 9 instead of 10"),
    ],
)
def test_a_run_of_another_recipe_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_with: list[str], message: str
) -> None:
    monkeypatch.setattr(script, "describe_model", lambda _: {})
    keep_run(tmp_path, "pos-ewt", ["seed=2"])
    assert script.is_finished(tmp_path, "pos-ewt", 2, [])
    keep_run(tmp_path, "pos-ewt", ["seed=2", *made_with])
    with pytest.raises(TaggerError) as refused:
        script.is_finished(tmp_path, "pos-ewt", 2, [])
    assert str(refused.value) == (
        f"{tmp_path}: expected a run of pos-ewt, but it has {message}; remove {tmp_path} to train it again"
    )


def test_a_run_is_used_again_after_it_moved_with_its_teachers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "describe_model", lambda _: {})
    teachers = [script.teacher(layer, tmp_path / "here" / f"{name}-1") for layer, name in script.SINGLE.items()]
    keep_run(tmp_path, script.JOINT, [*teachers, "seed=1"])
    moved = [script.teacher(layer, tmp_path / "there" / f"{name}-1") for layer, name in script.SINGLE.items()]
    assert script.is_finished(tmp_path, script.JOINT, 1, moved)
    with pytest.raises(TaggerError, match=r"`heads\.upos\.teacher` 'pos-ewt-1' instead of 'pos-ewt\.toml'"):
        script.is_finished(tmp_path, script.JOINT, 1, [])


def test_a_run_without_its_recipe_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "describe_model", lambda _: {})
    keep_run(tmp_path, "pos-ewt", ["seed=2"])
    (tmp_path / "recipe.toml").unlink()
    with pytest.raises(TaggerError, match=r"the recipe of the run cannot be read: .*; remove .* to train it again"):
        script.is_finished(tmp_path, "pos-ewt", 2, [])
