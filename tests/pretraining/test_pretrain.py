"""From files of text to a folder: the files, resuming, and what the folder refuses."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tagger.errors import ModelError
from tagger.files.writing import locked
from tagger.pretraining import pretrain as module
from tagger.pretraining.folder import describe_charlm
from tagger.pretraining.model import charlm_to_bytes, read_charlm
from tagger.pretraining.plan import Listener, Plan, Round
from tagger.pretraining.pretrain import pretrain

FILES = {"config.json", "characters.json", "weights.safetensors", "README.md", "log.jsonl"}


class Events(Listener):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.steps = 0

    def noted(self, message: str) -> None:
        self.notes.append(message)

    def stepped(self, *figures: float) -> None:
        self.steps += 1


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_folder_holds_the_best_model_and_a_line_per_pass(small: Plan, text_file: Path, tmp_path: Path) -> None:
    events = Events()
    outcome = pretrain([text_file], tmp_path / "model", plan=small, listener=events)
    assert names(tmp_path / "model") == FILES
    log = [json.loads(line) for line in (tmp_path / "model" / "log.jsonl").read_text().splitlines()]
    assert [line["round"] for line in log] == [1, 2, 3]
    assert outcome.finished
    assert outcome.best.dev_perplexity == min(line["dev_perplexity"] for line in log) < 10
    assert charlm_to_bytes(read_charlm(tmp_path / "model")) == charlm_to_bytes(outcome.model)
    card = (tmp_path / "model" / "README.md").read_text()
    assert f"| {outcome.best.dev_perplexity:.3f} | {outcome.best.dev_bits:.3f} |" in card
    assert "Training has not finished" not in card
    assert events.notes[0].endswith(f" held out, {len(outcome.model.characters) - 1} different ones")
    facts = describe_charlm(tmp_path / "model")
    assert facts["dev_perplexity"] == outcome.best.dev_perplexity
    assert facts["kind"].startswith("character language model")


def test_a_dev_file_is_scored_and_all_other_text_is_learned(small: Plan, text_file: Path, tmp_path: Path) -> None:
    outcome = pretrain([text_file], tmp_path / "model", plan=replace(small, epochs=1), dev=text_file)
    facts = outcome.to_dict()
    assert facts["characters"] == facts["dev_characters"] == len(text_file.read_text(encoding="utf-8")) + 1


@pytest.mark.parametrize("stops_at", [2, 70])
def test_a_stopped_training_leaves_a_model_and_continues_to_the_same_result(
    small: Plan, text_file: Path, tmp_path: Path, stops_at: int
) -> None:
    whole = pretrain([text_file], tmp_path / "whole", plan=small)
    events, folder = Events(), tmp_path / "model"
    stopped = pretrain([text_file], folder, plan=small, listener=events, stop=lambda: events.steps == stops_at)
    assert not stopped.finished
    assert names(folder) == {*FILES, "checkpoint.safetensors"}
    assert charlm_to_bytes(read_charlm(folder)) == charlm_to_bytes(stopped.model)
    assert "Training has not finished" in (folder / "README.md").read_text()
    with pytest.raises(ModelError, match="already holds a training that was stopped; use another one, continue it"):
        pretrain([text_file], folder, plan=small)
    continued = pretrain([text_file], folder, plan=small, resume=True, threads=2)
    assert continued.finished
    assert continued.best.dev_perplexity == whole.best.dev_perplexity
    assert (folder / "weights.safetensors").read_bytes() == (tmp_path / "whole" / "weights.safetensors").read_bytes()
    assert names(folder) == FILES


@pytest.mark.parametrize(("saved_every", "killed_in"), [(0.0, 2), (1e9, 1), (1e9, 2)])
def test_a_killed_training_continues_from_its_last_checkpoint(
    small: Plan,
    text_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    saved_every: float,
    killed_in: int,
) -> None:
    class Killed(Events):
        def scored(self, last: Round, done: float) -> None:
            if last.round == killed_in:
                raise RuntimeError("killed")

    monkeypatch.setattr(module, "SAVED_EVERY", saved_every)
    plan = replace(small, window=300)
    whole = pretrain([text_file], tmp_path / "whole", plan=plan)
    with pytest.raises(RuntimeError, match="killed"):
        pretrain([text_file], tmp_path / "model", plan=plan, listener=Killed())
    with pytest.raises(ModelError, match="already holds a training that was stopped"):
        pretrain([text_file], tmp_path / "model", plan=plan)
    continued = pretrain([text_file], tmp_path / "model", plan=plan, resume=True)
    assert continued.best.dev_perplexity == whole.best.dev_perplexity
    assert len(continued.rounds) == 3


def test_a_training_that_was_stopped_can_be_continued_until_another_has_replaced_it(
    small: Plan, text_file: Path, tmp_path: Path
) -> None:
    class Killed(Events):
        def stepped(self, *figures: float) -> None:
            raise RuntimeError("killed")

    folder = tmp_path / "model"
    pretrain([text_file], folder, plan=small, stop=lambda: True)
    with pytest.raises(RuntimeError, match="killed"):
        pretrain([text_file], folder, plan=replace(small, seed=2), overwrite=True, listener=Killed())
    assert pretrain([text_file], folder, plan=small, resume=True).finished


def test_a_training_that_goes_on_longer_than_planned_says_so(small: Plan, text_file: Path, tmp_path: Path) -> None:
    events, folder = Events(), tmp_path / "model"
    pretrain([text_file], folder, plan=small, stop=lambda: True)
    assert len(pretrain([text_file], folder, plan=replace(small, epochs=4), resume=True, listener=events).rounds) == 4
    assert events.notes[-1] == (
        "the training ends after 4 epochs instead of 3 epochs; the learning rate changes here, so the model is not the "
        "one of a training that had 4 epochs from the start"
    )


@pytest.mark.parametrize(("lines", "is_noted"), [(60, True), (2000, False)])
def test_a_tiny_held_out_part_is_noted(small: Plan, tmp_path: Path, lines: int, is_noted: bool) -> None:
    (tmp_path / "text.txt").write_text("Ada lives in Oslo\n" * lines)
    events = Events()
    pretrain([tmp_path / "text.txt"], tmp_path / "model", plan=small, listener=events, stop=lambda: True)
    assert any("characters are held out, so" in note and "--dev" in note for note in events.notes) is is_noted


def test_a_damaged_checkpoint_is_refused_in_one_sentence(small: Plan, text_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    pretrain([text_file], folder, plan=small, stop=lambda: True)
    path = folder / "checkpoint.safetensors"
    content = path.read_bytes()
    for damage in (content[:1000], b"", content[:-1], content.replace(b'\\"step\\"', b'\\"sted\\"')):
        path.write_bytes(damage)
        with pytest.raises(ModelError, match=r"checkpoint\.safetensors: the file is damaged or incomplete"):
            pretrain([text_file], folder, plan=small, resume=True)
    assert names(folder) == {*FILES, "checkpoint.safetensors"}


def test_a_folder_is_replaced_or_continued_only_if_asked(small: Plan, text_file: Path, tmp_path: Path) -> None:
    folder, plan = tmp_path / "model", replace(small, epochs=1)
    with pytest.raises(ModelError, match="--resume needs the checkpoint of a training, got none; start without"):
        pretrain([text_file], folder, plan=plan, resume=True)
    assert not folder.exists()
    pretrain([text_file], folder, plan=plan)
    with pytest.raises(ModelError, match="already holds a model; use another one, or replace it with --overwrite"):
        pretrain([text_file], folder, plan=plan)
    with pytest.raises(ModelError, match="got a finished model; replace it with --overwrite"):
        pretrain([text_file], folder, plan=plan, resume=True)
    before = (folder / "weights.safetensors").read_bytes()
    pretrain([text_file], folder, plan=replace(plan, seed=2), overwrite=True)
    assert (folder / "weights.safetensors").read_bytes() != before
    with locked(folder), pytest.raises(ModelError, match="another training is writing to this folder"):
        pretrain([text_file], folder, plan=plan, overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="must be writable"):
        pretrain([text_file], tmp_path / "file", plan=plan)
