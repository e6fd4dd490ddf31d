"""Exports of trained models, for the scripts that measure them."""

import subprocess
import sys
from pathlib import Path

from tagger import TaggerError


def exported(run: Path, place: Path, precision: str) -> Path:
    """Return the folder in `place` with a model as an ONNX graph in a precision, which is written once.

    Raises:
        TaggerError: The model cannot be exported.
    """
    folder = place / f"{run.name}-{precision}"
    if not folder.exists():
        command = [sys.executable, "-m", "tagger", "export", str(run), str(folder), "--precision", precision]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise TaggerError(done.stderr.strip())
    return folder
