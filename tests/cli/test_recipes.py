"""`tagger recipes`: what is listed can be copied, and what is copied can be read as it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tagger.cli.recipes import FOLDER
from tagger.config import load_recipe
from tagger.running.corpora import load_corpora


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Outcome]
NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


def test_list_has_one_line_per_recipe_with_task_and_first_sentence(call: Call) -> None:
    heading, *lines = call("recipes", "list").out.splitlines()
    assert heading.split() == ["name", "task", "about"]
    assert [line.split()[0] for line in lines] == NAMES
    line = next(line for line in lines if line.startswith("quickstart"))
    assert line.split("  ")[-1].startswith("Entities, parts of speech and sentiment in one network")
    assert "entities, tags, labels" in line


def test_list_is_json(call: Call) -> None:
    found = json.loads(call("recipes", "list", "--json").out)
    assert [recipe["name"] for recipe in found] == NAMES
    assert all(recipe["about"].endswith(".") and recipe["task"] for recipe in found)


@pytest.mark.parametrize("name", NAMES)
def test_a_copy_equals_the_recipe_and_its_teachers_are_beside_it(call: Call, tmp_path: Path, name: str) -> None:
    done = call("recipes", "copy", name, tmp_path)
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / f"{name}.toml").read_bytes() == (FOLDER / f"{name}.toml").read_bytes()
    heads = load_recipe(tmp_path / f"{name}.toml").heads.values()
    teachers = {teacher for head in heads for teacher in head.teacher or ()}
    data = {"data"} if name == "own-types" else set()
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.toml", *teachers, *data}


def test_data_of_the_package_are_copied_with_their_licence(call: Call, tmp_path: Path) -> None:
    assert call("recipes", "copy", "own-types", tmp_path / "mine").code == 0
    copied = tmp_path / "mine" / "data" / "wnut17"
    assert {path.name for path in copied.iterdir()} == {"LICENSE", "README.md", "train.conll.gz"}
    assert all(path.read_bytes() == (FOLDER / "data" / "wnut17" / path.name).read_bytes() for path in copied.iterdir())
    assert load_corpora(tmp_path / "mine" / "own-types.toml")["data"].train


def test_copy_goes_to_the_current_folder_and_replaces_a_file_only_when_asked(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pos-ewt.toml").write_text("mine")  # a teacher
    refused = call("recipes", "copy", "joint-english")
    assert refused.code == 1
    assert refused.err == (
        "error: pos-ewt.toml: the file exists; choose another folder, or pass --overwrite to replace it\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["pos-ewt.toml"]
    assert call("recipes", "copy", "joint-english", "--overwrite").code == 0
    assert Path("pos-ewt.toml").read_bytes() == (FOLDER / "pos-ewt.toml").read_bytes()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("quikstart", "no such recipe 'quikstart'; did you mean `quickstart`?"),
        ("quickstart.toml", "no such recipe 'quickstart.toml'; did you mean `quickstart`?"),
        ("../quickstart", "no such recipe '../quickstart'; did you mean `quickstart`?"),
        ("zzz", "no such recipe 'zzz'; see `tagger recipes list`"),
    ],
)
def test_an_unknown_name_is_one_sentence_with_advice(call: Call, tmp_path: Path, name: str, said: str) -> None:
    done = call("recipes", "copy", name, tmp_path)
    assert (done.code, done.err) == (2, f"error: {said}\n")


def test_a_missing_folder_is_made(call: Call, tmp_path: Path) -> None:
    assert call("recipes", "copy", "quickstart", tmp_path / "new" / "folder").code == 0
    assert (tmp_path / "new" / "folder" / "quickstart.toml").is_file()


def test_a_file_instead_of_a_folder_is_one_sentence(call: Call, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    done = call("recipes", "copy", "quickstart", tmp_path / "taken")
    assert done.code == 1
    assert done.err == f"error: {tmp_path / 'taken'}: the folder cannot be made: File exists; choose another one\n"
