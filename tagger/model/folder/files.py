"""The files of a model folder: reading and checking them, without the network.

`config.json` describes the model, `vocabulary.json` names its ids, `tokenizer.json` says how it splits texts,
`weights.safetensors` holds its numbers, and `README.md` is for people. `config.json` also holds the SHA-256 of the
other files and of its own content, so that a damaged file, or files of two models in one folder, are noticed. A format
number tells what this version cannot read. `docs/model-format.md` describes all of it for other readers.

`opening.py` opens the files one by one, and `feature_files.py` reads those of features.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import file_digest, sha256
from io import BufferedReader
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from tagger.config import OF_TEACHERS
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import ModelError
from tagger.features.feature import Feature
from tagger.features.table import Features
from tagger.files.hashes import CONFIG, CONFIG_BYTES, HASHES, config_to_json, own_hash
from tagger.heads.table import heads_of
from tagger.model.config import FORMAT, OLDER, ModelConfig
from tagger.model.folder.feature_files import (
    FEATURE_BYTES,
    PREFIX,
    check_feature_files,
    check_named,
    feature_files,
    read_features,
)
from tagger.model.folder.opening import (
    AGAIN,
    CARD,
    GRAPH,
    HEADS,
    TOKENIZER,
    VOCABULARY,
    WEIGHTS,
    Hashes,
    check_digest,
    opened,
    parse,
    parse_section,
    read_file,
    read_hashed,
    read_of_one_save,
)
from tagger.model.folder.tokenizer import TokenizerSection, rules_of, rules_to_json
from tagger.model.folder.vocabulary import VocabularySection, vocabulary_of, vocabulary_to_json
from tagger.model.folder.weight_checks import check_weights, fewest_weights
from tagger.model.folder.weights import Weights, map_weights
from tagger.model.model import Model
from tagger.text.tokenization import TextRules
from tagger.wording import shorten

VOCABULARY_BYTES, TOKENIZER_BYTES, GRAPH_BYTES = 2**30, 10_000_000, 2**31  # that a file may have at most
WEIGHT_BYTES, HEADER_BYTES = 64, 10_000_000  # the same for each weight that the sizes ask for, and for their names
_HASHED_SINCE = {
    CONFIG: 3,
    VOCABULARY: 1,
    TOKENIZER: 2,
    WEIGHTS: 1,
    GRAPH: 3,
    HEADS: 3,
}  # the format that added each hash; those of features are in 4


class ModelFiles(NamedTuple):
    """What the files of one save hold. The weights fit the rest."""

    config: ModelConfig
    vocabulary: Vocabulary
    rules: TextRules
    features: dict[str, Feature[Any]]
    weights: Weights
    sha256: str


class DescribedFiles(NamedTuple):
    """What the files of one save say, without their features and the values of weights."""

    config: ModelConfig
    vocabulary: Vocabulary
    rules: TextRules
    num_weights: int


class ExportedFiles(NamedTuple):
    """What the files of one export hold. The weights are those of the heads."""

    config: ModelConfig
    vocabulary: Vocabulary
    rules: TextRules
    features: dict[str, Feature[Any]]
    weights: Weights
    graph: bytes
    sha256: str


# Of the recipe, but not of the model: paths of teachers would say where it was trained.
NOT_KEPT: Any = {"embeddings": {"min_count"}, "heads": {"__all__": OF_TEACHERS}}


class _Described(NamedTuple):
    """What the files of a folder say, apart from numbers and features.

    Args:
        config: The configuration.
        vocabulary: The names of ids.
        rules: How to split raw text.
        hashes: The SHA-256 of the files; None in the first versions.
        content: The bytes of the configuration.
        names: The bytes of the vocabulary.
    """

    config: ModelConfig
    vocabulary: Vocabulary
    rules: TextRules
    hashes: Hashes
    content: bytes
    names: bytes


def files_of(
    model: Model, numbers: Mapping[str, bytes], features: Mapping[str, bytes], *, card: str
) -> dict[str, bytes]:
    """Return the bytes of each file of a folder.

    Args:
        model: The model.
        numbers: The files of weights.
        features: The content of the file of each feature, by its name; only those that keep a file are used.
        card: The text of the README.
    """
    files = {
        VOCABULARY: vocabulary_to_json(model.vocabulary),
        TOKENIZER: rules_to_json(model.text_rules),
        **numbers,
        **{file: features[name] for name, file in feature_files(model.config).items()},
    }
    values = model.config.model_dump(mode="json", exclude=NOT_KEPT) | {"format": FORMAT}
    for head in values["heads"].values():  # so that older versions can read the model
        if not head["metrics"]:
            del head["metrics"]
    for reading in values["reading"].values():
        if reading["frames"] is None:
            del reading["frames"]
    if model.config.encoder.stride == 1:
        del values["encoder"]["stride"]
    if model.config.embeddings.words:
        del values["embeddings"]["words"]
    if not model.config.features and not model.config.embeddings.quantize:  # so that still older ones can
        values = {key: value for key, value in values.items() if not key.startswith("feature")}
        del values["embeddings"]["quantize"]
        values["format"] = OLDER
    config = config_to_json(values, files)
    return {CONFIG: config, **files, CARD: card.encode()}


def read_files(folder: Path) -> ModelFiles:
    """Read the files of a model, which belong together also while another is being saved in their place."""
    return read_of_one_save(folder, lambda: _read_once(folder))


def read_described(folder: Path) -> DescribedFiles:
    """Read what the files of a model say. Features are not restored, which may take seconds and a package."""
    return read_of_one_save(folder, lambda: _read_described_once(folder))


def read_exported(folder: Path) -> ExportedFiles:
    """Read the files of an exported model, which belong together also while another is being saved in their place."""
    return read_of_one_save(folder, lambda: _read_exported_once(folder))


def _read_exported_once(folder: Path) -> ExportedFiles:
    config, vocabulary, rules, hashes, content, _ = _described(folder, GRAPH, HEADS)
    features = read_features(folder, config, hashes)
    graph = read_hashed(folder / GRAPH, GRAPH_BYTES, hashes)
    path, fewest = folder / HEADS, fewest_weights(config, vocabulary, features)
    limit = fewest * WEIGHT_BYTES + HEADER_BYTES
    weights, _ = opened(path, limit, lambda stream, size: _weights(path, stream, size, 0, hashes))
    check_weights(path, weights, config, vocabulary, features, part="head:")
    return ExportedFiles(config, vocabulary, rules, features, weights, graph, sha256(content).hexdigest())


def _described(folder: Path, *numbers: str) -> _Described:
    """Return what the files of a folder say; `numbers` are the names of the other files that belong to it."""
    path = folder / CONFIG
    content = read_file(path, CONFIG_BYTES)
    values = parse(path, content)
    if "kind" in values:
        raise ModelError(
            f"{folder}: must be the folder of a tagger, got that of a character language model; name it in a recipe as "
            '[features.NAME] with kind = "charlm"'
        )
    number = _format_of(folder, values, numbers)
    hashes = values.pop(HASHES, None)
    _check_hashes(path, content, hashes, number, numbers)
    config = parse_section(ModelConfig, path, json.dumps(values))
    if hashes is not None:
        check_named(path, config, hashes)
    known = [layer for layer, head in heads_of(config.heads).items() if head.keeps_temperature]
    if odd := set(config.temperatures) - set(known):
        raise ModelError(
            f"{path}: `temperatures` must name layers whose heads keep a temperature ({', '.join(known) or 'none'}), "
            f"got {shorten(', '.join(sorted(odd)))}; {AGAIN}"
        )
    rules = replace(config.text_rules, version=1) if number == 1 else _rules(folder / TOKENIZER, hashes)
    names = read_hashed(folder / VOCABULARY, VOCABULARY_BYTES, hashes)
    section = parse_section(VocabularySection, folder / VOCABULARY, names)
    vocabulary = vocabulary_of(section, folder / VOCABULARY, config)
    return _Described(config, vocabulary, rules, hashes, content, names)


def _format_of(folder: Path, values: Mapping[str, object], numbers: Sequence[str]) -> int:
    """Return the format that a `config.json` names.

    Raises:
        ModelError: This version does not read it.
    """
    found: Any = values.get("format")
    oldest = min(_HASHED_SINCE[name] for name in numbers)
    if found is True or found not in range(oldest, FORMAT + 1):
        advice = "upgrade tagger" if isinstance(found, int) and found > FORMAT else "train the model again"
        read = f"{oldest} to {FORMAT}" if oldest < FORMAT else str(FORMAT)
        raise ModelError(f"{folder}: model format {shorten(found)}, this version reads {read}; {advice}")
    return int(found)


def _check_hashes(path: Path, content: bytes, hashes: object, number: int, numbers: Sequence[str]) -> None:
    """Refuse a `config.json` whose hashes are not those of the files of its format, or that has another hash itself.

    Raises:
        ModelError: It is refused.
    """
    files = (CONFIG, VOCABULARY, TOKENIZER, *numbers)
    hashed = [name for name in files if number >= _HASHED_SINCE[name]]
    if isinstance(hashes, dict) and number == FORMAT:
        hashed += [name for name in hashes if name.startswith(PREFIX)]  # see `check_named`
    if hashes is None and number == 1:
        return
    if not (isinstance(hashes, dict) and hashes.keys() == set(hashed)):
        raise ModelError(f"{path}: `{HASHES}` must have {' and '.join(hashed)}, got {shorten(hashes)}; {AGAIN}")
    if CONFIG in hashes and hashes[CONFIG] != own_hash(content, str(hashes[CONFIG])):
        raise ModelError(
            f"{path}: the file must have the SHA-256 that it names for itself, but has another: it is damaged, or was "
            f"edited; {AGAIN}"
        )


def _read_once(folder: Path) -> ModelFiles:
    described = _described(folder, WEIGHTS)
    config, vocabulary, rules, hashes, content, names = described
    features = read_features(folder, config, hashes)
    weights, hashed_weights = _checked_weights(folder, described, features)
    digest = sha256(content)
    if hashes is None:  # otherwise the config holds the hashes of the other files
        digest.update(sha256(names).digest() + hashed_weights)
    return ModelFiles(config, vocabulary, rules, features, weights, digest.hexdigest())


def _read_described_once(folder: Path) -> DescribedFiles:
    described = _described(folder, WEIGHTS)
    check_feature_files(folder, described.config, described.hashes)
    weights, _ = _checked_weights(folder, described, None)
    num_weights = sum(prod(form.shape) for form in weights.forms.values())
    return DescribedFiles(described.config, described.vocabulary, described.rules, num_weights)


def _checked_weights(folder: Path, described: _Described, features: Features | None) -> tuple[Weights, bytes]:
    """Return the weights of a model, which fit the rest, and the SHA-256 of their file.

    Without the features, their part of the weights is only compared with the hash.
    """
    config, vocabulary = described.config, described.vocabulary
    path, fewest = folder / WEIGHTS, fewest_weights(config, vocabulary, features or {})
    unknown = FEATURE_BYTES if features is None and config.features else 0
    limit = fewest * WEIGHT_BYTES + HEADER_BYTES + unknown
    found = opened(path, limit, lambda stream, size: _weights(path, stream, size, fewest, described.hashes))
    check_weights(path, found[0], config, vocabulary, features)
    return found


def _weights(path: Path, stream: BufferedReader, size: int, fewest: int, hashes: Hashes) -> tuple[Weights, bytes]:
    """Return the weights in an open file, and its SHA-256."""
    digest = file_digest(stream, "sha256")
    check_digest(path, digest.hexdigest(), hashes)
    if size < 2 * fewest:
        raise ModelError(
            f"{path}: the weights must fit {CONFIG} and {VOCABULARY}, but they are too few for the sizes that these "
            f"name; {AGAIN}"
        )
    return map_weights(path, stream, size), digest.digest()


def _rules(path: Path, hashes: Hashes) -> TextRules:
    content = read_hashed(path, TOKENIZER_BYTES, hashes)
    return rules_of(parse_section(TokenizerSection, path, content), path)
