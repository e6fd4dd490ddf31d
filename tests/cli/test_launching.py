"""`train --processes`: one run in two processes, and what happens when one of them dies or all are asked to stop."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_recipes import NER, SMALL, SYNTHETIC

from tagger.cli.training.launching import without_processes

# A process that was started in the background of a shell ignores SIGINT, and so do its children.
START = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\nfrom tagger.cli import main\nmain()"
LONG = ["--set", "training.epochs=100000", "--set", "training.patience=100000"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text("\n".join((SYNTHETIC, NER, SMALL)))
    return path


def command_of(recipe: Path, *options: str) -> list[str]:
    command = [sys.executable, "-c", START, "train", str(recipe), "--output", str(recipe.parent / "run")]
    return [*command, "--processes", "2", *options]


def children_of(process: "subprocess.Popen[str]") -> list[int]:
    """The training processes in the order of their start."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=True)
    return sorted(map(int, found.stdout.split()))


def begun(process: "subprocess.Popen[str]") -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch   2"):
            return


def test_a_run_in_two_processes_is_shown_once(recipe: Path) -> None:
    done = subprocess.run(command_of(recipe), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("epoch   1/2") == 1
    assert done.stdout.count("signature: ner") == 1
    assert json.loads((recipe.parent / "run" / "report.json").read_text())["epoch"] in (1, 2)
    again = subprocess.run(command_of(recipe), capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert again.stderr.count("already holds a finished run") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_at_the_same_step_and_keeps_the_best_model(number: int, recipe: Path) -> None:
    command = command_of(recipe, *LONG, "--checkpoint-every", "5")
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        begun(process)
        process.send_signal(number)
        _, said = process.communicate(timeout=300)
    assert process.returncode == (0 if number == signal.SIGINT else 128 + number), said
    assert "stopped by the user; best dev score" in said
    assert "Traceback" not in said
    assert (recipe.parent / "run" / "training.safetensors").is_file()


@pytest.mark.parametrize("victim", [0, 1])
def test_a_process_that_dies_ends_the_run_with_one_sentence(victim: int, recipe: Path) -> None:
    with subprocess.Popen(command_of(recipe, *LONG), stderr=subprocess.PIPE, text=True) as process:
        begun(process)
        children = children_of(process)
        os.kill(children[victim], signal.SIGKILL)
        started = time.monotonic()
        _, said = process.communicate(timeout=300)
    assert time.monotonic() - started < 60
    assert process.returncode != 0
    assert f"error: process {victim + 1} of the training was ended by SIGKILL; the others are ended; --resume" in said
    assert "Traceback" not in said
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def test_torchrun_starts_the_same_run(recipe: Path) -> None:
    run = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone", "-m", "tagger"]
    command = [*run, "train", str(recipe), "--output", str(recipe.parent / "run"), "--threads", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (recipe.parent / "run" / "report.json").is_file()


def test_processes_are_for_a_single_run(recipe: Path) -> None:
    done = subprocess.run(command_of(recipe, "--seeds", "1,2"), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "error: --processes is for a single run; --jobs makes several runs at a time\n"


def test_the_processes_divide_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert without_processes(["train", "r", "--processes", "2"], 2, None) == ["train", "--threads", "4", "r"]
    given = ["train", "r", "--processes=4", "--threads", "1"]
    assert without_processes(given, 4, 1) == ["train", "r", "--threads", "1"]
