"""A trained pair of character language models: in memory, in a folder, and in the file of a tagger that uses it.

The folder holds `config.json`, `characters.json`, `weights.safetensors` and, for people, `README.md`. `config.json`
also holds the SHA-256 of the other files and of its own content.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from tagger.config import Section
from tagger.config.section import Size
from tagger.errors import ModelError
from tagger.files.hashes import CONFIG, HASHES, config_to_json, own_hash
from tagger.files.holding import CHARLM
from tagger.files.tensor_header import damaged
from tagger.files.writing import newest
from tagger.nn.pretrained.charlm import BothDirections
from tagger.nn.tensor_files import check_shapes, pack, unpack
from tagger.pretraining.characters import Characters
from tagger.wording import plain_rule

FORMAT = 1
CHARACTERS, WEIGHTS, CARD = "characters.json", "weights.safetensors", "README.md"


class CharLMSizes(Section):
    """The sizes of a network.

    Args:
        dimension: Width of a character's vector.
        hidden_size: Width of a state in each direction.
    """

    dimension: Size
    hidden_size: Size


@dataclass(frozen=True)
class CharLM:
    """A character language model for each direction.

    Args:
        sizes: Their sizes.
        characters: What they can read.
        network: Their weights.
        facts: How they were made, as values of JSON.
    """

    sizes: CharLMSizes
    characters: Characters
    network: BothDirections
    facts: Mapping[str, Any]

    @property
    def width(self) -> int:
        """Number of features of a word: the states of both directions."""
        size: int = self.sizes.hidden_size
        return 2 * size


def build_charlm(
    sizes: CharLMSizes, characters: Characters, facts: Mapping[str, Any], *, seed: int = 0, dropout: float = 0.0
) -> CharLM:
    """Return a model with fresh weights, the same for the same seed, whatever other threads draw."""
    network = BothDirections(num_chars=len(characters), dropout=dropout, **sizes.model_dump())
    network.draw_weights(torch.Generator().manual_seed(seed))
    return CharLM(sizes, characters, network.eval(), facts)


def charlm_files(model: CharLM, card: str) -> dict[str, bytes]:
    """Return the bytes of each file of the folder of a model; `card` is the text of its README."""
    files = {
        CHARACTERS: (json.dumps(list(model.characters.known)) + "\n").encode(),
        WEIGHTS: pack(model.network.state_dict(), {}),
    }
    values = {"format": FORMAT, "kind": CHARLM, "version": version("tagger-bilstm")}
    values |= {**model.sizes.model_dump(), "trained": dict(model.facts)}
    return {CONFIG: config_to_json(values, files), **files, CARD: card.encode()}


def read_charlm(folder: Path) -> CharLM:
    """Read the model in a folder.

    Raises:
        ModelError: The folder holds none, or a file of it is missing or damaged.
    """
    content = _bytes(folder, CONFIG)
    values = _json(content, folder / CONFIG)
    if not isinstance(values, dict) or values.get("kind") != CHARLM:
        raise ModelError(
            f"{folder}: must be the folder of a character language model, got something else in {CONFIG}; give the "
            "folder that tagger pretrain wrote"
        )
    if values.get("format") != FORMAT:
        raise ModelError(f"{folder}: format {values.get('format')!r}, this version reads {FORMAT}; upgrade tagger")
    files = {name: _bytes(folder, name) for name in (CHARACTERS, WEIGHTS)}
    hashes = values.get(HASHES)
    if not isinstance(hashes, dict) or own_hash(content, str(hashes.get(CONFIG))) != hashes.get(CONFIG):
        raise damaged(str(folder / CONFIG), "its SHA-256 is not the one that it names for itself")
    for name, found in files.items():
        if sha256(found).hexdigest() != hashes.get(name):
            raise damaged(str(folder / name), f"its SHA-256 is not the one that {CONFIG} names")
    described = values | {"characters": _json(files[CHARACTERS], folder / CHARACTERS)}
    return _model_of(described, files[WEIGHTS], str(folder / CONFIG), str(folder / WEIGHTS))


def charlm_to_bytes(model: CharLM) -> bytes:
    """Return a model as one file, for a tagger that uses it."""
    described = {**model.sizes.model_dump(), "characters": list(model.characters.known), "trained": dict(model.facts)}
    return pack(model.network.state_dict(), described)


def charlm_from_bytes(content: bytes, where: str) -> CharLM:
    """Return the model in one file.

    Args:
        content: Its bytes.
        where: Its path, for messages.

    Raises:
        ModelError: It is damaged.
    """
    return _model_of(unpack(content, where)[1], content, where, where)


def _model_of(described: Mapping[str, Any], weights: bytes, where: str, where_weights: str) -> CharLM:
    try:
        sizes = CharLMSizes.model_validate({key: described.get(key) for key in CharLMSizes.model_fields})
    except ValidationError as error:
        raise damaged(where, f"{error.errors()[0]['loc'][0]}: {plain_rule(error.errors()[0]['msg'])}") from None
    known, facts = described.get("characters"), described.get("trained")
    known = known if isinstance(known, list) and all(isinstance(char, str) for char in known) else []
    if not known or known != sorted(set(known)) or max(map(len, known)) > 1:
        raise damaged(where, "the characters must be different and in order")
    if not isinstance(facts, dict):
        raise damaged(where, "it does not say how the model was trained")
    tensors, _ = unpack(weights, where_weights)
    characters = Characters(known)
    network = BothDirections(num_chars=len(characters), **sizes.model_dump())
    check_shapes(tensors, network.state_dict(), where_weights)
    network.load_state_dict(tensors)
    return CharLM(sizes, characters, network.eval(), facts)


def _bytes(folder: Path, name: str) -> bytes:
    try:
        return newest(folder / name).read_bytes()
    except OSError as error:
        raise ModelError(
            f"{folder}: must hold {CONFIG}, {CHARACTERS} and {WEIGHTS}, but {name} cannot be read ({error.strerror}); "
            "give the folder that tagger pretrain wrote"
        ) from None


def _json(content: bytes, path: Path) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise damaged(str(path), "it is not JSON") from None
