"""The folder of a run: the best model after each epoch, a whole run at the end, and never a mixture of two."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from small_recipes import NER, SMALL, SYNTHETIC

from tagger.errors import DataError, ModelError
from tagger.files.writing import locked
from tagger.running.run import RunListener
from tagger.running.train import train
from tagger.tagging import load
from tagger.training.loop import Epoch

UPOS = ["heads.upos.kind=tokens", "heads.upos.scheme=none", "training.epochs=6"]
FILES = {"model", "recipe.toml", "log.jsonl", "report.json", "seen.json"}


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text("\n".join((SYNTHETIC, NER, SMALL)))
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A recipe whose training file does not exist."""
    path = tmp_path / "broken.toml"
    path.write_text(
        '[data]\nformat = "conll"\ncolumns = ["token", "ner"]\ntrain = "none"\n[heads.ner]\nkind = "tokens"'
    )
    return path


class AfterEpoch(RunListener):
    """Calls a function when an epoch was scored; keeps what is said."""

    def __init__(self, call: Callable[[Epoch], object]) -> None:
        self.call = call
        self.said: list[str] = []

    def scored(self, epoch: Epoch) -> None:
        self.call(epoch)

    def noted(self, message: str) -> None:
        self.said.append(message)


def interrupt(epoch: Epoch) -> None:
    raise KeyboardInterrupt


def fail(epoch: Epoch) -> None:
    raise RuntimeError("no power")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_after_each_epoch_the_folder_holds_the_best_model_and_the_log(recipe: Path, tmp_path: Path) -> None:
    seen = []

    def check(epoch: Epoch) -> None:
        model = load(tmp_path / "run")
        log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
        assert [line["epoch"] for line in log] == list(range(1, epoch.epoch + 1))
        assert "Training has not finished." in (tmp_path / "run" / "model" / "README.md").read_text()
        assert not (tmp_path / "run" / "report.json").exists()
        seen.append((epoch.best, model.network.state_dict()))

    run = train(recipe, output=tmp_path / "run", listener=AfterEpoch(check), overrides=UPOS)
    best = [weights for is_best, weights in seen if is_best]
    assert len(seen) == len(run.outcome.epochs)
    assert len(best) > 1
    for epochs in range(1, len(seen)):
        since = [weights for is_best, weights in seen[: epochs + 1] if is_best][-1]
        assert all(torch.equal(value, seen[epochs][1][name]) for name, value in since.items())
    assert all(torch.equal(value, best[-1][name]) for name, value in run.tagger.network.state_dict().items())
    assert "Training has not finished." not in (tmp_path / "run" / "model" / "README.md").read_text()
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES


def test_a_file_that_no_epoch_changes_is_written_once(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("Ada\n")
    with recipe.open("a") as stream:
        stream.write('[features.lists]\nkind = "gazetteer"\nfiles.NAME = "list.txt"\n')
    written = []

    def look(epoch: Epoch) -> None:
        files = [tmp_path / "run" / "model" / name for name in ("feature.lists.json", "weights.safetensors")]
        written.append([(path.stat().st_ino, path.stat().st_mtime_ns) for path in files])

    run = train(recipe, output=tmp_path / "run", listener=AfterEpoch(look), overrides=UPOS)
    best = sum(epoch.best for epoch in run.outcome.epochs)
    look(run.outcome.epochs[-1])
    assert [len(set(times)) for times in zip(*written, strict=True)] == [1, best]
    assert list(load(tmp_path / "run").model.features) == ["lists"]


def test_averaged_weights_are_those_that_are_kept(recipe: Path, tmp_path: Path) -> None:
    kept = []
    listener = AfterEpoch(lambda epoch: kept.append(load(tmp_path / "run").network.state_dict()))
    overrides = ["training.average=0.9", "training.epochs=1"]
    run = train(recipe, output=tmp_path / "run", listener=listener, overrides=overrides)
    assert all(torch.equal(value, kept[0][name]) for name, value in run.tagger.network.state_dict().items())


def test_saving_changes_no_weight(recipe: Path, tmp_path: Path) -> None:
    kept, plain = train(recipe, output=tmp_path / "run"), train(recipe)
    found = kept.tagger.network.state_dict()
    assert all(torch.equal(value, found[name]) for name, value in plain.tagger.network.state_dict().items())


def test_a_run_is_not_replaced_unless_that_is_asked_for(recipe: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with pytest.raises(RuntimeError):
        train(recipe, output=folder, listener=AfterEpoch(fail))
    advice = "or replace it with --overwrite (overwrite=True in Python)"
    for held, choice in (
        ("the best model of a run that did not finish (1 epoch)", ", continue it with --resume (resume=True)"),
        ("a finished run", ""),
    ):
        before = contents(folder)
        with pytest.raises(ModelError) as refused:
            train(recipe, output=folder, seed=2)
        assert str(refused.value) == f"{folder}: the folder already holds {held}; use another one{choice}, {advice}"
        assert contents(folder) == before
        train(recipe, output=folder, overwrite=True, seed=2)
    assert {path.name for path in folder.iterdir()} == FILES


@pytest.mark.parametrize("event", [fail, interrupt])
def test_an_earlier_run_stays_whole_until_the_new_one_has_ended(
    event: Callable[[Epoch], object], recipe: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    train(recipe, output=folder)
    before = contents(folder)

    def check(epoch: Epoch) -> None:
        now = contents(folder)
        assert {name: now[name] for name in before} == before
        assert load(folder / ".new-run").layers == ("ner",)
        if epoch.epoch == 2:
            event(epoch)

    listener = AfterEpoch(check)
    try:
        train(recipe, output=folder, overwrite=True, seed=2, listener=listener)
    except RuntimeError:
        now = contents(folder)
        assert {name: now[name] for name in before} == before
        assert load(folder / ".new-run").layers == ("ner",)
    else:
        assert json.loads((folder / "report.json").read_text())["seed"] == 2
        assert "seed = 2" in (folder / "recipe.toml").read_text()
        assert {path.name for path in folder.iterdir()} == FILES
    assert f"the run in {folder} stays until this one has ended; this one is in {folder / '.new-run'} until then" in (
        listener.said
    )


def test_a_failed_training_leaves_what_it_did_not_make(
    recipe: Path, broken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    for name in ("new", ".pending", "other"):
        (folder / name).mkdir(parents=True)
        (folder / name / "thesis.txt").write_text("text")
    (folder / ".lock").write_text("text")
    before = contents(folder)
    with pytest.raises(DataError, match="none: no such file"):
        train(broken, output=folder)
    assert contents(folder) == before
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(DataError, match="none: no such file"):
        train(broken, output=".")
    assert (tmp_path / "empty").is_dir()
    with pytest.raises(DataError):
        train(broken, output=tmp_path / "made")
    assert not (tmp_path / "made").exists()
    train(recipe, output=folder)
    assert {name: content for name, content in contents(folder).items() if name in before} == before


def test_a_retraining_that_was_killed_keeps_its_best_model_until_the_next_one_has_one(
    recipe: Path, broken: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    train(recipe, output=folder)
    with pytest.raises(RuntimeError):
        train(recipe, output=folder, overwrite=True, seed=2, listener=AfterEpoch(fail))
    before = contents(folder)
    with pytest.raises(
        ModelError, match=r"a finished run, and in \.new-run the best model of a run that did not finish"
    ):
        train(recipe, output=folder)
    with pytest.raises(DataError, match="none: no such file"):
        train(broken, output=folder, overwrite=True)
    assert contents(folder) == before
    train(recipe, output=folder, overwrite=True, seed=3)
    assert {path.name for path in folder.iterdir()} == FILES


@pytest.mark.parametrize("name", ["report.json", "seen.json", "recipe.toml", "log.jsonl", "model/weights.safetensors"])
def test_a_folder_in_the_place_of_a_file_is_refused_before_training(name: str, recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "run" / name / "inner").mkdir(parents=True)
    with pytest.raises(ModelError, match=f"{name}: expected a file of the run or nothing; remove it, or use another"):
        train(recipe, output=tmp_path / "run")


@pytest.mark.parametrize("name", ["model", "teachers", ".new-run"])
def test_a_file_in_the_place_of_a_folder_is_refused_before_training(name: str, recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).write_text("text")
    with pytest.raises(ModelError, match=f"{name}: expected a folder of the run or nothing; remove it, or use another"):
        train(recipe, output=tmp_path / "run")


def test_the_teachers_of_the_earlier_run_go_with_it(recipe: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train(recipe, output=folder)
    train(recipe, output=folder / "teachers" / "old")
    (folder / "teachers" / "notes.txt").write_text("text")
    train(recipe, output=folder, overwrite=True)
    assert [path.name for path in (folder / "teachers").iterdir()] == ["notes.txt"]


def test_the_features_of_the_earlier_run_go_with_it(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("Ada\n")
    lists = [f"[features.{name}]\nkind = 'gazetteer'\nfiles = {{ PER = 'names.txt' }}\n" for name in ("old", "kept")]
    (tmp_path / "lists.toml").write_text("\n".join((recipe.read_text(), *lists)))
    (tmp_path / "one.toml").write_text("\n".join((recipe.read_text(), lists[1])))
    folder = tmp_path / "run"
    for name, left in (("lists", ["kept", "old"]), ("one", ["kept"]), ("small", [])):
        train(tmp_path / f"{name}.toml", output=folder, overwrite=True)
        assert sorted(path.name for path in (folder / "model").glob("feature.*")) == [f"feature.{x}.json" for x in left]
        load(folder).tag("Ada ran.")


@pytest.mark.parametrize("failing", [1, 5, 12])
def test_a_retraining_that_cannot_be_written_leaves_the_earlier_run_whole(
    failing: int, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, calls = tmp_path / "run", iter(range(1000))
    train(recipe, output=folder)
    before = contents(folder)

    def full(number: int) -> None:
        if next(calls) >= failing:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tagger.files.writing.os.fsync", full)
    listener = AfterEpoch(lambda epoch: None)
    with pytest.raises(DataError, match="the file cannot be written: No space left on device"):
        train(recipe, output=folder, overwrite=True, seed=2, listener=listener)
    now = contents(folder)
    assert {name: now[name] for name in before} == before
    assert failing > 5 or any("training goes on, but the folder lacks epoch 1" in note for note in listener.said)


def test_a_folder_that_another_training_writes_to_is_refused(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with locked(tmp_path / "run"), pytest.raises(ModelError) as refused:
        train(recipe, output=tmp_path / "run", overwrite=True)
    assert str(refused.value) == (
        f"{tmp_path / 'run'}: another training is writing to this folder; wait for its end or use another one"
    )


def test_two_trainings_into_one_folder_at_once_leave_one_run(recipe: Path, tmp_path: Path) -> None:
    refusals = []

    def second(epoch: Epoch) -> None:
        with pytest.raises(ModelError, match="another training is writing"):
            train(recipe, output=tmp_path / "run", overwrite=True, seed=2)
        refusals.append(epoch)

    train(recipe, output=tmp_path / "run", listener=AfterEpoch(second))
    assert len(refusals) == 2
    assert json.loads((tmp_path / "run" / "report.json").read_text())["seed"] == 1


def start_training(recipe: Path, folder: Path) -> subprocess.Popen[str]:
    """A command that trains for long, after three of its epochs."""
    command = [sys.executable, "-m", "tagger", "train", str(recipe), "--output", str(folder), "--threads", "1"]
    command += ["--set", "training.epochs=100000", "--set", "training.patience=100000"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch   3"):
            break
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 0)])
def test_signals_end_training_and_keep_the_best_model(number: int, code: int, recipe: Path, tmp_path: Path) -> None:
    inherited = signal.signal(number, signal.SIG_DFL)  # the tests may run under nohup, whose children ignore SIGHUP
    try:
        process = start_training(recipe, tmp_path / "run")
    finally:
        signal.signal(number, inherited)
    with process:
        process.send_signal(number)
        said = process.stderr.read() if process.stderr is not None else ""
    assert process.returncode == code
    assert "stopped by the user; best dev score" in said
    found = {path.name for path in (tmp_path / "run").iterdir()}
    assert found - {"training.safetensors"} == FILES  # which is there if the signal came between two steps
    assert json.loads((tmp_path / "run" / "report.json").read_text())["ended"] == "stopped by the user"
    load(tmp_path / "run").tag("Ada flew to Oslo.")


def test_a_training_that_is_killed_leaves_the_model_of_its_epochs(recipe: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with start_training(recipe, folder) as process:
        time.sleep(0.1)
        process.kill()
    assert len((folder / "log.jsonl").read_text().splitlines()) >= 3
    load(folder).tag("Ada flew to Oslo.")
    with pytest.raises(
        ModelError, match=r"already holds the best model of a run that did not finish \([0-9]+ epochs\)"
    ):
        train(recipe, output=folder)
    train(recipe, output=folder, overwrite=True)
    assert {path.name for path in folder.iterdir()} == FILES
