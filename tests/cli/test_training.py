"""Several runs on the command line: which options go together, what is printed, and the exit code."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from small_recipes import NER, SMALL, SYNTHETIC

Call = Callable[..., SimpleNamespace]


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text("\n".join((SYNTHETIC, NER, SMALL)))
    return path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--seeds 1,2,1", "seeds must be different whole numbers from 0, such as 1,2,3, got '1,2,1'"),
        ("--seeds 1,-2", "--seeds must be different whole numbers from 0 with commas between them, such as 1,2,3, got"),
        (
            "--seeds 1,two",
            "--seeds must be different whole numbers from 0 with commas between them, such as 1,2,3, got",
        ),
        ("--seeds=", "--seeds must be different whole numbers from 0 with commas between them, such as 1,2,3, got ''"),
        ("--seeds 1,2 --seed 3", "--seed is for a single run, and --seeds for several; give one of the two"),
        ("--seeds 1,2 --folds 3", "--seeds and --folds each make several runs; give one of the two"),
        ("--folds 1", "the number of folds must be from 2 to 1,000, got 1"),
        ("--jobs 2", "--jobs is for several runs at a time; give --seeds or --folds as well"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_use(call: Call, recipe: Path, options: str, message: str) -> None:
    outcome = call("train", recipe, *options.split(), "--output", recipe.parent / "runs")
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith(f"error: {message}")
    assert not (recipe.parent / "runs").exists()


def test_several_runs_print_a_table_and_a_failed_one_gives_exit_code_1(
    call: Call, recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(recipe.parent)
    outcome = call("train", recipe, "--seeds", "1,2", "--threads", 1)
    assert outcome.code == 0
    head, _, columns, _, first, *_ = outcome.out.splitlines()
    assert head == "small: 2 runs, seeds 1, 2"
    assert columns.split() == ["layer", "split", "score", "mean", "±", "sd", "min", "median", "max"]
    assert first.split()[:3] == ["ner", "test", "f1"]
    assert outcome.err.count("40 train, 4 dev, 4 test sentences") == 1
    assert "[1/2] seed-1: dev ner " in outcome.err
    assert "; about " in outcome.err.splitlines()[-2]
    assert outcome.err.splitlines()[-1].startswith("[2/2] seed-2: dev ner ")
    folder = Path("runs", "small-seeds")
    (folder / "seed-3").write_text("in the way")
    again = call("train", recipe, "--seeds", "1,2,3", "--threads", 1, "--json")
    assert again.code == 1
    found = json.loads(again.out)
    assert list(found["runs"]) == ["seed-1", "seed-2"]
    assert "must be writable" in found["failed"]["seed-3"]
    assert found == json.loads((folder / "seeds.json").read_text())
    assert "seed-1: used again: dev ner " in again.err


def test_a_single_run_prints_its_report_as_json(call: Call, recipe: Path) -> None:
    outcome = call("train", recipe, "--output", recipe.parent / "run", "--threads", 1, "--json")
    assert outcome.code == 0
    found = json.loads(outcome.out)
    kept = json.loads((recipe.parent / "run" / "report.json").read_text())
    assert found["scores"] == kept["scores"]
    assert found["seed"] == 1


def test_if_no_run_finishes_the_reasons_are_the_error(call: Call, recipe: Path) -> None:
    (recipe.parent / "runs").mkdir()
    (recipe.parent / "runs" / "seed-1").write_text("in the way")
    outcome = call("train", recipe, "--seeds", "1", "--output", recipe.parent / "runs")
    assert outcome.code == 1
    assert "error: no run has finished\nseed-1: " in outcome.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_terminal_shows_a_line_per_run_and_keeps_the_results() -> None:
    import pty

    code = (
        "from tagger.cli.training.runs import GroupProgress\n"
        "with GroupProgress() as progress:\n"
        "    progress.began('seed-1', 2); progress.began('seed-2', 2); progress.stepped('seed-1', 0.5)\n"
        "    progress._lines._progress.refresh()\n"
        "    progress.ended('seed-1', 'dev ner 0.5'); progress.ended('seed-2', 'failed')\n"
    )
    ours, theirs = pty.openpty()
    done = subprocess.Popen([sys.executable, "-c", code], stderr=theirs, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert done.wait() == 0
    text = shown.decode()
    assert "0 of 2 runs" in text
    assert "[1/2] seed-1: dev ner 0.5; took 0 s; about 0 s left" in text
    assert "[2/2] seed-2: failed; took 0 s" in text
