"""Runs that are already there: which are used again, made anew or refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from tagger.config import Recipe, dump_recipe
from tagger.errors import DataError, ModelError
from tagger.running.several import finished
from tagger.running.several.finished import is_finished
from tagger.training.loop import STOPPED

REPORT = {"scores": {"upos": {"accuracy": 0.5}}, "dev_scores": {"upos": 0.5}, "ended": "all epochs done"}


def make_recipe(seed: int = 2, weight: float = 1.0, teacher: str | None = None, **training: Any) -> Recipe:
    head = {"kind": "tokens", "scheme": "none", "weight": weight, **({"teacher": teacher} if teacher else {})}
    data = {"format": "conllu", "train": "train.conllu"}
    return Recipe(seed=seed, data=data, heads={"upos": head}, training=training)


def keep_run(folder: Path, recipe: Recipe | None, **report: Any) -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    if recipe is not None:
        (folder / "recipe.toml").write_text(dump_recipe(recipe), encoding="utf-8")
    (folder / "report.json").write_text(json.dumps({**REPORT, **report}), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def sound_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finished, "describe_model", lambda _: {})


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        (make_recipe(weight=2.0), "`heads.upos.weight` 2.0 instead of 1.0"),
        (make_recipe(seed=3, epochs=9), "`seed` 3 instead of 2, `training.epochs` 9 instead of 30"),
    ],
)
@pytest.mark.parametrize("has_report", [True, False])
def test_a_run_of_another_recipe_is_refused(tmp_path: Path, kept: Recipe, message: str, has_report: bool) -> None:
    message = message.replace("30", str(make_recipe().training.epochs))
    keep_run(tmp_path, kept)
    if not has_report:
        (tmp_path / "report.json").unlink()
    with pytest.raises(DataError) as refused:
        is_finished(tmp_path, make_recipe(), "pos")
    advice = "use another folder, or replace the run with --overwrite (overwrite=True in Python)"
    expected = f"{tmp_path}: expected a run of pos, but it has {message}; {advice}"
    assert str(refused.value) == expected


def test_only_a_run_that_ended_by_itself_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_finished(tmp_path / "missing", make_recipe(), "pos")
    assert is_finished(keep_run(tmp_path, make_recipe()), make_recipe(), "pos")
    assert not is_finished(keep_run(tmp_path, make_recipe(), scores={}, ended=STOPPED), make_recipe(), "pos")
    (tmp_path / "report.json").unlink()
    assert not is_finished(tmp_path, make_recipe(), "pos")
    monkeypatch.undo()
    with pytest.raises(ModelError):
        is_finished(keep_run(tmp_path, make_recipe()), make_recipe(), "pos")


def test_a_run_is_used_again_after_it_moved_with_its_teachers(tmp_path: Path) -> None:
    keep_run(tmp_path, make_recipe(teacher="/here/pos-1"))
    assert is_finished(tmp_path, make_recipe(teacher="/there/pos-1"), "pos")
    with pytest.raises(DataError, match=r"`heads\.upos\.teacher` 'pos-1' instead of 'pos-2'"):
        is_finished(tmp_path, make_recipe(teacher="/there/pos-2"), "pos")


def test_a_run_without_its_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the recipe of the run cannot be read: .*; use another folder, or replace"):
        is_finished(keep_run(tmp_path, None), make_recipe(), "pos")


@pytest.mark.parametrize(
    "text",
    ["{broken", "{}", "[]", '{"scores": {}}']
    + [json.dumps({**REPORT, **change}) for change in ({"scores": {"upos": {"accuracy": None}}}, {"dev_scores": None})],
)
def test_a_report_without_scores_is_refused(tmp_path: Path, text: str) -> None:
    keep_run(tmp_path, make_recipe())
    (tmp_path / "report.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"report\.json: expected the scores of a run, .*; use another folder"):
        is_finished(tmp_path, make_recipe(), "pos")
