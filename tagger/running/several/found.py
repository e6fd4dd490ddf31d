"""The runs that a folder holds."""

import re
from pathlib import Path

from tagger.files.hashes import CONFIG
from tagger.files.writing import newest
from tagger.model.folder.opening import model_folder
from tagger.running.description import REPORT


def has_model(folder: Path) -> bool:
    """Whether a folder is that of a model, an exported model, or a run with a model."""
    return newest(model_folder(folder) / CONFIG).is_file()


def runs_in(folder: Path) -> list[Path]:
    """Return the folders of the runs directly below a folder, `seed-2` before `seed-10`; none if it is a run itself."""
    if not folder.is_dir() or (folder / REPORT).is_file() or has_model(folder):
        return []
    runs = [report.parent for report in folder.glob(f"*/{REPORT}")]
    return sorted(runs, key=lambda run: [int(part) if part.isdecimal() else part for part in _pieces(run.name)])


def _pieces(name: str) -> list[str]:
    """Return the parts of a name, in turns without and with digits alone."""
    return re.split(r"(\d+)", name)
