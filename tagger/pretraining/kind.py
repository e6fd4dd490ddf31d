"""Whether a folder holds a character language model; torch is not loaded for that."""

import json
from pathlib import Path

from tagger.files.hashes import CONFIG
from tagger.files.writing import newest

KIND = "charlm"  # in its `config.json`


def is_charlm(folder: Path) -> bool:
    """Whether a folder holds a character language model, as far as its `config.json` says."""
    try:
        values = json.loads(newest(folder / CONFIG).read_bytes())
    except (OSError, ValueError, RecursionError):  # also a number too long or a list too deep to be read
        return False
    return isinstance(values, dict) and values.get("kind") == KIND
