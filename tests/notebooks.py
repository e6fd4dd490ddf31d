"""Notebooks that are run in a folder of their own, and compared with the outputs that are committed with them."""

import re
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
NUMBER = re.compile(r"\d+(?:\.\d+)?")
Outputs = list[tuple[str, list[dict[str, Any]]]]


def outputs_of(notebook: Any) -> Outputs:
    """Return the source of each code cell with its outputs."""
    return [(cell.source, cell.outputs) for cell in notebook.cells if cell.cell_type == "code"]


def committed_outputs(name: str) -> Outputs:
    """Return the outputs that are committed with a notebook."""
    with warnings.catch_warnings():  # of the notebook library itself, at its import
        warnings.simplefilter("ignore")
        import nbformat
    return outputs_of(nbformat.read(RECIPES / name, as_version=4))


def new_outputs(name: str, base: Path, *others: str) -> Outputs:
    """Return the outputs of a copy of a notebook that is run now, beside other files of its folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import nbclient
        import nbformat
    folder = base / "recipes"
    folder.mkdir()
    for file in (name, *others):
        shutil.copy(RECIPES / file, folder)
    notebook = nbformat.read(folder / name, as_version=4)
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
    """Return the HTML of all pictures."""
    return [o["data"]["text/html"] for _, made in outputs for o in made if "text/html" in o.get("data", {})]


def check_same(outputs: Outputs, committed: Outputs) -> None:
    """Compare words and numbers; other processors differ in the last digits, so that a few tags may differ too."""
    assert len(pictures(outputs)) == len(pictures(committed))
    for (source, _), (committed_source, _) in zip(outputs, committed, strict=True):
        assert source == committed_source
        lines, before = printed(outputs, source).splitlines(), printed(committed, source).splitlines()
        assert [line.split()[:1] for line in lines] == [line.split()[:1] for line in before]
        for line, other in zip(lines, before, strict=True):
            numbers = [[float(number) for number in NUMBER.findall(text)] for text in (line, other)]
            assert numbers[0] == pytest.approx(numbers[1], abs=0.15, rel=0.02)
