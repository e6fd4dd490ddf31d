"""The library where it is installed: on systems that are not POSIX, such as Windows, and from a wheel."""

import subprocess
import sys
import tomllib
from pathlib import Path

from untrained import untrained_model

from tagger.config import EmbeddingsConfig, EncoderConfig, ReadingConfig, TokensHeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.model.folder.torch_model import save_model

ROOT = Path(__file__).parents[1]

REMOVE = """
import os, pkgutil, signal, sys, tempfile
for module in ("fcntl", "grp", "posix", "pwd", "resource", "select", "termios"):
    sys.modules[module] = None
for module, names in (
    (os, ("fork", "getuid", "mkfifo", "register_at_fork", "sched_getaffinity", "O_NONBLOCK", "O_NOFOLLOW",
          "O_DIRECTORY")),
    (signal, ("SIGHUP", "SIGKILL", "SIGALRM", "SIGPIPE", "SIGUSR1")),
):
    for name in names:
        delattr(module, name)
"""
IMPORT_ALL = f"""
import torch, spacy.lang.en, datasets, scipy.optimize, seqeval.metrics, typer, rich.progress, matplotlib.figure
import fastapi, prometheus_client, uvicorn
{REMOVE}
import tagger
for module in pkgutil.walk_packages(tagger.__path__, "tagger."):
    if not module.name.endswith("__main__"):
        __import__(module.name)
"""
TAG = f"""
import numpy, pydantic, threadpoolctl, typer
{REMOVE}
from tagger.cli import main
main()
"""


def test_every_module_can_be_imported_without_what_only_posix_has() -> None:
    found = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def test_tagging_runs_without_what_only_posix_has(tmp_path: Path) -> None:
    made = untrained_model(
        Vocabulary(["ada", "oslo"], ["a", "d", "o"], {"upos": ["NOUN", "VERB"]}, 3),
        {"upos": TokensHeadConfig(kind="tokens", scheme="none")},
        embeddings=EmbeddingsConfig(dimension=4, char_dimension=3, char_hidden=2),
        encoder=EncoderConfig(hidden_size=4),
        schemes={"upos": None},
        reading={"data": ReadingConfig(format="jsonl")},
    )
    save_model(made, tmp_path / "model", card="")
    command = [sys.executable, "-c", TAG, "tag", str(tmp_path / "model")]
    found = subprocess.run(command, input="Ada sleeps.\n", capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("Ada sleeps.\n  upos  Ada/")


def test_a_wheel_has_every_data_file_of_the_package() -> None:
    package = ROOT / "tagger"
    files = [path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc", ".ipynb")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = project["tool"]["setuptools"]["package-data"]["tagger"]
    assert {path for pattern in shipped for path in package.glob(pattern)} == set(files)
