"""The library where it is installed: on systems that are not POSIX, such as Windows, and from a wheel."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]

IMPORT_ALL = """
import os, pkgutil, signal, sys
import torch, spacy.lang.en, datasets, scipy.optimize, seqeval.metrics, typer, rich.progress, matplotlib.figure
for module in ("grp", "posix", "pwd", "resource", "select", "termios"):
    sys.modules[module] = None
for module, names in (
    (os, ("fork", "getuid", "mkfifo", "register_at_fork", "O_NONBLOCK", "O_NOFOLLOW", "O_DIRECTORY")),
    (signal, ("SIGHUP", "SIGKILL", "SIGALRM", "SIGPIPE", "SIGUSR1")),
):
    for name in names:
        delattr(module, name)
import tagger
for module in pkgutil.walk_packages(tagger.__path__, "tagger."):
    if not module.name.endswith("__main__"):
        __import__(module.name)
"""


def test_every_module_can_be_imported_without_what_only_posix_has() -> None:
    found = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


def test_a_wheel_has_every_data_file_of_the_package() -> None:
    package = ROOT / "tagger"
    files = [path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = project["tool"]["setuptools"]["package-data"]["tagger"]
    assert {path for pattern in shipped for path in package.glob(pattern)} == set(files)
