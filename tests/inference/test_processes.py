"""A tagger in processes, threads, tasks and services of every kind, with each backend; see `habits.py`.

Each program is a process of its own that fails rather than hangs. Loading a library takes most of its time, so what can
share a process does.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from backends import BACKENDS, folder_for
from habits import FEW, FORKS
from untrained import generated_vocabulary, untrained_model

import tagger
from tagger.config import EmbeddingsConfig, EncoderConfig, SentenceHeadConfig, TokensHeadConfig

SECONDS = 120  # that a program may take; the slowest takes 10 on an idle machine
PROGRAM = Path(__file__).with_name("habits.py")
PROGRAMS = {  # the functions of each, and how many of its lines say that a model tagged while Python ends
    "one process": (("threads", "pickles", "interrupted"), 0),
    "forks": (("ends_of_children", "globals_of_a_parent", "killed_workers", "forks_of_threads", "forks"), 0),
    "pools": (("pools",), 0),
    "first call interrupted": (("first_call_interrupted",), 0),
    "end": (("tags_at_exit", "thread_outlives_main"), 2),
    "nothing before the end": (("tags_first_at_exit",), 1),
    "daemon threads": (("daemons",), 0),
}


@pytest.fixture(scope="module", params=BACKENDS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The folder of a small model, and the backend that runs it."""
    made = untrained_model(
        generated_vocabulary(100),
        {
            "ner": TokensHeadConfig(kind="tokens"),
            "upos": TokensHeadConfig(kind="tokens", scheme="none"),
            "sentiment": SentenceHeadConfig(kind="sentence"),
        },
        embeddings=EmbeddingsConfig(dimension=10),
        encoder=EncoderConfig(hidden_size=12),
        schemes={"ner": "iob2"},
        loudness=5,
    )
    return str(folder_for(request.param, made, tmp_path_factory.mktemp("model"))), request.param


@contextmanager
def started(command: Sequence[str], **settings: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that is ended with all its children; if it takes too long, each thread says first where it is."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True, **settings
    ) as process:
        try:
            yield process
        except subprocess.TimeoutExpired as error:
            if FORKS:
                os.killpg(process.pid, signal.SIGUSR1)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(2)
            end(process)
            raise AssertionError(f"{command} hangs:\n{process.communicate()[0]}") from error
        finally:
            end(process)


def end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL) if FORKS else process.kill()


def run(model: tuple[str, str], *functions: str) -> list[str]:
    """Return the lines of a program that runs these functions of `habits.py`."""
    with started([sys.executable, str(PROGRAM), *model, *functions]) as process:
        written, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, written
    return written.splitlines()


@pytest.mark.parametrize("name", PROGRAMS)
def test_results_are_the_same_everywhere(name: str, model: tuple[str, str]) -> None:
    if name == "forks" and not FORKS:
        pytest.skip("this system has no fork")
    functions, at_exit = PROGRAMS[name]
    lines = run(model, *functions)
    assert lines[: len(functions)] == list(functions)
    assert len([line for line in lines if line.startswith("tagged")]) == at_exit


def test_a_dataset_is_mapped_and_the_function_has_the_same_fingerprint_everywhere(model: tuple[str, str]) -> None:
    assert run(model, "fingerprint")[0] == run(model, "maps_a_dataset")[0]


def answers(address: str, number: int) -> list[list[Any]]:
    def ask(i: int) -> list[Any]:
        with urllib.request.urlopen(address, FEW[i % len(FEW)].encode(), timeout=SECONDS) as found:
            return json.load(found)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(ask, range(number)))


@pytest.mark.skipif(not (FORKS and find_spec("gunicorn")), reason="needs gunicorn, and a system that it runs on")
def test_gunicorn_serves_a_model_that_it_loaded_before_it_forked(model: tuple[str, str]) -> None:
    wanted = [list(sentence.tags("ner")) for sentence in tagger.load(model[0], backend=model[1]).stream(FEW)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = [sys.executable, "-m", "gunicorn", "habits:application", "--preload", "--workers=2"]
        command += [f"--bind=fd://{server.fileno()}", "--timeout=60", "--worker-tmp-dir=/tmp"]
        environment: Mapping[str, str] = os.environ | {"HABITS_MODEL": json.dumps(model)}
        with started(command, cwd=PROGRAM.parent, env=environment, pass_fds=[server.fileno()]) as process:
            found = answers(f"http://127.0.0.1:{server.getsockname()[1]}", 60)
            process.terminate()
            assert process.wait(25) == 0  # after 30 seconds gunicorn kills a worker that does not end
    assert [tags for _, *tags in found] == [wanted[i % len(FEW)] for i in range(60)]
    assert len({worker for worker, *_ in found}) == 2
