"""The wheel in a fresh environment that has only what tagging needs: its size, what works and what says why not."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from untrained import untrained_model

from tagger.config import EmbeddingsConfig, EncoderConfig, ReadingConfig, TokensHeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.model.folder.torch_model import save_model

ROOT = Path(__file__).resolve().parents[1]
MB = 1_000_000
SERVE = """
import json, threading, time, urllib.request
import tagger, uvicorn
from tagger.serving.app import create_app

server = uvicorn.Server(uvicorn.Config(create_app({"english": tagger.load("english")}), port=0, log_config=None))
thread = threading.Thread(target=server.run)
thread.start()
while not server.started:
    time.sleep(0.05)
port = server.servers[0].sockets[0].getsockname()[1]
with urllib.request.urlopen(f"http://127.0.0.1:{port}/tag", b'{"text": "Barack Obama visited Paris."}') as answer:
    print(json.dumps(json.load(answer)["results"][0]["spans"]["ner"]))
server.should_exit = True
thread.join()
"""
Done = subprocess.CompletedProcess[str]
Call = Callable[..., Done]


def run(*command: object, folder: Path | None = None, text: str = "") -> Done:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        list(map(str, command)), cwd=folder, env=kept, input=text, capture_output=True, text=True, check=False
    )


def pip(*arguments: object) -> None:
    done = run(sys.executable, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check")
    if done.returncode and "No matching distribution" in done.stderr and "TAGGER_REQUIRE_DATA" not in os.environ:
        pytest.skip("needs a package index")
    assert done.returncode == 0, done.stderr


def installed_bytes(environment: Path) -> int:
    return sum(path.lstat().st_size for path in environment.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment with the wheel, which pip builds from the sources alone, and `requirements-runtime.txt`."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT / "tagger", source / "tagger", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip("wheel", source, "--no-deps", "--wheel-dir", folder)
    assert run(sys.executable, "-m", "venv", "--without-pip", folder / "environment").returncode == 0
    install(folder / "environment", *folder.glob("*.whl"), "-r", ROOT / "requirements-runtime.txt")
    return folder / "environment"


def install(environment: Path, *what: object) -> None:
    pip("--python", environment / ("Scripts" if os.name == "nt" else "bin") / "python", "install", "--no-deps", *what)


@pytest.fixture
def installed(environment: Path, tmp_path: Path) -> Call:
    """Return a function that calls the installed command in a folder of the test."""
    command = environment / ("Scripts" if os.name == "nt" else "bin") / "tagger"
    return lambda *arguments, text="": run(command, *arguments, folder=tmp_path, text=text)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = untrained_model(
        Vocabulary(["ada", "oslo"], ["a", "d", "o"], {"ner": ["O", "B-PER", "I-PER", "E-PER", "S-PER"]}, 3),
        {"ner": TokensHeadConfig(kind="tokens")},
        embeddings=EmbeddingsConfig(dimension=4, char_dimension=3, char_hidden=2),
        encoder=EncoderConfig(hidden_size=4),
        schemes={"ner": "iob2"},
        reading={"data": ReadingConfig(format="jsonl")},
    )
    save_model(made, folder := tmp_path_factory.mktemp("model"), card="")
    return folder


def pins(path: Path) -> dict[str, str]:
    """The version of each package that a file pins, by its normalised name."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition(";")[0].split("==") for line in lines if "==" in line and not line.startswith("#"))
    return {name.lower().replace("_", "-"): version.strip() for name, version in pairs}


@pytest.mark.parametrize("name", ["requirements-runtime.txt", "requirements-onnx.txt", "requirements-serve.txt"])
def test_small_environments_have_the_versions_that_the_tests_run_with(name: str) -> None:
    small = pins(ROOT / name)
    assert small
    assert small.items() <= pins(ROOT / "scripts" / "constraints.txt").items()


def test_an_environment_that_can_tag_is_small(environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = installed_bytes(environment)
    with capsys.disabled():
        sys.stdout.write(f"\nenvironment that can tag: {size / MB:.0f} MB\n")
    assert size < 120 * MB


def with_requirements(
    environment: Path, folder: Path, requirements: str, most: int, capsys: pytest.CaptureFixture[str]
) -> Path:
    """Return a copy of an environment with more packages, which must have less than `most` MB."""
    copy = folder / "environment"
    shutil.copytree(environment, copy, symlinks=True)
    install(copy, "-r", ROOT / requirements)
    size = installed_bytes(copy)
    with capsys.disabled():
        sys.stdout.write(f"\nenvironment with {requirements}: {size / MB:.0f} MB\n")
    assert size < most * MB
    return copy


def test_an_environment_with_onnxruntime_is_small(
    environment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_requirements(environment, tmp_path, "requirements-onnx.txt", 250, capsys)


def test_an_environment_that_serves_is_small_and_answers(
    environment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = with_requirements(environment, tmp_path, "requirements-serve.txt", 140, capsys)
    python = copy / ("Scripts" if os.name == "nt" else "bin") / "python"
    done = run(python, "-c", SERVE, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [(span["text"], span["type"]) for span in json.loads(done.stdout)] == [
        ("Barack Obama", "PER"),
        ("Paris", "LOC"),
    ]


def test_it_tags_and_describes_a_model(installed: Call, model: Path) -> None:
    done = installed("tag", model, text="Ada lives in Oslo.\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Ada lives in Oslo.\n  ner  ")
    assert "ner" in installed("info", model).stdout
    assert "tagger tag" in installed("tag", "--help").stdout


def test_it_has_an_english_model(installed: Call) -> None:
    done = installed("tag", "english", text="Barack Obama visited Paris.\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "[Barack Obama] PER" in done.stdout
    assert "[Paris] LOC" in done.stdout


def test_it_converts_checks_and_lists(installed: Call, tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("Ada\tB-PER\nsleeps\tO\n\n")
    assert installed("convert", "a.conll", "-", "--to", "jsonl").stdout.startswith('{"text": "Ada sleeps"')
    assert "0 errors" in installed("check", "a.conll").stdout
    assert "wnut17" in installed("data", "list").stdout
    assert installed("recipes", "copy", "quickstart").returncode == 0
    assert (tmp_path / "quickstart.toml").read_bytes() == (ROOT / "recipes" / "quickstart.toml").read_bytes()


def test_what_needs_more_says_in_one_sentence_what_to_install(installed: Call, model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.conll").write_text("Ada\tB-PER\nsleeps\tO\n\n")
    (tmp_path / "r.toml").write_text('[data]\nformat = "synthetic"\nsentences = 9\n[heads.ner]\nkind = "tokens"\n')
    wanted = {
        ("train", "r.toml"): "torch",
        ("tag", model, "--device", "cuda"): "torch",
        ("tag", model, "--backend", "torch"): "torch",
        ("evaluate", model, "a.conll", "--format", "conll", "--columns", "token,ner"): "seqeval",
        ("check", "someone/dataset"): "datasets",
        ("convert", "a.conll", "a.spacy", "--to", "docbin"): "spacy",
        ("plot", "entities", model, "a.conll", "--output", "a.html"): "tagger-bilstm[plots]",
        ("export", model, "out", "--format", "onnx"): "tagger-bilstm[onnx]",
    }
    for command, package in wanted.items():
        done = installed(*command)
        assert done.returncode == 2, (command, done)
        assert done.stderr.startswith("error: "), (command, done)
        assert done.stderr.count("\n") == 1, (command, done)
        assert package in done.stderr, (command, done)
        assert "pip install" in done.stderr, (command, done)
