"""Runs that were cut anywhere go on, and become the same to the last bit as runs that were never cut."""

import importlib
import json
import multiprocessing
import os
import random
import re
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from small_recipes import NER, SMALL, SYNTHETIC
from small_runs import (
    SENTIMENT,
    UPOS,
    Interrupter,
    Notes,
    make_conll_recipe,
    make_recipe,
    make_two_corpora,
    same_bits,
    weights,
)

from tagger.errors import DataError, ModelError, RecipeError, TaggerError
from tagger.running import folder as module
from tagger.running.run import Run
from tagger.running.several.processes import GroupListener
from tagger.running.several.training import train_several
from tagger.running.train import train
from tagger.training.checkpoint import Every

FEATURES = '[features.form]\nkind = "shape"\n[features.ends]\nkind = "affixes"\n'
TRICKS = [
    "training.average=0.9",
    "training.epochs=4",
    "embeddings.word_dropout=0.2",
    "encoder.dropout=0.3",
    "embeddings.dropout=0.3",
]
TIMES = re.compile(r'"(seconds|tokens_per_second)": [0-9.e+-]+')


class CutError(Exception):
    """What ends a run in this process where a real one is killed."""


class Cutter(Notes):
    """Cuts a run at a step, or when an epoch was scored."""

    def __init__(self, *, step: int = 0, epoch: int = 0, training: int = 1) -> None:
        super().__init__()
        self.step, self.epoch, self.training, self.begun = step, epoch, training, 0

    def started(self, num_epochs: int, num_steps: int) -> None:
        self.begun += 1

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        if step == self.step and self.begun == self.training:
            raise CutError

    def scored(self, epoch: Any) -> None:
        if epoch.epoch == self.epoch:
            raise CutError


class GroupNotes(GroupListener):
    """Keeps what is said of each run."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def noted(self, name: str, message: str) -> None:
        self.said.append((name, message))


def contents(folder: Path) -> dict[str, str]:
    """The files of a run without its times and its name."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        text = path.read_bytes().decode("latin-1")
        found[str(path.relative_to(folder))] = TIMES.sub("", text).replace(folder.name, "RUN")
    return found


def cut_and_resumed(recipe: Path, folder: Path, cutters: Sequence[Cutter], **settings: Any) -> Run:
    """A run that is cut as often as there are cutters, with a checkpoint after every step."""
    for number, cutter in enumerate(cutters):
        with pytest.raises(CutError):
            train(recipe, output=folder, checkpoint_every=1, resume=number > 0, listener=cutter, **settings)
    return train(recipe, output=folder, checkpoint_every=1, resume=True, **settings)


@pytest.mark.parametrize(
    ("parts", "overrides"),
    [
        ([NER, UPOS, SENTIMENT, FEATURES], []),
        ([NER], ["training.optimizer=sgd", "encoder.cell=gru", "embeddings.chars=lstm"]),
        ([NER], ["encoder.cell=rnn", "encoder.layers=2", "heads.ner.decoder=softmax"]),
        ([SENTIMENT + 'pooling = "max"\n'], ["encoder.bidirectional=false", "embeddings.chars=none"]),
        ([NER], ["embeddings.quantize=true", "training.mention_replacement=0.5"]),
        ([NER + "calibrate = true\n"], ["training.patience=1"]),
    ],
)
def test_a_run_that_was_cut_becomes_the_one_that_was_not(
    parts: list[str], overrides: list[str], tmp_path: Path
) -> None:
    recipe, changes = make_recipe(tmp_path, SYNTHETIC, *parts), [*TRICKS, *overrides]
    train(recipe, output=tmp_path / "unbroken", overrides=changes)
    cutters = [Cutter(step=3), Cutter(epoch=1), Cutter(epoch=2)]
    cut_and_resumed(recipe, tmp_path / "resumed", cutters, overrides=changes)
    assert contents(tmp_path / "resumed") == contents(tmp_path / "unbroken")


def test_a_run_that_was_cut_while_it_was_trained_again_with_dev_goes_on_there(tmp_path: Path) -> None:
    recipe, changes = make_recipe(tmp_path, SYNTHETIC, NER), [*TRICKS, "training.refit=true", "training.patience=1"]
    train(recipe, output=tmp_path / "unbroken", overrides=changes)
    cutters = [Cutter(step=2), Cutter(step=3, training=2)]
    cut_and_resumed(recipe, tmp_path / "resumed", cutters, overrides=changes)
    assert contents(tmp_path / "resumed") == contents(tmp_path / "unbroken")
    listener = Cutter(step=4, training=2)  # the first training is not made again: its end is in the checkpoint
    with pytest.raises(CutError):
        train(
            recipe,
            output=tmp_path / "again",
            checkpoint_every=1,
            overrides=changes,
            listener=Cutter(step=3, training=2),
        )
    with pytest.raises(CutError):
        train(recipe, output=tmp_path / "again", checkpoint_every=1, overrides=changes, listener=listener, resume=True)
    assert listener.begun == 2


def test_teachers_that_were_trained_are_not_trained_again(tmp_path: Path) -> None:
    make_two_corpora(tmp_path).rename(tmp_path / "teacher.toml")
    pupil = make_two_corpora(tmp_path)
    teacher = 'teacher = "teacher.toml"\nteacher_targets = "marginals"\n'
    pupil.write_text(pupil.read_text().replace(UPOS, UPOS + teacher))
    train(pupil, output=tmp_path / "unbroken")
    notes = Notes()
    cutters = [Cutter(step=2), Cutter(step=1, training=2), Cutter(step=3)]
    for number, cutter in enumerate(cutters):  # in the teacher, as the pupil begins, and in the pupil
        with pytest.raises(CutError):
            train(pupil, output=tmp_path / "resumed", checkpoint_every=1, resume=number > 0, listener=cutter)
    train(pupil, output=tmp_path / "resumed", resume=True, listener=notes)
    assert any(note.startswith("that was done before: it is in ") for note in notes.said)
    assert contents(tmp_path / "resumed") == contents(tmp_path / "unbroken")


def test_a_run_that_is_to_replace_another_goes_on_beside_it(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    train(recipe, output=tmp_path / "resumed", seed=2)
    before = contents(tmp_path / "resumed")
    with pytest.raises(CutError):
        train(recipe, output=tmp_path / "resumed", checkpoint_every=1, overwrite=True, listener=Cutter(step=7))
    kept = {name: text for name, text in contents(tmp_path / "resumed").items() if not name.startswith(".new-run")}
    assert kept == before
    train(recipe, output=tmp_path / "resumed", resume=True)
    train(recipe, output=tmp_path / "unbroken")
    assert contents(tmp_path / "resumed") == contents(tmp_path / "unbroken")


def test_a_run_that_was_stopped_by_its_user_goes_on_too(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    run = train(recipe, output=tmp_path / "resumed", checkpoint_every=1, listener=Interrupter(epoch=1))
    assert run.outcome.interrupted
    assert (tmp_path / "resumed" / "training.safetensors").is_file()
    train(recipe, output=tmp_path / "resumed", resume=True)
    train(recipe, output=tmp_path / "unbroken")
    assert contents(tmp_path / "resumed") == contents(tmp_path / "unbroken")


def test_a_run_that_was_stopped_before_its_first_checkpoint_begins_again(tmp_path: Path) -> None:
    recipe, notes = make_recipe(tmp_path, SYNTHETIC, NER), Notes()
    train(recipe, output=tmp_path / "resumed", listener=Interrupter(epoch=1))
    train(recipe, output=tmp_path / "resumed", resume=True, listener=notes)
    assert any("so the training begins at its beginning" in note for note in notes.said)
    train(recipe, output=tmp_path / "unbroken")
    assert contents(tmp_path / "resumed") == contents(tmp_path / "unbroken")


def test_a_signal_between_two_steps_leaves_a_checkpoint_of_that_step(tmp_path: Path) -> None:
    class Signalled(Notes):
        def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
            if step == 7:
                signal.raise_signal(signal.SIGINT)

    recipe, notes = make_recipe(tmp_path, SYNTHETIC, NER), Notes()
    inherited = signal.signal(signal.SIGINT, signal.default_int_handler)  # the tests may run where it is ignored
    try:
        run = train(recipe, output=tmp_path / "resumed", listener=Signalled())
    finally:
        signal.signal(signal.SIGINT, inherited)
    assert run.outcome.interrupted
    train(recipe, output=tmp_path / "resumed", resume=True, listener=notes)
    assert any(note.startswith("goes on from") for note in notes.said)
    train(recipe, output=tmp_path / "unbroken")
    assert contents(tmp_path / "resumed") == contents(tmp_path / "unbroken")


def test_a_run_that_replaces_one_that_was_killed_leaves_nothing_of_it(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    cut(recipe, tmp_path / "run", seed=2)
    (tmp_path / "run" / ".training.safetensors.0011.part").write_bytes(b"half of a checkpoint")
    train(recipe, output=tmp_path / "run", overwrite=True)
    train(recipe, output=tmp_path / "other")
    assert contents(tmp_path / "run").keys() == contents(tmp_path / "other").keys()
    with pytest.raises(ModelError, match="the run has finished, so there is nothing to resume"):
        train(recipe, output=tmp_path / "run", resume=True)


def test_vectors_lists_and_test_must_be_the_same_too(tmp_path: Path) -> None:
    sentences = ["Ada/B-PER ran/O"] * 60
    files = {"v.txt": "Ada 1 2\nran 3 4\n", "names.txt": "Ada\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    lists = '[features.lists]\nkind = "gazetteer"\nfiles = { PER = "names.txt" }\n'
    recipe = make_conll_recipe(tmp_path, train=sentences, dev=sentences[:1], test=sentences[:1])
    text = recipe.read_text().replace("dimension = 8", 'vectors = "v.txt"')
    recipe.write_text(text.replace("[heads.ner]", f"{lists}[heads.ner]"))
    cut(recipe, tmp_path / "run")
    changes = {
        "v.txt": ("Ada 1 2\nran 3 5\n", "other vectors, or another model in `start`"),
        "names.txt": ("Ada\nEva\n", "other files of features"),
        "test.conll": ("Eva B-PER\nran O\n", "other test sentences"),
    }
    for name, (other, said) in changes.items():
        before = (tmp_path / name).read_text()
        (tmp_path / name).write_text(other)
        with pytest.raises(ModelError, match=f"must be continued with the same recipe and data, got {said}; give"):
            train(recipe, output=tmp_path / "run", resume=True)
        (tmp_path / name).write_text(before)
    train(recipe, output=tmp_path / "run", resume=True)


@pytest.mark.parametrize("keep", ["", "keep = 0.5\n"])
def test_the_model_to_start_from_must_be_the_same_too(tmp_path: Path, keep: str) -> None:
    first = make_recipe(tmp_path, SYNTHETIC, NER)
    train(first, output=tmp_path / "first")
    recipe = tmp_path / "next.toml"
    recipe.write_text(f'start = "first"\n{keep}{SYNTHETIC}{UPOS}[training]\nepochs = 2\nbatch_size = 4\n')
    cut(recipe, tmp_path / "run")
    train(first, output=tmp_path / "first", seed=9, overwrite=True)
    with pytest.raises(ModelError, match=r"got other weights of the model in `start`; give the same"):
        train(recipe, output=tmp_path / "run", resume=True)


def test_runs_with_several_seeds_go_on_where_each_was_cut(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC + "seed = 1\n", NER)
    train_several(recipe, seeds=[1, 2], output=tmp_path / "unbroken")
    train_several(recipe, seeds=[1], output=tmp_path / "resumed")
    with pytest.raises(CutError):
        train(recipe, output=tmp_path / "resumed" / "seed-2", seed=2, checkpoint_every=1, listener=Cutter(step=4))
    notes = GroupNotes()
    train_several(recipe, seeds=[1, 2], output=tmp_path / "resumed", resume=True, listener=notes)
    assert any(name == "seed-2" and note.startswith("goes on from ") for name, note in notes.said)
    assert contents(tmp_path / "resumed") == contents(tmp_path / "unbroken")


def _trained(recipe: Path, folder: Path, resume: bool) -> None:
    train(recipe, output=folder, resume=resume, checkpoint_every=1, threads=1)


def killed_after(seconds: float, recipe: Path, folder: Path, *, resume: bool) -> bool:
    """Whether a process that trains was still at work after so many seconds, and was killed then."""
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["tagger.running.train"])
    process = server.Process(target=_trained, args=(recipe, folder, resume))
    process.start()
    process.join(seconds)
    alive = process.is_alive()
    process.kill()
    process.join()
    assert alive or process.exitcode == 0
    return alive


def _killed_in(call: str, number: int, recipe: Path, folder: Path, resume: bool) -> None:
    """Train in a process that is killed in a call of a function, such as `module.name`."""
    module, _, name = call.rpartition(".")
    owner: Any = importlib.import_module(module)
    function, calls = getattr(owner, name), []

    def killed(*given: Any, **settings: Any) -> Any:
        calls.append(call)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given, **settings)

    setattr(owner, name, killed)
    train(recipe, output=folder, resume=resume, checkpoint_every=1, threads=1)


@pytest.mark.skipif("forkserver" not in multiprocessing.get_all_start_methods(), reason="needs processes that fork")
@pytest.mark.parametrize(
    ("call", "numbers"),
    [
        ("tagger.running.fitting.steps.dev_scores", (1, 2)),  # in an evaluation
        ("os.fsync", (1, 4, 9, 2)),  # a file is written, but not flushed: checkpoints, the model and the log
        ("os.replace", (1, 3, 8, 2)),  # it has not replaced the one before it
    ],
)
def test_a_run_that_is_killed_in_an_evaluation_or_a_write_goes_on(
    call: str, numbers: Sequence[int], tmp_path: Path
) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    train(recipe, output=tmp_path / "unbroken", threads=1)
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["tagger.running.train"])
    for number in numbers:
        resume = (tmp_path / "cut").is_dir()
        process = server.Process(target=_killed_in, args=(call, number, recipe, tmp_path / "cut", resume))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    train(recipe, output=tmp_path / "cut", resume=True, checkpoint_every=1, threads=1)
    assert contents(tmp_path / "cut") == contents(tmp_path / "unbroken")


@pytest.mark.skipif("forkserver" not in multiprocessing.get_all_start_methods(), reason="needs processes that fork")
def test_a_run_that_is_killed_at_twenty_random_moments_becomes_the_one_that_was_not(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC.replace("40", "120"), NER, UPOS, SENTIMENT, FEATURES)
    recipe.write_text(recipe.read_text().replace("epochs = 2", "epochs = 6\nrefit = true\naverage = 0.9"))
    killed_after(0.0, recipe, tmp_path / "first", resume=False)  # starts the server
    started = time.monotonic()
    assert not killed_after(600.0, recipe, tmp_path / "unbroken", resume=False)
    whole = time.monotonic() - started
    moments, kills, number = random.Random(1), 0, 0
    while kills < 20:
        folder = tmp_path / f"cut{number}"  # a run that ended before its next kill is compared, and another one begins
        resume = folder.is_dir()
        killed = killed_after(moments.uniform(0.0, whole / 2), recipe, folder, resume=resume)
        finished = (folder / "report.json").is_file()  # also where a kill comes after the last write
        assert killed or contents(folder) == contents(tmp_path / "unbroken")
        kills, number = kills + killed, number + finished
    if not finished:
        assert not killed_after(600.0, recipe, folder, resume=True)
        assert contents(folder) == contents(tmp_path / "unbroken")


def test_a_run_begins_at_its_beginning_if_it_has_no_checkpoint(tmp_path: Path) -> None:
    recipe, notes = make_recipe(tmp_path, SYNTHETIC, NER), Notes()
    run = train(recipe, output=tmp_path / "run", resume=True, listener=notes)
    assert f"{tmp_path / 'run'}: has no training.safetensors, so the training begins at its beginning" in notes.said
    assert same_bits(weights(run), weights(train(recipe)))


def cut(recipe: Path, folder: Path, **settings: Any) -> None:
    with pytest.raises(CutError):
        train(recipe, output=folder, checkpoint_every=1, listener=Cutter(step=7), **settings)


def test_a_run_is_only_continued_with_its_own_recipe_and_data(tmp_path: Path) -> None:
    sentences = ["Ada/B-PER ran/O"] * 60
    recipe = make_conll_recipe(tmp_path, train=sentences, dev=["Ada/B-PER ran/O"])
    cut(recipe, tmp_path / "run")
    path = tmp_path / "run" / "training.safetensors"
    with pytest.raises(
        ModelError, match=rf"^{path}: must be continued with the same recipe and data, got another recipe"
    ):
        train(recipe, output=tmp_path / "run", resume=True, overrides=["training.learning_rate=0.01"])
    make_conll_recipe(tmp_path, train=["Eva/B-PER ran/O"] * 60, dev=["Ada/B-PER ran/O"])
    with pytest.raises(ModelError, match="got other train sentences; give the same, or start again with --overwrite"):
        train(recipe, output=tmp_path / "run", resume=True)
    make_conll_recipe(tmp_path, train=sentences, dev=["Eva/B-PER ran/O"])
    with pytest.raises(ModelError, match="got other dev sentences"):
        train(recipe, output=tmp_path / "run", resume=True)
    make_conll_recipe(tmp_path, train=sentences, dev=["Ada/B-PER ran/O"])
    notes = Notes()
    train(recipe, output=tmp_path / "run", resume=True, threads=2, listener=notes)
    assert any("the run began with" in note and "so the last digits may change" in note for note in notes.said)


def test_a_finished_run_has_nothing_to_resume(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    train(recipe, output=tmp_path / "run")
    before = contents(tmp_path / "run")
    with pytest.raises(ModelError, match="the run has finished, so there is nothing to resume; use another folder"):
        train(recipe, output=tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == before


@pytest.mark.parametrize("damage", ["cut", "empty", "header", "values", "place"])
def test_a_damaged_checkpoint_is_reported_in_one_sentence(damage: str, tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    cut(recipe, tmp_path / "run")
    path = tmp_path / "run" / "training.safetensors"
    content = path.read_bytes()
    damaged = {
        "cut": content[: len(content) // 2],
        "empty": b"",
        "header": content[:8] + b"x" + content[9:],
        "values": content.replace(rb"\"averaged\"", rb"\"overaged\""),
        "place": content.replace(rb"\"done\": ", rb"\"done\":-"),
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(TaggerError, match=r"the file is damaged or incomplete|the checkpoint is damaged") as caught:
        train(recipe, output=tmp_path / "run", resume=True)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> Any:
        raise DataError("No space left on device")

    recipe, notes = make_recipe(tmp_path, SYNTHETIC, NER), Notes()
    monkeypatch.setattr(module, "replaced", full)
    run = train(recipe, output=tmp_path / "run", checkpoint_every=3, listener=notes)
    assert run.report is not None
    assert any("No space left on device; training goes on" in note for note in notes.said)


@pytest.mark.parametrize("text", ["0", "5s", "-1", "m", "1.5", "", "5 m"])
def test_how_often_is_a_number_of_steps_or_minutes(text: str) -> None:
    assert Every.parse("500") == Every(steps=500)
    assert Every.parse(500) == Every(steps=500)
    assert Every.parse("0.5m") == Every(minutes=0.5)
    with pytest.raises(RecipeError, match="checkpoints must be written every so many steps, such as 500, or minutes"):
        Every.parse(text)


def test_a_checkpoint_has_nothing_but_tensors_and_json(tmp_path: Path) -> None:
    recipe = make_recipe(tmp_path, SYNTHETIC, NER)
    cut(recipe, tmp_path / "run")
    content = (tmp_path / "run" / "training.safetensors").read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    described = json.loads(header["__metadata__"]["tagger"], parse_constant=lambda name: pytest.fail(name))
    assert described.keys() == {"version", "recipe", "of", "state"}
    assert SMALL.split()[0] in described["recipe"]
