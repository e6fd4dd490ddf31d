"""Hashes that fit changed files of a model folder, as if the model had been saved like this."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from tagger.files.hashes import CONFIG, config_to_json
from tagger.model.folder.opening import TOKENIZER, VOCABULARY, WEIGHTS


def sign(folder: Path, **values: Any) -> None:
    """Change values of `config.json`, and let it name the hashes that the files of its folder have now."""
    config = json.loads((folder / CONFIG).read_bytes()) | values
    config.pop("sha256", None)
    files = {name: (folder / name).read_bytes() for name in (VOCABULARY, TOKENIZER, WEIGHTS)}
    (folder / CONFIG).write_bytes(config_to_json(config, files))


def make_older(folder: Path, number: int, *, hashed: bool = True, **values: Any) -> None:
    """Make the folder of a model one of format 1 or 2; the first versions wrote no hashes at all."""
    names = [VOCABULARY, WEIGHTS] if number == 1 else [VOCABULARY, TOKENIZER, WEIGHTS]
    if number == 1:
        (folder / TOKENIZER).unlink()
    config = json.loads((folder / CONFIG).read_bytes()) | {"format": number} | values
    config["sha256"] = {name: sha256((folder / name).read_bytes()).hexdigest() for name in names} if hashed else None
    (folder / CONFIG).write_text(json.dumps(config))
