"""Several runs at a time, each in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

import pytest
from small_recipes import NER, SMALL, SYNTHETIC

import tagger
from tagger.config import load_recipe
from tagger.running.several.plans import Plan
from tagger.running.several.processes import Ending, GroupListener, Processes, _work
from tagger.running.several.training import train_several

LONG = 60.0  # seconds that no test here needs


class Ender:
    """Ends the process that unpickles it."""

    def __init__(self, how: Any, *arguments: Any) -> None:
        self.how, self.arguments = how, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.how, self.arguments


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text("\n".join((SYNTHETIC, NER, SMALL)))
    return path


def test_runs_at_a_time_equal_single_runs_bit_by_bit_and_a_failing_one_does_not_end_them(
    recipe: Path, tmp_path: Path
) -> None:
    output = tmp_path / "runs"
    output.mkdir()
    (output / "seed-3").write_text("in the way")
    heard: list[tuple[str, str]] = []

    class Listener(GroupListener):
        def noted(self, name: str, message: str) -> None:
            heard.append((name, message))

        def scored(self, name: str, epoch: Any) -> None:
            heard.append((name, f"epoch {epoch.epoch}"))

    group = train_several(recipe, seeds=[1, 2, 3], output=output, jobs=2, threads=1, listener=Listener())
    for seed in (1, 2):
        alone = tmp_path / f"alone-{seed}"
        tagger.train(recipe, seed=seed, overrides=["data.seed=1"], output=alone, threads=1)
        files = [folder / "model" / "weights.safetensors" for folder in (output / f"seed-{seed}", alone)]
        assert files[0].read_bytes() == files[1].read_bytes()
        assert (f"seed-{seed}", "epoch 2") in heard
    assert list(group.reports) == ["seed-1", "seed-2"]
    assert "seed-3: the folder of a run must be writable" in group.failed["seed-3"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_process_that_dies_is_told_with_its_signal_or_code(recipe: Path, tmp_path: Path) -> None:
    endings: dict[str, Ending] = {}
    plans = [
        Plan(tmp_path / name, load_recipe(recipe), {"data": ender})
        for name, ender in (("killed", Ender(signal.raise_signal, signal.SIGKILL)), ("ended", Ender(os._exit, 3)))
    ]
    Processes(plans, 2, GroupListener(), lambda plan, ending: endings.update({plan.name: ending})).run()
    assert endings["ended"] == Ending("failed", "the process of the run ended with exit code 3")
    assert endings["killed"].reason.startswith("the process of the run ended with signal 9, perhaps for lack of memory")


def test_a_run_ends_in_order_when_the_main_process_was_killed(recipe: Path, tmp_path: Path) -> None:
    class Closed:
        """A connection whose other side ends at the first step after an epoch."""

        scored = closed = False

        def send(self, message: tuple[Any, ...]) -> None:
            self.scored = self.scored or message[0] == "scored"
            if self.closed or (self.scored and message[0] != "scored"):
                self.closed = True
                raise BrokenPipeError

    inherited, connection = signal.getsignal(signal.SIGINT), Closed()
    long = load_recipe(recipe, ["training.epochs=100000", "training.patience=100000"])
    try:
        _work(Plan(tmp_path / "run", long), cast(Connection, connection))
    finally:
        signal.signal(signal.SIGINT, inherited)
    assert connection.closed
    assert '"ended": "stopped by the user"' in (tmp_path / "run" / "report.json").read_text()
    tagger.load(tmp_path / "run")


def wait_for(paths: list[Path]) -> None:
    until = time.monotonic() + LONG * 5
    while not all(path.is_file() for path in paths):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups of this kind")
def test_ctrl_c_ends_all_runs_in_order_and_keeps_the_finished_ones(recipe: Path, tmp_path: Path) -> None:
    output = tmp_path / "runs"
    train_several(recipe, seeds=[1], output=output)
    kept = output / "seed-1" / "recipe.toml"
    for key in ("epochs", "patience"):  # as if it had been made with them
        lines = [f"{key} = 100000" if line.startswith(f"{key} =") else line for line in kept.read_text().splitlines()]
        kept.write_text("\n".join(lines))
    command = [sys.executable, "-m", "tagger", "train", str(recipe), "--output", str(output), "--seeds", "1,2,3,4"]
    command += ["--set", "training.epochs=100000", "--set", "training.patience=100000", "--jobs", "2"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        wait_for([output / name / "log.jsonl" for name in ("seed-2", "seed-3")])
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, err = process.communicate(timeout=LONG * 5)
    assert process.returncode == 1, err
    assert "small: 1 run, seed 1" in out
    assert "not finished: seed-2, seed-3, seed-4; the same command goes on with them" in out
    assert "Traceback" not in err
    for name in ("seed-2", "seed-3"):
        assert '"ended": "stopped by the user"' in (output / name / "report.json").read_text()
        tagger.load(output / name)
    assert not (output / "seed-4").exists()
