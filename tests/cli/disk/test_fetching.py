"""`tagger data`: the catalogue as a table and as JSON, and files that a training run finds where it looks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from file_server import serving

from tagger.catalogue.entries import catalogue
from tagger.cli.disk import downloading


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Outcome]


def test_the_catalogue_is_a_table_with_one_line_per_entry(call: Call) -> None:
    done = call("data", "list")
    heading, *lines = done.out.splitlines()
    assert heading.split() == ["name", "task", "language", "contents", "MB", "licence", "checked", "source"]
    assert [line.split()[0] for line in lines] == list(catalogue())
    assert all(len(line) < 200 and ("hash known" in line or "not checked" in line) for line in lines)


def test_the_catalogue_is_json_with_every_file(call: Call) -> None:
    entries = json.loads(call("data", "list", "--json").out)
    assert [entry["name"] for entry in entries] == list(catalogue())
    assert {"licence", "licence_url", "authors", "source", "checked", "bytes", "files"} <= entries[0].keys()
    assert entries[0]["files"][0].keys() == {"path", "bytes", "sha256", "checked", "url"}


def test_files_are_where_a_training_run_looks_for_them(call: Call, tmp_path: Path, data_folder: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        '[data]\nformat = "conll"\ncolumns = ["token", "ner"]\ntrain = "ner/wikigold/wikigold.conll.txt"\n'
        '[heads.ner]\nkind = "tokens"\n'
    )
    folder = tmp_path / "data"
    failed = call("train", recipe, "--data", folder)
    assert failed.code == 1
    assert failed.err.startswith(f"error: {folder}: no such folder; give the folder of the recipe's data files")
    command = failed.err.splitlines()[-1].partition(": ")[2].split()
    assert command == ["tagger", "data", "get", "wikigold", "--to", str(folder)]
    with serving() as server:
        server.files = {file.path: (data_folder / file.path).read_bytes() for file in catalogue()["wikigold"].files}
        done = call(*command[1:], "--from", server.address)
        again = call(*command[1:], "--from", server.address)
    assert (done.code, done.out) == (0, "")
    assert done.err == f"wikigold: fetched 2 files, 0.3 MB; {folder / 'ner/wikigold'}, CC BY 4.0\n"
    assert again.err == f"wikigold: already complete; {folder / 'ner/wikigold'}, CC BY 4.0\n"
    assert call("check", folder / "ner/wikigold/wikigold.conll.txt").out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("wnut", "--to", "d"), 2, "error: wnut: no such corpus; did you mean `wnut17`?\n"),
        (
            ("wnut17", "--to", "d", "--from", "here"),
            2,
            "error: --from: must be an address such as https://host/folder, got here\n",
        ),
    ],
)
def test_a_mistake_is_one_sentence(
    call: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("data", "get", *arguments)
    assert (done.code, done.err) == (code, said)
    assert list(tmp_path.iterdir()) == []


def test_a_long_download_has_a_line_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, float]] = []

    class Line:
        def __init__(self, text: str, total: float | None) -> None:
            assert total == 2_000_000

        def update(self, text: str, done: float) -> None:
            shown.append((text, done))

        def close(self) -> None:
            shown.append(("closed", 0))

    monkeypatch.setattr(downloading, "LiveLine", Line)
    monkeypatch.setattr(downloading, "SHOWN_AFTER", 0.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = downloading.DownloadProgress()
    progress.started("train.conll", 2_000_000)
    progress.advanced(500_000)
    progress.ended()
    assert shown == [("train.conll: 0.5 of 2.0 MB", 500_000), ("closed", 0)]
