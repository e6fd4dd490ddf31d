"""The command: names of models, a graceful end, kills, several processes."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import tagger
from tagger.errors import ModelError
from tagger.serving.run import named_models

WITHOUT_TORCH = """
import sys
for package in ("torch", "torchcrf", "jaxtyping", "spacy", "datasets", "scipy", "sklearn", "seqeval", "jinja2"):
    sys.modules[package] = None
from tagger.cli import main
main()
"""
GARBAGE = """
import gc
gc.set_threshold(10**6)  # as the command does, with a number of its own
from tagger.serving.run import application_of

class Round:
    alive = 0
    def __init__(self):
        self.me, Round.alive = self, Round.alive + 1
    def __del__(self):
        Round.alive -= 1

application_of({"models": {"english": "english"}, "limits": {}, "log_texts": False, "loading": {"backend": "numpy"}})
most = 0
for _ in range(100_000):
    Round()
    most = max(most, Round.alive)
print(most)
"""
LONG = "Ada lives in Oslo and works for Siemens in Berlin. " * 400


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def service(
    *options: str, port: int, program: Sequence[str] = ("-m", "tagger"), log: str = os.devnull, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, *program, "serve", "english", "--port", str(port), *options]
    with Path(log).open("w", encoding="utf-8") as file:  # a pipe that nobody reads would block it
        process = subprocess.Popen(command, stderr=file, text=True, env={**os.environ, **environment})
    try:
        deadline = time.monotonic() + 60
        while not ready(port):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def ready(port: int) -> bool:
    try:
        return ask(port, "/ready")["ready"] is True
    except OSError:
        return False


def ask(port: int, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def test_models_have_the_names_of_their_folders_or_given_ones(tmp_path: Path) -> None:
    (tmp_path / "runs" / "one" / "model").mkdir(parents=True)
    folder = str(tmp_path / "runs" / "one")
    assert named_models([folder, f"{folder}/model/../../two", f"own={folder}"]) == {
        "one": folder,
        "two": f"{folder}/model/../../two",
        "own": folder,
    }
    assert named_models([f"{folder}/model"]) == {"one": f"{folder}/model"}
    assert named_models(["hf://owner/name@v1"]) == {"name": "hf://owner/name@v1"}
    with pytest.raises(ModelError, match="two models must have different names, got `one` twice; write NAME="):
        named_models([folder, f"{folder}/model"])


def test_a_model_that_is_not_there_is_one_sentence() -> None:
    command = [sys.executable, "-m", "tagger", "serve", "englisch", "--port", str(free_port())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "englisch" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_torch_it_gives_the_answers_that_torch_gives() -> None:
    port, texts = free_port(), ["Barack Obama visited Paris. Maria loved it.", "It rained in Altavia Inc. all day."]
    with service(port=port, program=("-c", WITHOUT_TORCH)):
        found = ask(port, "/tag", {"texts": texts})["results"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as page:
            assert b"<textarea" in page.read()
    wanted = [document.to_dict() for document in tagger.load("english", backend="torch").tag_documents(texts)]
    for row, other in zip(found, wanted, strict=True):
        assert (row["text"], row["tokens"], row["tags"]) == (other["text"], other["tokens"], other["tags"])
        assert row["labels"].keys() == other["labels"].keys()
        for name, scores in other["tag_scores"].items():
            assert row["tag_scores"][name] == pytest.approx(scores, abs=1e-4)


def test_garbage_of_requests_does_not_pile_up() -> None:
    done = subprocess.run([sys.executable, "-c", GARBAGE], capture_output=True, text=True, timeout=120, check=True)
    assert 0 < int(done.stdout) < 10_000


def test_a_signal_ends_the_service_after_the_requests_that_it_has_taken(tmp_path: Path) -> None:
    port, answers, log = free_port(), [], tmp_path / "log"
    with service(port=port, log=str(log)) as process:

        def client() -> None:
            answers.append(ask(port, "/tag", {"texts": [LONG] * 4}))

        thread = threading.Thread(target=client)
        thread.start()
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        thread.join()
        process.wait(60)
    assert [len(row["tokens"]) for row in answers[0]["results"]] == [4400] * 4
    assert process.returncode in (0, -signal.SIGTERM)
    assert "Traceback" not in log.read_text()


@contextmanager
def asked_all_the_time(port: int) -> Iterator[dict[str, int]]:
    """Clients that ask while the context lasts, and how many requests were answered rightly, refused, or wrongly."""
    said, stop, lock = {"right": 0, "refused": 0, "wrong": 0}, threading.Event(), threading.Lock()

    def client(number: int) -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            text = f"Ada{number}x{turn} lives in Oslo."
            try:
                found = ask(port, "/tag", {"text": {"id": turn, "text": text}})["results"][0]
                kind = "right" if (found["id"], found["text"]) == (turn, text) else "wrong"
            except (OSError, ValueError, http.client.HTTPException) as error:  # no connection, or one that was cut
                kind = "refused" if getattr(error, "code", 503) == 503 else "wrong"
                time.sleep(0.05)
            with lock:
                said[kind] += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    try:
        yield said
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def until(found: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_requests_under_load_are_answered_rightly_or_refused_when_the_service_ends_and_starts_again(
    number: signal.Signals,
) -> None:
    port = free_port()
    with service(port=port) as first, asked_all_the_time(port) as said:
        until(lambda: said["right"] > 20)
        first.send_signal(number)
        first.wait(60)
        until(lambda: said["refused"] > 0)
        before = said["right"]
        with service(port=port):
            until(lambda: said["right"] > before + 20)
    assert said["wrong"] == 0


def workers(process: subprocess.Popen[str]) -> set[int]:
    pids = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return {int(pid) for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_that_is_killed_is_replaced_and_all_end_with_the_service() -> None:
    port = free_port()
    with service("--workers", "2", port=port) as process:
        until(lambda: len(workers(process)) == 2)
        killed, other = workers(process)
        with asked_all_the_time(port) as said:
            until(lambda: said["right"] > 20)
            os.kill(killed, signal.SIGKILL)
            until(lambda: len(workers(process) - {killed}) == 2)
            before = said["right"]
            until(lambda: said["right"] > before + 20)
        assert said["wrong"] == 0
        left = workers(process)
        assert other in left
        process.kill()
        process.wait()
        until(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in left))


def test_several_processes_share_a_port_and_ask_for_the_key() -> None:
    port = free_port()
    with service("--workers", "2", port=port, TAGGER_API_KEY="secret") as process:
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(port, "/tag", {"text": "Ada"})
        found = ask(port, "/tag", {"text": "Ada"}, **{"X-API-Key": "secret"})
        assert found["results"][0]["tokens"] == ["Ada"]
        process.send_signal(signal.SIGINT)
        process.wait(60)
