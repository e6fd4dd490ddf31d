"""Runs in other services: what is shown there, with their real packages, and what happens when one fails."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from small_recipes import NER, SYNTHETIC
from small_runs import Interrupter, Notes, make_recipe

from tagger.errors import MissingExtraError, RecipeError, TaggerError
from tagger.running.run import Run
from tagger.running.several.training import train_several
from tagger.running.tracking import trackers as module
from tagger.running.tracking.trackers import Ending, Tracker
from tagger.running.train import train


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    return make_recipe(tmp_path, SYNTHETIC, NER)


class Kept(Tracker):
    """Stores all calls."""

    all: list["Kept"] = []

    def __init__(self, name: str, folder: Path | None, settings: Mapping[str, Any], recipe: str) -> None:
        self.name, self.settings, self.logged, self.how = name, settings, list[tuple[int, dict[str, float]]](), ""
        Kept.all.append(self)

    def log(self, values: Mapping[str, float], step: int) -> None:
        self.logged.append((step, dict(values)))

    def end(self, how: Ending) -> None:
        self.how = how


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[Kept]:
    monkeypatch.setattr(Kept, "all", [])
    monkeypatch.setattr(module, "TRACKERS", module.TRACKERS)
    monkeypatch.setitem(module.TRACKERS, "wandb", Kept)  # type: ignore[misc]
    return Kept.all


def figures(tracker: Kept) -> dict[str, float]:
    return {name: value for _, values in tracker.logged for name, value in values.items()}


def check_figures(found: Mapping[str, float], run: Run) -> None:
    assert run.report is not None
    last = run.outcome.epochs[-1]
    assert found["dev/ner"] == pytest.approx(last.dev["ner"])
    assert found["epoch"] == last.epoch
    assert found["test/ner"] == pytest.approx(run.report.headline("ner"))


def test_settings_losses_and_scores_are_shown(recipe: Path, tmp_path: Path, kept: list[Kept]) -> None:
    run = train(recipe, output=tmp_path / "run", track=["wandb"], overrides=["training.batch_size=2"])
    (tracker,) = kept
    assert (tracker.name, tracker.how) == ("run", "finished")
    assert tracker.settings["training.batch_size"] == 2
    assert tracker.settings["heads.ner.kind"] == "tokens"
    check_figures(figures(tracker), run)
    assert [step for step, values in tracker.logged if "loss" in values] == [10, 20, 30, 40]


def test_steps_go_on_when_a_run_is_trained_again_with_dev(recipe: Path, tmp_path: Path, kept: list[Kept]) -> None:
    changes = ["training.batch_size=2", "training.refit=true"]
    run = train(recipe, output=tmp_path / "run", track=["wandb"], overrides=changes)
    (tracker,) = kept
    steps = [step for step, _ in tracker.logged]
    assert steps == sorted(steps)
    assert run.outcome.best is not None
    assert steps[-1] == 40 + 22 * run.outcome.best.epoch
    assert "test/ner" in tracker.logged[-1][1]


def test_how_a_run_ended_is_shown(recipe: Path, tmp_path: Path, kept: list[Kept]) -> None:
    train(recipe, output=tmp_path / "run", track=["wandb"], listener=Interrupter(epoch=1))
    with pytest.raises(TaggerError):
        train(recipe, track=["wandb"], overrides=["training.learning_rate=1e6"])
    assert [tracker.how for tracker in kept] == ["stopped", "failed"]


def test_each_of_several_runs_is_shown(recipe: Path, tmp_path: Path, kept: list[Kept]) -> None:
    train_several(recipe, seeds=[1, 2], output=tmp_path / "runs", track=["wandb"])
    assert [tracker.name for tracker in kept] == ["seed-1", "seed-2"]


def test_a_service_that_fails_does_not_end_the_training(
    recipe: Path, tmp_path: Path, kept: list[Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise ConnectionError("the server is gone")

    monkeypatch.setattr(Kept, "log", fail)
    notes = Notes()
    run = train(recipe, output=tmp_path / "run", track=["wandb"], listener=notes)
    assert run.report is not None
    assert notes.said.count("wandb: the run is no longer shown there: 'the server is gone'") == 1


def test_unknown_services_and_missing_packages_are_reported(
    recipe: Path, kept: list[Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RecipeError, match="can be shown in `tensorboard`, `mlflow`, `wandb`, got 'weights'"):
        train(recipe, track=["weights"])
    with pytest.raises(RecipeError, match="give each service once, got mlflow, mlflow"):
        train(recipe, track=["mlflow", "mlflow"])

    def missing(*_: Any) -> None:
        raise ModuleNotFoundError("No module named 'wandb'", name="wandb")

    monkeypatch.setattr(Kept, "__init__", missing)
    with pytest.raises(
        MissingExtraError, match=r"wandb needs the package wandb, .* pip install 'tagger-bilstm\[wandb\]'"
    ):
        train(recipe, track=["wandb"])


def test_tensorboard_has_the_figures(recipe: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    with pytest.raises(RecipeError, match="tensorboard needs a folder for its files; give the run an output"):
        train(recipe, track=["tensorboard"])
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = train(recipe, output=tmp_path / "run", track=["tensorboard"])
    (folder,) = (tmp_path / "run" / "tensorboard").iterdir()
    events = EventAccumulator(str(folder))
    events.Reload()
    check_figures({name: events.Scalars(name)[-1].value for name in events.Tags()["scalars"]}, run)
    assert train(recipe, output=tmp_path / "run", overwrite=True).report is not None


def test_mlflow_has_the_figures(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    notes = Notes()
    run = train(recipe, output=tmp_path / "run", track=["mlflow"], listener=notes)
    assert not any(note.startswith("mlflow") for note in notes.said), notes.said
    client = mlflow.MlflowClient((tmp_path / "mlruns").as_uri())
    (found,) = client.search_runs([client.get_experiment_by_name("tagger").experiment_id])
    assert found.info.status == "FINISHED"
    assert found.data.params["training.learning_rate"] == "0.02"
    check_figures(found.data.metrics, run)


def test_weights_and_biases_takes_the_figures_without_a_network(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    for name, value in (("WANDB_MODE", "offline"), ("WANDB_DIR", str(tmp_path)), ("WANDB_SILENT", "true")):
        monkeypatch.setenv(name, value)
    run = train(recipe, output=tmp_path / "run", track=["wandb"])
    assert run.report is not None
    (folder,) = (tmp_path / "wandb").glob("offline-run-*")
    assert list(folder.glob("*.wandb"))
    assert json.loads((tmp_path / "run" / "report.json").read_text())["seed"] == 1
