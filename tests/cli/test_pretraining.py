"""`tagger pretrain` as a command: its output, wrong use, and Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

Call = Callable[..., SimpleNamespace]
SMALL = ["--hidden-size", "12", "--batch-size", "4", "--epochs", "2", "--threads", "1"]


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("".join(f"Ada saw {i % 7} trains in Oslo .\n" for i in range(60)))
    return path


def test_a_model_is_trained_and_described(call: Call, text: Path) -> None:
    folder = text.parent / "model"
    outcome = call("pretrain", text, "--output", folder, *SMALL, "--json")
    assert outcome.code == 0
    found = json.loads(outcome.out)
    assert found["finished"] is True
    assert found["best"]["dev_perplexity"] == found["dev_perplexity"]
    assert "different ones" in outcome.err
    assert "pass   2.00  perplexity " in outcome.err
    described = call("info", folder)
    assert described.out.startswith("kind: character language model: it tags nothing itself; a recipe uses it as")
    assert call("tag", folder, text).err.startswith(f"error: {folder}: must be the folder of a tagger, got that of a ")
    again = call("pretrain", text, "--output", folder, *SMALL)
    assert again.code == 1
    assert again.err == (
        f"error: {folder}: the folder already holds a model; use another one, or replace it with --overwrite\n"
    )
    replaced = call("pretrain", text, "--output", folder, *SMALL, "--overwrite")
    assert replaced.out.startswith(f"{folder}: perplexity of a held-out character ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "2", "--minutes", "1"], "--epochs and --minutes each end the training; give one of the two"),
        (["--overwrite", "--resume"], "--overwrite starts again and --resume continues; give one of the two"),
        (["--columns", "token", "--format", "jsonl"], "--columns is for conll, got jsonl; remove it"),
        (["--columns", "token,ner"], "--columns is for conll, got text; remove it, or give --format conll as well"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_use(
    call: Call, text: Path, options: list[str], message: str
) -> None:
    outcome = call("pretrain", text, "--output", text.parent / "model", *options)
    assert (outcome.code, outcome.err) == (2, f"error: {message}\n")
    assert not (text.parent / "model").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--language", "zz"], "must be the code of a language with rules, got 'zz'"),
        (["--language", "zh"], "must be a language with rules, got 'zh'"),
        (["--seed", str(2**63)], "--seed"),
        (["--threads", str(2**63)], "--threads"),
    ],
)
def test_a_value_that_no_training_can_use_is_wrong_use(
    call: Call, text: Path, options: list[str], message: str
) -> None:
    outcome = call("pretrain", text, "--output", text.parent / "model", *SMALL[:4], *options)
    assert outcome.code == 2
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert not (text.parent / "model").exists()


def test_a_missing_text_is_one_sentence_and_leaves_no_folder(call: Call, tmp_path: Path) -> None:
    outcome = call("pretrain", tmp_path / "none.txt", "--output", tmp_path / "model")
    assert outcome.code == 1
    assert outcome.err == f"error: {tmp_path / 'none.txt'}: no such file; check the path\n"
    assert not (tmp_path / "model").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_a_signal_leaves_a_model_that_can_be_continued(call: Call, text: Path, sent: int, code: int) -> None:
    folder = text.parent / "model"
    options = [*SMALL[:4], "--minutes", "60", "--threads", "1"]
    # A process that was started in the background of a shell ignores SIGINT, and so do its children.
    start = (
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\nfrom tagger.cli import main\nmain()"
    )
    command = [sys.executable, "-c", start, "pretrain", str(text), "--output", str(folder), *options]
    with subprocess.Popen(command, env={**os.environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 300
        while not (folder / "config.json").exists() and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(sent)
        out, err = process.communicate(timeout=300)
    assert process.returncode == code, err.decode()
    assert "perplexity of a held-out character" in out.decode()
    assert "--resume continues" in err.decode()
    assert (folder / "checkpoint.safetensors").exists()
    continued = call("pretrain", text, "--output", folder, *options[:4], "--minutes", "0.001", "--resume")
    assert continued.code == 0
    assert "continued from" in continued.err
    assert not (folder / "checkpoint.safetensors").exists()
