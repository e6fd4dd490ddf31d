"""A search on a small recipe: what is tried and kept, pruning, several processes, and that test is never looked at."""

import json
import multiprocessing
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from small_recipes import NER, SYNTHETIC
from small_runs import UPOS, make_conll_recipe, make_recipe, make_two_corpora, write_conll

pytest.importorskip("optuna")

from tagger.config import load_recipe
from tagger.errors import DataError, RecipeError, TaggerError
from tagger.reporting.trials import TrialResult
from tagger.running import train as training
from tagger.running.train import train
from tagger.running.tuning import study as module
from tagger.running.tuning.study import TuneListener, tune

TRIED = """
[tune."training.learning_rate"]
low = 0.001
high = 0.05
log = true
[tune."encoder.cell"]
values = ["lstm", "gru"]
"""


class Watcher(TuneListener):
    """Keeps the events of a search; may end it."""

    def __init__(self, stop_after: int = 0) -> None:
        self.begun: list[dict[str, Any]] = []
        self.done: list[TrialResult] = []
        self.stop_after = stop_after

    def began(self, number: int, of: int, values: Any) -> None:
        self.begun.append(dict(values))

    def ended(self, trial: TrialResult, best: float | None) -> None:
        self.done.append(trial)
        if len(self.done) == self.stop_after:
            raise KeyboardInterrupt


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    return make_recipe(tmp_path, SYNTHETIC, TRIED, NER)


def test_the_first_trial_is_the_recipe_and_the_best_becomes_one(recipe: Path, tmp_path: Path) -> None:
    watcher = Watcher()
    found = tune(recipe, trials=5, output=tmp_path / "search", threads=1, listener=watcher)
    assert watcher.begun[0] == {"training.learning_rate": 0.02, "encoder.cell": "lstm"}
    assert [trial.number for trial in found.trials] == [1, 2, 3, 4, 5]
    own = train(recipe, threads=1).outcome.best
    assert own is not None
    assert found.trials[0].score == own.selected
    assert found.trials[0].epoch == own.epoch
    assert found.best is not None
    assert found.best.score == max(trial.score or 0 for trial in found.trials if trial.state == "finished")
    best = load_recipe(tmp_path / "search" / "best.toml")
    assert best.training.learning_rate == found.best.values["training.learning_rate"]
    assert best.encoder.cell == found.best.values["encoder.cell"]
    assert not best.tune
    again = train(tmp_path / "search" / "best.toml", threads=1).outcome.best
    assert again is not None
    assert again.selected == found.best.score
    kept = json.loads((tmp_path / "search" / "trials.json").read_text())
    assert kept == json.loads(json.dumps(found.to_dict()))
    assert all(0.001 <= trial.values["training.learning_rate"] <= 0.05 for trial in found.trials)
    assert set(found.importance) <= {"training.learning_rate", "encoder.cell"}
    assert f"the recipe itself: {own.selected:.4f}" in found.to_text()


def test_without_sections_the_defaults_and_the_own_values_are_tried(tmp_path: Path) -> None:
    watcher = Watcher()
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    found = tune(recipe, trials=1, output=tmp_path / "search", threads=1, listener=watcher)
    assert found.trials[0].own
    assert watcher.begun[0]["encoder.hidden_size"] == 8  # smaller than all sizes that are tried by default
    assert watcher.begun[0]["training.learning_rate"] == 0.02
    assert watcher.begun[0]["embeddings.dropout"] == 0.5
    assert watcher.begun[0].keys() >= {"training.batch_size", "encoder.dropout", "encoder.layers"}


def test_test_is_never_read_by_a_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = ["Ada/B-PER ran/O", "rain/O fell/O"]
    recipe = make_conll_recipe(tmp_path, train=sentences * 9, dev=sentences, test=sentences)

    def scored(*_: Any, **__: Any) -> None:
        corpora = _[1]
        assert not any(corpus.test for corpus in corpora.values())

    monkeypatch.setattr(training, "score_on_test", scored)
    tune(recipe, trials=2, output=tmp_path / "search", threads=1)


def test_a_search_goes_on_after_it_was_stopped(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        tune(recipe, trials=6, output=tmp_path / "search", threads=1, listener=Watcher(stop_after=2))
    kept = json.loads((tmp_path / "search" / "trials.json").read_text())
    assert [trial["own"] for trial in kept["trials"]] == [True, False]
    assert (tmp_path / "search" / "best.toml").is_file()
    watcher = Watcher()
    found = tune(recipe, trials=4, output=tmp_path / "search", threads=1, listener=watcher)
    assert [trial.number for trial in watcher.done] == [3, 4]
    assert len(found.trials) == 4
    assert len(tune(recipe, trials=4, output=tmp_path / "search", threads=1).trials) == 4  # nothing left to do


def _search(recipe: Path, output: Path) -> None:
    tune(recipe, trials=6, output=output, threads=1)


class Interrupting(TuneListener):
    """Presses Ctrl-C in the first trial."""

    def stepped(self, share: float) -> None:
        raise KeyboardInterrupt


def test_a_trial_that_was_interrupted_is_tried_again_and_does_not_count(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        tune(recipe, trials=2, output=tmp_path / "search", threads=1, listener=Interrupting())
    found = tune(recipe, trials=2, output=tmp_path / "search", threads=1)
    assert [trial.own for trial in found.trials] == [True, False]
    assert "the recipe itself: 0." in found.to_text()


def _killed(recipe: Path, output: Path) -> None:
    class Killer(TuneListener):
        def stepped(self, share: float) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

    tune(recipe, trials=2, output=output, threads=1, listener=Killer())


def test_a_trial_whose_process_was_killed_is_tried_again_and_does_not_count(recipe: Path, tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_killed, args=(recipe, tmp_path / "search"))
    process.start()
    process.join(300)
    assert process.exitcode == -signal.SIGKILL
    found = tune(recipe, trials=2, output=tmp_path / "search", threads=1)
    assert [trial.own for trial in found.trials] == [True, False]
    assert {trial.state for trial in found.trials} == {"finished"}
    assert not list((tmp_path / "search").glob(".trial-*"))


def test_a_recipe_whose_values_are_not_tried_is_not_said_to_be(tmp_path: Path) -> None:
    rates = '[tune."training.learning_rate"]\nvalues = [0.03, 0.04]\n'
    found = tune(make_recipe(tmp_path, SYNTHETIC, rates, NER), trials=1, output=tmp_path / "search", threads=1)
    assert "the recipe itself was not tried" in found.to_text()


def test_processes_share_the_trials_of_a_folder(recipe: Path, tmp_path: Path) -> None:
    tune(recipe, trials=1, output=tmp_path / "search", threads=1)
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=_search, args=(recipe, tmp_path / "search")) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
        assert process.exitcode == 0
    found = tune(recipe, trials=6, output=tmp_path / "search", threads=1)
    assert {trial.state for trial in found.trials} <= {"finished", "pruned"}
    assert 6 <= len(found.trials) <= 7  # the last two may begin at the same time


def test_trials_whose_scores_stay_low_are_stopped_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, UPOS)
    recipe.write_text(recipe.read_text().replace("epochs = 2", "epochs = 8"))
    rates = iter([0.02, 0.03, 0.02, 0.03, 0.02, 1e-9, 0.03])
    monkeypatch.setattr(module, "chosen", lambda trial, space: {"training.learning_rate": next(rates)})
    watcher = Watcher()
    tune(recipe, trials=7, output=tmp_path / "search", threads=1, listener=watcher)
    assert watcher.done[5].state == "pruned"
    assert watcher.done[5].epoch == 1
    assert [trial.state for trial in watcher.done[:5]] == ["finished"] * 5


def test_a_trial_that_fails_does_not_end_the_search(tmp_path: Path) -> None:
    rates = '[tune."training.learning_rate"]\nvalues = [0.02, 1e6]\n'
    found = tune(make_recipe(tmp_path, SYNTHETIC, rates, NER), trials=6, output=tmp_path / "search", threads=1)
    failed = [trial for trial in found.trials if trial.state == "failed"]
    assert failed
    assert {trial.values["training.learning_rate"] for trial in failed} == {1e6}
    assert "must be at most 1,000,000" in failed[0].error
    always = make_recipe(tmp_path, SYNTHETIC, '[tune."training.learning_rate"]\nvalues = [9e5, 1e6]\n', NER)
    with pytest.raises(TaggerError, match=r"no trial has finished; the last one: step "):
        tune(always, trials=2, output=tmp_path / "other", threads=1, overrides=["training.learning_rate=1e6"])


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ('[tune."encoder.size"]\nlow = 1\nhigh = 9\n', r"^tune.encoder.size: unknown key `encoder.size`"),
        ('[tune."seed.x"]\nlow = 1\nhigh = 9\n', r"^tune.seed.x: a search must not change the data, the seed or what"),
        ('[tune."training.select"]\nvalues = ["ner", "mean"]\n', r"^tune.training.select: a search must not change"),
        ('[tune."heads.ner.layer"]\nvalues = ["ner", "x"]\n', r"^tune.heads.ner.layer: a search must not change"),
        ('[tune."data.train"]\nvalues = ["a", "b"]\n', r"^tune.data.train: a search must not change the data"),
        (
            '[tune."encoder.dropout"]\nlow = 0.1\nhigh = 2\n',
            r"^tune.encoder.dropout: `encoder.dropout` must be less",
        ),
        ('[tune."encoder.cell"]\nvalues = ["lstm", "x"]\n', r"^tune.encoder.cell: `encoder.cell` must be"),
        ('[tune."encoder.dropout"]\nlow = 0.5\nhigh = 0.1\n', r"`high` must be above `low`, 0.5, got 0.1"),
        ('[tune."encoder.dropout"]\nlow = 0\nhigh = 0.1\nlog = true\n', r"`low` must be above 0 with `log`, got 0"),
        ('[tune."encoder.dropout"]\nlow = 0.5\n', r"needs `low` and `high`, or `values`"),
        ('[tune."encoder.cell"]\nvalues = ["lstm"]\n', r"`values` must be at least two different ones, got 1"),
        (
            '[tune."encoder.cell"]\nvalues = ["lstm", "gru"]\nlow = 1\n',
            r"either `values` or `low` and",
        ),
    ],
)
def test_what_cannot_be_tried_is_refused_before_the_first_trial(sections: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=message):
        tune(make_recipe(tmp_path, SYNTHETIC, sections, NER), trials=2, output=tmp_path / "search")
    assert not (tmp_path / "search").exists()


def test_a_folder_of_another_search_is_refused(recipe: Path, tmp_path: Path) -> None:
    tune(recipe, trials=1, output=tmp_path / "search", threads=1)
    with pytest.raises(DataError, match=r"search: holds a search of another recipe; use another --output"):
        tune(recipe, trials=1, output=tmp_path / "search", overrides=["training.epochs=3"])
    train(recipe, output=tmp_path / "run")
    with pytest.raises(TaggerError, match=r"run: the folder must be for several runs, but holds a run"):
        tune(recipe, trials=1, output=tmp_path / "run")


def test_a_damaged_study_is_reported(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / "study.db").write_text("no database" * 99)
    with pytest.raises(DataError, match=r"study.db: the search cannot be read or written: ") as caught:
        tune(recipe, trials=1, output=tmp_path / "search")
    assert "\n" not in str(caught.value)


def test_teachers_must_be_trained_before(tmp_path: Path) -> None:
    make_two_corpora(tmp_path).rename(tmp_path / "teacher.toml")
    write_conll(tmp_path / "train.conll", *["Ada/B-PER ran/O"] * 9)
    pupil = make_conll_recipe(tmp_path, train=["Ada/B-PER ran/O"] * 9)
    pupil.write_text(pupil.read_text().replace(NER, NER + 'teacher = "teacher.toml"\n'))
    with pytest.raises(RecipeError, match=r"the teacher teacher\.toml would be trained again in each trial"):
        tune(pupil, trials=1, output=tmp_path / "search")


def test_the_time_can_be_limited(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(TaggerError, match="no trial has finished; give it more time"):
        tune(recipe, trials=9, timeout=0, output=tmp_path / "search")
    with pytest.raises(RecipeError, match="at least one trial, got 0"):
        tune(recipe, trials=0, output=tmp_path / "search")


def test_the_study_is_a_database_that_others_can_read(recipe: Path, tmp_path: Path) -> None:
    tune(recipe, trials=2, output=tmp_path / "search", threads=1)
    with sqlite3.connect(tmp_path / "search" / "study.db") as database:
        assert database.execute("select count(*) from trials").fetchone() == (2,)
    assert module.STUDY == "study.db"
