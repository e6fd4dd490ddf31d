"""What a folder holds, and that nothing of another kind is written there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tagger.config import Recipe
from tagger.errors import ModelError
from tagger.export.folder import _check_place
from tagger.files.holding import NAMES, Kind, check_kind, kind_in
from tagger.pretraining.folder import open_folder
from tagger.running.folder import open_run_folder

HELD: dict[Kind, tuple[dict[str, str], ...]] = {
    "run": ({"report.json": "{}"}, {"model/config.json": "{}"}, {"teachers/a/model/config.json": "{}"}),
    "runs": ({"seeds.json": "{}", "seed-1/report.json": "{}"}, {"folds.json": "{}"}),
    "charlm": (
        {"config.json": '{"kind": "charlm"}'},
        {"checkpoint.safetensors": ""},
        {"config.json": "damaged", "characters.json": "[]", "weights.safetensors": ""},
    ),
    "export": ({"config.json": "{}", "model.onnx": ""},),
    "model": ({"config.json": "{}", "weights.safetensors": "", "tokenizer.json": ""}, {"config.json": "damaged"}),
}
ALL = [(kind, files) for kind, choices in HELD.items() for files in choices]


def fill(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def write_run(folder: Path, recipe: Recipe) -> None:
    with open_run_folder(folder, recipe, data=folder, base=folder, overwrite=True):
        pass


def write_charlm(folder: Path, recipe: Recipe) -> None:
    with open_folder(folder, overwrite=True, resume=False):
        pass


def write_export(folder: Path, recipe: Recipe) -> None:
    _check_place(folder, overwrite=True)


WRITERS: dict[Kind, Callable[[Path, Recipe], None]] = {
    "run": write_run,
    "charlm": write_charlm,
    "export": write_export,
}


@pytest.mark.parametrize(("kind", "files"), ALL)
def test_files_show_what_a_folder_holds(tmp_path: Path, kind: Kind, files: dict[str, str]) -> None:
    assert kind_in(tmp_path / "none") is None
    fill(tmp_path, {"notes.txt": "", "other/config.json": "{}"})
    assert kind_in(tmp_path) is None
    assert kind_in(fill(tmp_path, files)) == kind


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize(("held", "files"), ALL)
def test_only_the_same_kind_is_replaced(tmp_path: Path, kind: Kind, held: Kind, files: dict[str, str]) -> None:
    folder, recipe = fill(tmp_path, files), Recipe.model_construct()
    if held == kind:
        WRITERS[kind](folder, recipe)
        return
    message = f"the folder must be for {NAMES[kind]}, but holds {NAMES[held]}; use another one, because --overwrite"
    with pytest.raises(ModelError, match=message):
        WRITERS[kind](folder, recipe)
    assert {name: (folder / name).read_text() for name in files} == files
    with pytest.raises(ModelError, match=message):
        check_kind(folder, kind)
