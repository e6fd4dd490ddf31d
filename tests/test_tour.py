"""The notebook of the tour runs from its first cell to its last, and its outputs are those committed with it."""

import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
NUMBER = re.compile(r"\d+(?:\.\d+)?")
Outputs = list[tuple[str, list[dict[str, Any]]]]


def outputs_of(notebook: Any) -> Outputs:
    """Return the source of each code cell with its outputs."""
    return [(cell.source, cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def committed() -> Outputs:
    with warnings.catch_warnings():  # of the notebook library itself, at its import
        warnings.simplefilter("ignore")
        import nbformat
    return outputs_of(nbformat.read(ROOT / "recipes" / "tour.ipynb", as_version=4))


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """Return the outputs of a copy of the notebook that was run now."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import nbclient
        import nbformat
    folder = tmp_path_factory.mktemp("tour") / "recipes"
    folder.mkdir()
    for name in ("tour.ipynb", "quickstart.toml"):
        shutil.copy(ROOT / "recipes" / name, folder)
    notebook = nbformat.read(folder / "tour.ipynb", as_version=4)
    client = nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(folder)}})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client.execute()  # the slowest cell takes about 15 s on an idle machine
    return outputs_of(notebook)


def printed(outputs: Outputs, needle: str) -> str:
    """Return what the cell with this source printed."""
    found = next(made for source, made in outputs if needle in source)
    return "".join(str(output["text"]) for output in found if output["output_type"] == "stream")


def pictures(outputs: Outputs) -> list[str]:
    return [o["data"]["text/html"] for _, made in outputs for o in made if "text/html" in o.get("data", {})]


def test_outputs_are_those_that_are_committed(outputs: Outputs, committed: Outputs) -> None:
    """Words and numbers are compared; other processors differ in the last digits, so that a few tags may differ too."""
    assert len(pictures(outputs)) == len(pictures(committed))
    for (source, _), (committed_source, _) in zip(outputs, committed, strict=True):
        assert source == committed_source
        lines, before = printed(outputs, source).splitlines(), printed(committed, source).splitlines()
        assert [line.split()[:1] for line in lines] == [line.split()[:1] for line in before]
        for line, other in zip(lines, before, strict=True):
            numbers = [[float(number) for number in NUMBER.findall(text)] for text in (line, other)]
            assert numbers[0] == pytest.approx(numbers[1], abs=0.15, rel=0.02)


def test_two_directions_know_the_words_that_depend_on_later_words(outputs: Outputs) -> None:
    figures = [re.findall(r"0\.\d+|1\.0+", line) for line in printed(outputs, "def accuracy").splitlines()]
    (both_later, both_others), (forward_later, forward_others) = [map(float, line) for line in figures]
    assert both_later > 0.9
    assert both_later > forward_later + 0.1
    assert min(both_others, forward_others) > 0.9


def test_pictures_show_themselves(outputs: Outputs) -> None:
    for needle, picture in zip(("Training", "terrible", "Rossi", "svg"), pictures(outputs), strict=True):
        assert needle in picture


def test_a_file_of_the_readers_own_is_checked_trained_and_scored(outputs: Outputs) -> None:
    assert "no errors" in printed(outputs, "tagger.check")
    assert printed(outputs, "model_validate").startswith("ner: F1 ")
