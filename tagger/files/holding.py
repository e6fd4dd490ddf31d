"""What a folder holds, as its files show: each kind of output has folders of its own, and replaces only itself."""

import json
from pathlib import Path
from typing import Literal

from tagger.errors import ModelError
from tagger.files.hashes import CONFIG
from tagger.files.writing import newest

Kind = Literal["run", "runs", "charlm", "export", "model"]
NAMES: dict[Kind, str] = {
    "run": "a run",
    "runs": "several runs",
    "charlm": "a character language model",
    "export": "an exported model",
    "model": "a model",
}
CHARLM = "charlm"  # the `kind` in the `config.json` of a character language model
_SIGNS: tuple[tuple[Kind, str], ...] = (  # files that show a kind; the first that is there decides
    ("run", "report.json"),
    ("run", f"model/{CONFIG}"),
    ("run", f"teachers/*/model/{CONFIG}"),
    ("run", "training.safetensors"),
    ("run", "teachers/*/training.safetensors"),
    ("runs", "seeds.json"),
    ("runs", "folds.json"),
    ("runs", "study.db"),
    ("charlm", "checkpoint.safetensors"),
    ("charlm", "characters.json"),
    ("model", "weights.safetensors"),
    ("export", "model.onnx"),
    ("model", CONFIG),
)


def kind_in(folder: Path) -> Kind | None:
    """Return what a folder holds; None if nothing of the library."""
    if is_charlm(folder):
        return "charlm"
    return next((kind for kind, sign in _SIGNS if any(folder.glob(sign))), None)


def is_charlm(folder: Path) -> bool:
    """Whether a folder holds a character language model, as far as its `config.json` says."""
    try:
        values = json.loads(newest(folder / CONFIG).read_bytes())
    except (OSError, ValueError, RecursionError):  # also a number too long or a list too deep to be read
        return False
    return isinstance(values, dict) and values.get("kind") == CHARLM


def check_kind(folder: Path, kind: Kind) -> None:
    """Refuse a folder that holds something of another kind, which must not be mixed with this one or replaced by it.

    Args:
        folder: The folder.
        kind: What is to be written there.

    Raises:
        ModelError: It does.
    """
    found = kind_in(folder)
    if found is not None and found != kind:
        raise ModelError(
            f"{folder}: the folder must be for {NAMES[kind]}, but holds {NAMES[found]}; use another one, because "
            "--overwrite replaces only its own kind"
        )
