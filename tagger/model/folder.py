"""A model on disk: a folder that can be copied to another machine, read without running any code from it.

What its files hold is in `files.py`; here the network comes in.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from tagger.errors import ModelError
from tagger.files.writing import replace_files
from tagger.model.config import FORMAT
from tagger.model.files import (
    AGAIN,
    CARD,
    CONFIG,
    TOKENIZER,
    VOCABULARY,
    WEIGHTS,
    config_to_json,
    damaged,
    model_folder,
    read_files,
)
from tagger.model.model import Source
from tagger.model.network import TorchModel, build_network
from tagger.model.tokenizer import check_table, rules_to_json
from tagger.wording import shorten

LARGEST_WEIGHT = 1e6  # beyond, sums of products may overflow
SHOWN = 3  # tensors that an error names


def save_model(model: TorchModel, folder: Path, *, card: str) -> None:
    """Write a model to a folder, which is created if missing. A model that is there is replaced as a whole or stays.

    Raises:
        DataError: A file cannot be written.
    """
    replace_files(folder, model_files(model, card=card))


def model_files(model: TorchModel, *, card: str) -> dict[str, bytes]:
    """Return the bytes of each file of a model folder; `card` is the text of its README."""
    vocabulary = model.vocabulary
    names = {
        "words": list(vocabulary.words),
        "num_trainable": vocabulary.num_trainable,
        "chars": list(vocabulary.chars),
        "labels": {layer: list(labels) for layer, labels in vocabulary.labels.items()},
    }
    weights = {}
    for name, tensor in model.network.state_dict().items():
        exact = tensor.float() if tensor.dtype == torch.bfloat16 else tensor  # as it was loaded
        weights[name] = exact.detach().cpu().contiguous()
    files = {
        VOCABULARY: f"{json.dumps(names, ensure_ascii=False)}\n".encode(),
        TOKENIZER: rules_to_json(model.text_rules),
        WEIGHTS: save(weights),
    }
    config = config_to_json(model.config.model_dump(mode="json") | {"format": FORMAT}, files)
    return {CONFIG: config, **files, CARD: card.encode()}


def load_model(path: str | Path, *, device: str | torch.device = "cpu", trusted: bool = False) -> TorchModel:
    """Load the model of a run folder or of its `model/` folder, ready to predict on a device.

    Args:
        path: The folder.
        device: Where the network runs.
        trusted: Whether to split text by rules for words that no known spaCy has.

    Raises:
        ModelError: The folder is missing, lacks a file, or has one that is damaged or of a newer format.
    """
    folder = model_folder(Path(path))
    config, vocabulary, rules, content, digest = read_files(folder)
    check_table(rules, folder / TOKENIZER, trusted=trusted)
    try:
        weights = load(content)
    except (SafetensorError, KeyError) as error:
        raise damaged(folder / WEIGHTS, error) from None
    del content  # as large as the network
    network = build_network(vocabulary, config)
    fixed = {name: value for name, value in network.named_parameters() if not value.requires_grad}
    if problems := _problems(network.state_dict(), fixed, weights):
        more = f" and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise ModelError(
            f"{folder / WEIGHTS}: the weights must fit {CONFIG} and {VOCABULARY}, but {'; '.join(problems[:SHOWN])}"
            f"{more}; {AGAIN}"
        )
    network.load_state_dict(weights)
    network.set_temperatures(config.temperatures)
    source = Source(folder.resolve(), digest)
    return TorchModel(config, vocabulary, source, network.to(device).eval(), rules=rules)


def _problems(expected: Mapping[str, Tensor], fixed: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> list[str]:
    """Return what is wrong with the tensors of a file; `fixed` are those that no training changes."""
    problems = [f"{shorten(name)} is missing" for name in expected.keys() - found.keys()]
    for name, tensor in found.items():
        if name not in expected:
            problems.append(f"{shorten(name)} is unknown")
        elif (wanted := _form(expected[name])) != (got := _form(tensor)):
            problems.append(f"`{name}` must be {wanted}, got {got}")
        elif tensor.numel() and not all(bound.abs() <= LARGEST_WEIGHT for bound in torch.aminmax(tensor)):
            problems.append(f"`{name}` must have finite values of at most {LARGEST_WEIGHT:,.0f}, got others")
        elif name in fixed and not torch.equal(tensor, fixed[name]):
            problems.append(f"`{name}` must have the values that no training changes, got others")
    return sorted(problems)


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} of shape {tuple(tensor.shape)}"
