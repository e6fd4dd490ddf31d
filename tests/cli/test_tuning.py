"""The command `tune`: what it prints, writes and draws."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from small_recipes import NER, SMALL, SYNTHETIC

pytest.importorskip("optuna")

from tagger.cli.app import app

Call = Callable[..., SimpleNamespace]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    rates = '[tune."training.learning_rate"]\nlow = 0.001\nhigh = 0.05\n'
    path.write_text("\n".join((SYNTHETIC, rates, NER, SMALL)))
    return path


def test_a_search_prints_its_best_trials(call: Call, recipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(recipe.parent)
    outcome = call("tune", recipe, "--trials", 3, "--threads", 1, "--picture", recipe.parent / "search.svg")
    assert outcome.code == 0
    head, _, columns, _, first, *_ = outcome.out.splitlines()
    assert head.startswith("small: 3 trials")
    assert columns.split() == ["trial", "dev", "epoch", "state", "training.learning_rate"]
    assert first.split()[3] == "finished"
    assert "[1/3] dev 0." in outcome.err
    assert outcome.err.splitlines()[-1] == "the best recipe is runs/small-tune/best.toml"
    assert "dev score of each trial, small" in (recipe.parent / "search.svg").read_text()
    again = call("tune", recipe, "--trials", 3, "--json")
    assert again.code == 0
    assert json.loads(again.out) == json.loads(Path("runs/small-tune/trials.json").read_text())


def test_wrong_use_is_reported_before_anything_is_read(call: Call, recipe: Path) -> None:
    outcome = call("tune", recipe, "--picture", "search.doc")
    assert outcome.code != 0
    assert "search.doc" in outcome.err
    assert not (recipe.parent / "runs").exists()
    assert any(command.callback and command.callback.__name__ == "tune" for command in app.registered_commands)
