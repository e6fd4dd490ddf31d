"""The notebook of the tour runs from its first cell to its last, and what it claims about directions comes out."""

import re
import shutil
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, list[dict[str, object]]]]:
    """The source of each code cell with its outputs, from a copy of the folder in which nothing was run."""
    with warnings.catch_warnings():  # of the notebook libraries themselves, at their import
        warnings.simplefilter("ignore")
        import nbclient
        import nbformat
    folder = tmp_path_factory.mktemp("tour") / "recipes"
    folder.mkdir()
    for name in ("tour.ipynb", "quickstart.toml"):
        shutil.copy(ROOT / "recipes" / name, folder)
    notebook = nbformat.read(folder / "tour.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # the file itself keeps no figures that could age
    client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client.execute()
    return [(cell.source, cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]


def printed(outputs: list[tuple[str, list[dict[str, object]]]], needle: str) -> str:
    """What the cell with this source printed."""
    found = next(made for source, made in outputs if needle in source)
    return "".join(str(output["text"]) for output in found if output["output_type"] == "stream")


def test_two_directions_know_the_words_that_later_words_decide(outputs: list) -> None:
    figures = [re.findall(r"0\.\d+|1\.0+", line) for line in printed(outputs, "def accuracy").splitlines()]
    (both_later, both_others), (forward_later, forward_others) = [map(float, line) for line in figures]
    assert both_later > 0.9
    assert both_later > forward_later + 0.1
    assert min(both_others, forward_others) > 0.9


def test_pictures_show_themselves(outputs: list) -> None:
    shown = [o["data"]["text/html"] for _, made in outputs for o in made if "text/html" in o.get("data", {})]
    assert len(shown) == 4
    for needle, picture in zip(("Training", "terrible", "Rossi", "svg"), shown, strict=True):
        assert needle in picture


def test_a_file_of_the_readers_own_is_checked_trained_and_scored(outputs: list) -> None:
    assert "sound" in printed(outputs, "tagger.check")
    assert printed(outputs, "model_validate").startswith("ner: F1 ")
