"""A model on disk: a folder that can be copied to another machine, read without running any code from it.

`config.json` says what the model is, `vocabulary.json` names its ids, `weights.safetensors` holds its numbers, and
`README.md` is for people. A format number refuses what this version cannot read.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, TypeVar

import torch
from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from tagger.config import Positive, Section
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import ModelError
from tagger.files.writing import replaced
from tagger.model.config import FORMAT, ModelConfig
from tagger.model.model import Model
from tagger.model.network import Network, build_network
from tagger.text.schemes import RULES, Scheme, describe, is_tag, split_tag

CONFIG, VOCABULARY, WEIGHTS, CARD = "config.json", "vocabulary.json", "weights.safetensors", "README.md"
S = TypeVar("S", bound=Section)


class _Names(Section):
    """What `vocabulary.json` says; see `Vocabulary`."""

    words: list[str]
    num_trainable: Positive
    chars: list[str]
    labels: dict[str, Annotated[list[str], Field(min_length=1)]]


def save_model(model: Model, folder: Path, *, card: str) -> None:
    """Write a model to a folder, which is made if it is not there; `card` is the text of its README.

    A model that is there already is replaced whole, or stays.

    Raises:
        DataError: A file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = model.vocabulary
    names = {
        "words": list(vocabulary.words),
        "num_trainable": vocabulary.num_trainable,
        "chars": list(vocabulary.chars),
        "labels": {layer: list(labels) for layer, labels in vocabulary.labels.items()},
    }
    config = json.dumps(model.config.model_dump(mode="json", exclude_none=False), indent=2, ensure_ascii=False)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.network.state_dict().items()}
    contents = {
        CONFIG: f"{config}\n".encode(),
        VOCABULARY: f"{json.dumps(names, ensure_ascii=False)}\n".encode(),
        WEIGHTS: save(weights),
        CARD: card.encode(),
    }
    with ExitStack() as files:  # all are written before the first takes its place
        for name, content in contents.items():
            stream = files.enter_context(replaced(folder / name))
            stream.write(content)
            stream.flush()


def load_model(path: str | Path, *, device: str | torch.device = "cpu") -> Model:
    """The model of a run folder or of its `model/` folder, ready to predict on a device.

    Raises:
        ModelError: The folder is not there, lacks a file, or has one that is damaged or of a newer format.
    """
    folder = _model_folder(Path(path))
    config = _read_config(folder)
    vocabulary = _read_vocabulary(folder, config)
    try:
        weights = load_file(folder / WEIGHTS)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelError(f"{folder / WEIGHTS}: the file cannot be read: {reason}; check its permissions") from None
    except SafetensorError as error:
        raise ModelError(
            f"{folder / WEIGHTS}: the file is damaged or cut short ({error}); copy the folder again"
        ) from None
    _check_sizes(config, vocabulary, weights, folder)
    network = _network(config, vocabulary)
    network.load_state_dict(weights)
    return Model(config, vocabulary, network.to(device).eval())


def _network(config: ModelConfig, vocabulary: Vocabulary) -> Network:
    network = build_network(
        vocabulary,
        embeddings=config.embeddings,
        encoder=config.encoder,
        heads=config.heads,
        vector_dimension=config.vector_dimension,
    )
    network.set_temperatures(config.temperatures)
    return network


def _check_sizes(config: ModelConfig, vocabulary: Vocabulary, weights: Mapping[str, Tensor], folder: Path) -> None:
    """Hold the sizes that the other files name against the weights, before any memory is taken for them."""
    place = f"{folder / WEIGHTS}: the weights must fit {CONFIG} and {VOCABULARY}"
    if config.encoder.layers > len(weights) or _widest(config, vocabulary) > sum(w.numel() for w in weights.values()):
        raise ModelError(f"{place}: they are too few for the sizes that these name")
    try:
        with torch.device("meta"):  # shapes alone
            network = _network(config, vocabulary)
            for name, weight in network.state_dict().items():
                if name in weights and weights[name].dtype != weight.dtype:
                    raise ModelError(f"{place}: `{name}` must be {weight.dtype}, got {weights[name].dtype}")
            network.load_state_dict(weights, assign=True)
    except (RuntimeError, TypeError, OverflowError) as error:  # the latter two: sizes that no tensor can have
        raise ModelError(f"{place}: {str(error).splitlines()[-1].strip()}") from None


def _widest(config: ModelConfig, vocabulary: Vocabulary) -> int:
    """The largest number of weights that one size of the config or the vocabulary alone asks for."""
    labels = {layer: len(names) for layer, names in vocabulary.labels.items()}
    crf = [labels[layer] ** 2 for layer, h in config.heads.items() if h.kind == "tokens" and h.decoder == "crf"]
    return max(config.encoder.hidden_size, *labels.values(), *crf)


def _model_folder(path: Path) -> Path:
    folder = path / "model" if (path / "model").is_dir() else path
    if not folder.is_dir():
        raise ModelError(f"{path}: no such model folder; give the folder that training wrote")
    missing = [name for name in (CONFIG, VOCABULARY, WEIGHTS) if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder}: must hold {CONFIG}, {VOCABULARY} and {WEIGHTS}, got no {', '.join(missing)}")
    return folder


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: the file cannot be read: {error.strerror}; check its permissions") from None
    except (ValueError, RecursionError):  # no JSON, no UTF-8, a number too long or a list too deep to be read
        raise ModelError(f"{path}: the file is damaged or cut short, it is no JSON; copy the folder again") from None
    if not isinstance(value, dict):
        raise ModelError(f"{path}: must be a JSON object, got {type(value).__name__}")
    return value


def _read_config(folder: Path) -> ModelConfig:
    values = _read_json(folder / CONFIG)
    found = values.get("format")
    if found != FORMAT:
        advice = "upgrade tagger" if isinstance(found, int) and found > FORMAT else "train the model again"
        raise ModelError(f"{folder}: model format {found!r}, this version reads {FORMAT}; {advice}")
    config = _section(ModelConfig, values, folder / CONFIG)
    labels = [layer for layer, head in config.heads.items() if head.kind == "sentence"]
    if odd := set(config.temperatures) - set(labels):
        raise ModelError(
            f"{folder / CONFIG}: `temperatures` must name layers of sentence heads, of which there are "
            f"{', '.join(labels) or 'none'}, got {', '.join(sorted(odd))}; copy the folder again"
        )
    return config


def _read_vocabulary(folder: Path, config: ModelConfig) -> Vocabulary:
    path = folder / VOCABULARY
    names = _section(_Names, _read_json(path), path)
    if names.num_trainable > len(names.words) + 1:
        raise ModelError(f"{path}: `num_trainable` must be at most the number of words and 1; copy the folder again")
    if set(config.heads) != set(names.labels):
        raise ModelError(f"{path}: must name the labels of {', '.join(config.heads)}; copy the folder again")
    for key, values in (("words", names.words), ("chars", names.chars)):
        if len(set(values)) < len(values):
            raise ModelError(f"{path}: `{key}` must be unique, got {_twice(values)!r} twice; copy the folder again")
    for layer, labels in names.labels.items():
        if problem := _problem(labels, config.heads[layer].span_scheme):
            raise ModelError(f"{path}: `labels.{layer}` {problem}; copy the folder again")
    return Vocabulary(names.words, names.chars, names.labels, names.num_trainable)


def _twice(names: Sequence[str]) -> str:
    """The first name that comes a second time."""
    return next(name for name, count in Counter(names).items() if count > 1)


def _problem(labels: Sequence[str], scheme: Scheme | None) -> str | None:
    """What is wrong with the labels of a head that predicts spans in a scheme, or none."""
    if len(set(labels)) < len(labels):
        return f"must be unique, got {_twice(labels)!r} twice"
    if scheme is None:
        return None
    if labels[0] != "O":
        return f"must begin with 'O', got {labels[0]!r}"
    for label in labels:
        if not is_tag(label, scheme):
            return f"must each be a tag of the head's scheme, got {label!r}, which is no {describe(scheme)}"
    whole = (f"{prefix}-{split_tag(label)[1]}" for label in labels[1:] for prefix in RULES[scheme].prefixes)
    known = set(labels)
    absent = next((tag for tag in whole if tag not in known), None)
    return None if absent is None else f"must have each tag of the scheme for each type, got no {absent!r}"


def _rule(error: ValidationError) -> str:
    """The rule that the first wrong value breaks."""
    return error.errors()[0]["msg"].removeprefix("Value error, ")


def _section(kind: type[S], values: Mapping[str, Any], path: Path) -> S:
    """A section of what a file holds."""
    try:
        return kind.model_validate_json(json.dumps(values))
    except ValidationError as error:
        for detail in error.errors():
            if detail["type"] == "extra_forbidden":
                key = ".".join(map(str, detail["loc"]))
                raise ModelError(f"{path}: unknown key `{key}`, which a newer version wrote; upgrade tagger") from None
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise ModelError(f"{path}: `{place}`: {_rule(error)}; copy the folder again") from None
