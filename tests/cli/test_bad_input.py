"""Whatever file a command is given: exit code 1, one sentence on standard error, and no traceback."""

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tagger

SMALL = """
data = {format = "synthetic", sentences = 20}
embeddings = {dimension = 4, char_dimension = 4, char_hidden = 4}
encoder = {hidden_size = 4}
heads = {ner = {kind = "tokens"}}
training = {epochs = 1}
"""


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    (folder / "small.toml").write_text(SMALL)
    tagger.train(folder / "small.toml", output=folder / "run")
    return folder / "run"


def written(data: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / "bad").write_bytes(data)
        return folder / "bad"

    return write


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "bad")
    return folder / "bad"


def broken_link(folder: Path) -> Path:
    (folder / "bad").symlink_to(folder / "nowhere")
    return folder / "bad"


BAD = {
    "missing": (lambda folder: folder / "nowhere", "no such file"),
    "folder": (lambda folder: folder, "got a folder"),
    "broken link": (broken_link, "the link leads to no file"),
    "named pipe": (pipe, "got a named pipe"),
    "device": (lambda folder: Path("/dev/zero"), "got a device"),
    "name too long": (lambda folder: folder / ("x" * 300), "File name too long"),
    "zero bytes": (written(b"\0\tO\n"), ":1: must be text, got a binary file"),
    "half a surrogate pair": (written(b"\xed\xa0\x80\tO\n"), ":1: must be UTF-8, got byte 0xed"),
    "endless line": (written(b"x" * 11_000_000), ":1: a line must have at most 10,000,000 bytes"),
    "endless packed line": (written(gzip.compress(b"x" * 30_000_000)), ":1: a line must have at most 10,000,000 bytes"),
    "broken gzip": (written(gzip.compress(b"Ada\tO\n" * 100)[:12]), "the gzip data are broken or cut short"),
    "another encoding": (written("Zürich\tO\n".encode("latin-1")), ":1: must be UTF-8, got byte 0xfc"),
}
COMMANDS = {
    "tag text": ("tag", "{run}", "{bad}"),
    "tag conll": ("tag", "{run}", "{bad}", "--input-format", "conll", "--columns", "token,_"),
    "tag jsonl": ("tag", "{run}", "{bad}", "--input-format", "jsonl"),
    "evaluate conll": ("evaluate", "{run}", "{bad}", "--format", "conll", "--columns", "token,ner"),
    "evaluate conllu": ("evaluate", "{run}", "{bad}", "--format", "conllu"),
    "evaluate jsonl": ("evaluate", "{run}", "{bad}", "--format", "jsonl"),
    "evaluate labelled": ("evaluate", "{run}", "{bad}", "--format", "labelled", "--layer", "class"),
    "train": ("train", "{recipe}", "--output", "{folder}/out", "--set", 'data.train="{bad}"'),
    "train with vectors": ("train", "{small}", "--output", "{folder}/out", "--set", 'embeddings.vectors=["{bad}"]'),
}
RECIPE = """
data = {format = "conll", columns = ["token", "ner"], train = "train.conll"}
heads = {ner = {kind = "tokens"}}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="named after what Linux says")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("bad", BAD)
def test_bad_file_ends_in_one_sentence(call, bad, command, run_folder, tmp_path) -> None:
    make, part = BAD[bad]
    (tmp_path / "recipe.toml").write_text(RECIPE)
    (tmp_path / "small.toml").write_text(SMALL)
    (tmp_path / "in").mkdir()
    path = make(tmp_path / "in")
    places = {
        "run": run_folder,
        "bad": path,
        "folder": tmp_path,
        "recipe": tmp_path / "recipe.toml",
        "small": tmp_path / "small.toml",
    }
    code, _, said = call(*(argument.format(**places) for argument in COMMANDS[command]))
    last = said.splitlines()[-1]
    assert code == 1
    assert last.startswith(f"error: {path}")
    assert part in last
    assert "Traceback" not in said


RECIPES = {
    "folder": (lambda folder: folder, "the recipe cannot be read: Is a directory"),
    "named pipe": (pipe, "a recipe must be a regular file, got a pipe or a device"),
    "device": (lambda folder: Path("/dev/zero"), "a recipe must be a regular file, got a pipe or a device"),
    "zero bytes": (written(b"seed = \0"), "a recipe must be TOML in UTF-8"),
    "too long": (written(b"#" * 2_000_000), "a recipe must have at most 1,000,000 bytes, got more"),
    "too deep": (written(b"a = " + b"[" * 100_000), "a recipe must be TOML in UTF-8"),
    "too many digits": (written(b"seed = " + b"9" * 10_000), "a recipe must be TOML in UTF-8"),
}


def test_value_too_deep_to_be_read_ends_in_one_sentence(call, tmp_path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    deep = "seed=" + "[" * 10_000
    code, _, said = call("train", tmp_path / "small.toml", "--set", deep)
    assert code == 2
    assert "the value must be TOML or a bare word" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("bad", RECIPES)
def test_bad_recipe_ends_in_one_sentence(call, bad, tmp_path) -> None:
    make, part = RECIPES[bad]
    path = make(tmp_path)
    code, _, said = call("train", path)
    assert code == 2
    assert said.startswith(f"error: {path}: {part}")
    assert len(said.splitlines()) == 1


MODELS = {
    "config.json": (b'{"format": ' + b"[" * 100_000, "the file is damaged or cut short, it is no JSON"),
    "vocabulary.json": (b"\xed\xa0\x80", "the file is damaged or cut short, it is no JSON"),
    "weights.safetensors": (b"\xff" * 100, "the file is damaged or cut short"),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("command", ["tag", "info"])
def test_bad_model_ends_in_one_sentence(call, command, name, run_folder, tmp_path) -> None:
    data, part = MODELS[name]
    folder = tmp_path / "model"
    shutil.copytree(run_folder / "model", folder)
    (folder / name).write_bytes(data)
    code, _, said = call(command, folder)
    assert code == 1
    assert said.startswith(f"error: {folder / name}: {part}")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("report", ["", "{", "[1]", '{"scores": [1]}', '{"scores": {"ner": 1}}', "[" * 100_000])
def test_damaged_report_of_a_run_ends_in_one_sentence(call, report, run_folder, tmp_path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder)
    (folder / "report.json").write_text(report)
    code, _, said = call("info", folder)
    assert code == 1
    place = folder / "report.json"
    assert said == f"error: {place}: the report is damaged or cannot be read; delete it or copy the folder again\n"


def test_endless_line_on_standard_input_is_refused_while_it_comes(run_folder) -> None:
    command = f"head -c 100M /dev/zero | tr '\\0' x | {sys.executable} -m tagger tag {run_folder} -"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "error: standard input:1: a line must have at most 10,000,000 bytes, got more; split it\n"
