"""Commands with a model of the hub."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub_server import Hub, reached

TEXT = "Ada came to Paris.\n"


@pytest.fixture
def hub(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with reached(monkeypatch, tmp_path) as found:
        found.commit("ada/small", {path.name: path.read_bytes() for path in model.iterdir()})
        yield found


def test_a_model_of_the_hub_is_used_as_its_folder(hub: Hub, model: Path, call: Callable, tmp_path: Path) -> None:
    address = f"hf://ada/small@{hub.branches['ada/small']['main']}"
    gold = tmp_path / "gold.conll"
    gold.write_text("Ada B-PER\ncame O\n")
    for command in (
        ["tag"],
        ["info", "--json"],
        ["evaluate", gold, "--columns", "token,ner", "--format", "conll", "--json"],
    ):
        there, here = (call(command[0], path, *command[1:], text=TEXT) for path in (address, model))
        assert there.code == 0, there.err
        if command[0] == "evaluate":
            assert json.loads(there.out)["scores"] == json.loads(here.out)["scores"]
        else:
            assert there.out == here.out
    assert hub.downloads() == ["config.json", "tokenizer.json", "vocabulary.json", "weights.safetensors"]


def test_a_command_asks_for_a_branch_once(hub: Hub, call: Callable) -> None:
    assert call("tag", "hf://ada/small", text=TEXT).code == 0
    assert [path for _, path in hub.asked].count("/api/models/ada/small") == 1


def test_a_model_of_the_hub_is_exported(hub: Hub, call: Callable, tmp_path: Path) -> None:
    done = call("export", "hf://ada/small", tmp_path / "exported")
    assert done.code == 0, done.err
    assert (tmp_path / "exported" / "model.onnx").is_file()


def test_an_unknown_model_of_the_hub_is_told_in_one_sentence(hub: Hub, call: Callable) -> None:
    done = call("tag", "hf://ada/none", text=TEXT)
    assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
    assert "hf://ada/none: the Hugging Face hub has no such model, or it is private" in done.err


def test_no_progress_is_shown_where_there_is_no_terminal(hub: Hub, call: Callable) -> None:
    assert call("tag", "hf://ada/small", text=TEXT).err == ""
