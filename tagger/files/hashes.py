"""The `config.json` of a folder: it holds the SHA-256 of the other files, and of its own content."""

import json
from collections.abc import Mapping
from hashlib import sha256

CONFIG = "config.json"
CONFIG_BYTES = 1_000_000  # that it may have at most
HASHES = "sha256"  # the key in it
BLANK = "0" * 64  # what is in the place of its own hash while that is computed


def config_to_json(values: Mapping[str, object], files: Mapping[str, bytes]) -> bytes:
    """Return the bytes of a `config.json` with these values, and with the SHA-256 of itself and of other files."""
    hashes = {CONFIG: BLANK} | {name: sha256(content).hexdigest() for name, content in files.items()}
    content = json.dumps({**values, HASHES: hashes}, indent=2, ensure_ascii=False) + "\n"
    key = f'"{CONFIG}": "'
    return content.replace(key + BLANK, key + own_hash(content.encode(), BLANK)).encode()


def own_hash(content: bytes, named: str) -> str:
    """Return the SHA-256 of a `config.json` with zeros in the place of the hash that it names for itself."""
    return sha256(content.replace(named.encode("utf-8", "replace"), BLANK.encode())).hexdigest()
