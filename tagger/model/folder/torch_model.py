"""A model with its network in torch, to and from its folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor

from tagger.errors import ModelError
from tagger.files.writing import replace_files
from tagger.model.folder.files import files_of, read_files
from tagger.model.folder.opening import TOKENIZER, WEIGHTS, is_exported, model_folder
from tagger.model.folder.tokenizer import check_table
from tagger.model.model import Source
from tagger.model.network import TorchModel, build_network
from tagger.model.shapes import forms_of
from tagger.numpy_nn.eight_bits import expanded, rounded

WORDS, EXPONENTS = ("words.weight", "words.frozen"), "words.exponents"


def save_model(model: TorchModel, folder: Path, *, card: str) -> None:
    """Write a model to a folder, which is created if missing. A model that is there is replaced as a whole or stays.

    Raises:
        DataError: A file cannot be written.
    """
    replace_files(folder, model_files(model, card=card))


def model_files(model: TorchModel, *, card: str) -> dict[str, bytes]:
    """Return the bytes of each file of a model folder; `card` is the text of its README."""
    parts = model.network.types | model.network.tokens
    contents = {name: feature.content(parts[name]) for name, feature in model.features.items()}
    return files_of(model, {WEIGHTS: save(weights_of(model))}, contents, card=card)


def weights_of(model: TorchModel) -> dict[str, Tensor]:
    """Return the tensors of the weights file of a model."""
    weights, own = {}, forms_of(model.config, model.vocabulary, model.features)
    for name, tensor in model.network.state_dict().items():
        if name not in own:  # in the file of a feature
            continue
        exact = tensor.float() if tensor.dtype == torch.bfloat16 else tensor  # as it was loaded
        weights[name] = exact.detach().cpu().contiguous()
    return weights | _quantised(weights) if model.config.embeddings.quantize else weights


def _quantised(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the word vectors of a network in 8 bits, with the exponents of all words."""
    found = {name: rounded(weights[name].numpy()) for name in WORDS}
    exponents = np.concatenate([powers for _, powers in found.values()])
    return {name: torch.from_numpy(rows) for name, (rows, _) in found.items()} | {
        EXPONENTS: torch.from_numpy(exponents)
    }


def _expanded(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the weights of a file with word vectors as in the network."""
    if EXPONENTS not in arrays:
        return dict(arrays)
    tables = [arrays[name] for name in WORDS]
    trained, frozen = np.split(expanded(np.concatenate(tables), arrays[EXPONENTS]), [len(tables[0])])
    others = {name: array for name, array in arrays.items() if name != EXPONENTS}
    return others | dict(zip(WORDS, (trained, frozen.astype(np.float16)), strict=True))


def load_model(path: str | Path, *, device: str | torch.device = "cpu", trusted: bool = False) -> TorchModel:
    """Load the model of a run folder or of its `model/` folder, ready to predict on a device.

    Args:
        path: The folder.
        device: Where the network runs.
        trusted: Whether to split text by rules for words that no known spaCy has.

    Raises:
        ModelError: The folder is missing, lacks a file, or has one that is damaged or of a newer format, or holds an
            exported model.
    """
    folder = model_folder(Path(path))
    if is_exported(folder):
        raise ModelError(
            f"{folder}: must be a model that torch can run, got an exported one, which only onnxruntime runs; give the "
            "folder that training wrote"
        )
    config, vocabulary, rules, features, weights, digest = read_files(folder)
    check_table(rules, folder / TOKENIZER, trusted=trusted)
    network = build_network(vocabulary, config, features=features)
    arrays = {name: torch.from_numpy(array) for name, array in _expanded(weights.arrays()).items()}
    network.load_state_dict(arrays, strict=not features)  # a feature has its own weights; the others were checked
    network.set_temperatures(config.temperatures)
    source = Source(folder.resolve(), digest)
    for feature in features.values():
        feature.to(device)
    return TorchModel(config, vocabulary, source, network.to(device).eval(), rules=rules, features=features)
