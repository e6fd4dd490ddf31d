"""The library on systems that are not POSIX, such as Windows."""

import subprocess
import sys

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
