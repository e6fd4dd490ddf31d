"""The files of a model folder: reading and checking them, without the network.

`config.json` describes the model, `vocabulary.json` names its ids, `tokenizer.json` says how it splits texts,
`weights.safetensors` holds its numbers, and `README.md` is for people. `config.json` also holds the SHA-256 of the
other files and of its own content, so that a damaged file, or files of two models in one folder, are noticed. A format
number tells what this version cannot read. `docs/model-format.md` describes all of it for other readers.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import file_digest, sha256
from io import BufferedReader
from math import prod
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, cast

from pydantic import FailFast, Field, ValidationError

from tagger.config import Positive, Section
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import ModelError
from tagger.features.feature import Feature
from tagger.features.table import Features, class_of, only_in_torch
from tagger.files.hashes import CONFIG as CONFIG
from tagger.files.hashes import HASHES as HASHES
from tagger.files.hashes import config_to_json as config_to_json
from tagger.files.hashes import own_hash
from tagger.files.writing import newest
from tagger.heads.table import heads_of
from tagger.model.config import FORMAT, WITHOUT_FEATURES, ModelConfig
from tagger.model.model import Model
from tagger.model.shapes import check_weights
from tagger.model.tokenizer import TokenizerSection, rules_of, rules_to_json
from tagger.model.weights import Weights, map_weights
from tagger.text.schemes import Scheme, describe, tags_of_types
from tagger.text.tokenization import TextRules
from tagger.wording import shorten

VOCABULARY, WEIGHTS, CARD = "vocabulary.json", "weights.safetensors", "README.md"
TOKENIZER = "tokenizer.json"
GRAPH, HEADS = "model.onnx", "heads.safetensors"  # in the place of the weights in an exported folder
CONFIG_BYTES, VOCABULARY_BYTES, TOKENIZER_BYTES = 1_000_000, 2**30, 10_000_000  # that a model may have at most
GRAPH_BYTES = 2**31
FEATURE_BYTES = 2**33
WEIGHT_BYTES, HEADER_BYTES = 64, 10_000_000  # the same for each weight that the sizes ask for, and for their names
MOVES = 10  # times that a file may move between looking for it and opening it
AGAIN = "copy the folder again"
NO_JSON = "the file is damaged or incomplete, it is not JSON"
_HASHED_SINCE = {
    CONFIG: 3,
    VOCABULARY: 1,
    TOKENIZER: 2,
    WEIGHTS: 1,
    GRAPH: 3,
    HEADS: 3,
}  # the format that added each hash; those of features are in 4
S = TypeVar("S", bound=Section)
Strings = Annotated[list[str], FailFast()]
T = TypeVar("T")


class _Names(Section):
    """What `vocabulary.json` says; see `Vocabulary`."""

    words: Strings
    num_trainable: Positive
    chars: Strings
    labels: dict[str, Annotated[Strings, Field(min_length=1)]]


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
    hashes: Mapping[str, object] | None
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
    vocabulary = model.vocabulary
    names = {
        "words": list(vocabulary.words),
        "num_trainable": vocabulary.num_trainable,
        "chars": list(vocabulary.chars),
        "labels": {layer: list(labels) for layer, labels in vocabulary.labels.items()},
    }
    files = {
        VOCABULARY: f"{json.dumps(names, ensure_ascii=False)}\n".encode(),
        TOKENIZER: rules_to_json(model.text_rules),
        **numbers,
        **{file: features[name] for name, file in feature_files(model.config).items()},
    }
    values = model.config.model_dump(mode="json") | {"format": FORMAT}
    if not model.config.features:  # so that older versions can read the model
        values = {key: value for key, value in values.items() if not key.startswith("feature")}
        values["format"] = WITHOUT_FEATURES
    config = config_to_json(values, files)
    return {CONFIG: config, **files, CARD: card.encode()}


def feature_files(config: ModelConfig) -> dict[str, str]:
    """Return the name of the file of each feature that keeps one."""
    kinds = {name: class_of(feature) for name, feature in config.features.items()}
    return {name: f"feature.{name}.{kind.suffix}" for name, kind in kinds.items() if kind.suffix}


def model_folder(path: Path) -> Path:
    """Return the model folder at a path, which may also be that of a run."""
    inner = path / "model"
    if inner.is_dir() or newest(inner / CONFIG).is_file():
        return inner
    if not path.is_dir():
        raise ModelError(f"{path}: no such model folder; give the folder that training wrote")
    return path


def is_exported(path: Path) -> bool:
    """Whether the model folder at a path holds an exported model, also while another is being saved in its place.

    Raises:
        ModelError: There is no such folder.
    """
    return stamp(model_folder(path) / GRAPH) is not None


def torch_features(folder: Path) -> list[str]:
    """Return the names of the features of a model that only torch can read; none if the folder holds no model.

    Raises:
        ModelError: The configuration cannot be read.
    """
    path = model_folder(folder) / CONFIG
    if stamp(path) is None:
        return []
    features = _parse(path, _read(path, CONFIG_BYTES)).get("features")
    sections = features.items() if isinstance(features, dict) else ()
    return [name for name, section in sections if isinstance(section, dict) and only_in_torch(section.get("kind"))]


def read_files(folder: Path) -> ModelFiles:
    """Read the files of a model, which belong together also while another is being saved in their place."""
    return read_of_one_save(folder, lambda: _read_once(folder))


def read_described(folder: Path) -> DescribedFiles:
    """Read what the files of a model say. Features are not restored, which may take seconds and a package."""
    return read_of_one_save(folder, lambda: _read_described_once(folder))


def read_of_one_save(folder: Path, read: Callable[[], T]) -> T:
    """Return what `read` makes of files of a folder; it is called again if another model was saved meanwhile."""
    while True:
        before = stamp(folder / CONFIG)
        try:
            found, problem = read(), None
        except ModelError as error:
            found, problem = None, error
        if stamp(folder / CONFIG) == before:
            break
    if problem is not None:
        raise problem
    return cast(T, found)


def stamp(path: Path) -> tuple[int, int] | None:
    """Return what differs between a file and the one that has replaced it, even by the same bytes."""
    for _ in range(MOVES):
        with suppress(OSError):
            found = newest(path).stat()
            return found.st_ino, found.st_mtime_ns
    return None


def read_exported(folder: Path) -> ExportedFiles:
    """Read the files of an exported model, which belong together also while another is being saved in their place."""
    return read_of_one_save(folder, lambda: _read_exported_once(folder))


def _read_exported_once(folder: Path) -> ExportedFiles:
    described = _described(folder, GRAPH, HEADS)
    config, vocabulary, rules, hashes, content, _ = described
    features = _features(folder, described)
    graph = _read(folder / GRAPH, GRAPH_BYTES)
    _check_hash(folder / GRAPH, graph, hashes)
    path, fewest = folder / HEADS, _fewest_weights(config, vocabulary, features)
    limit = fewest * WEIGHT_BYTES + HEADER_BYTES
    weights, _ = _opened(path, limit, lambda stream, size: _weights(path, stream, size, 0, hashes))
    check_weights(path, weights, config, vocabulary, features, part="head:")
    return ExportedFiles(config, vocabulary, rules, features, weights, graph, sha256(content).hexdigest())


def _described(folder: Path, *numbers: str) -> _Described:
    """Return what the files of a folder say; `numbers` are the names of the other files that belong to it."""
    path = folder / CONFIG
    content = _read(path, CONFIG_BYTES)
    values = _parse(path, content)
    if "kind" in values:
        raise ModelError(
            f"{folder}: must be the folder of a tagger, got that of a character language model; name it in a recipe as "
            '[features.NAME] with kind = "charlm"'
        )
    found: Any = values.get("format")
    oldest = min(_HASHED_SINCE[name] for name in numbers)
    if found is True or found not in range(oldest, FORMAT + 1):
        advice = "upgrade tagger" if isinstance(found, int) and found > FORMAT else "train the model again"
        read = f"{oldest} to {FORMAT}" if oldest < FORMAT else str(FORMAT)
        raise ModelError(f"{folder}: model format {shorten(found)}, this version reads {read}; {advice}")
    hashes = values.pop(HASHES, None)  # the first versions wrote none
    files = (CONFIG, VOCABULARY, TOKENIZER, *numbers)
    hashed = [name for name in files if found >= _HASHED_SINCE[name]]
    if isinstance(hashes, dict) and found == FORMAT:
        hashed += [name for name in hashes if name.startswith("feature.")]  # compared with the features below
    if not (hashes is None and found == 1) and not (isinstance(hashes, dict) and hashes.keys() == set(hashed)):
        raise ModelError(f"{path}: `{HASHES}` must have {' and '.join(hashed)}, got {shorten(hashes)}; {AGAIN}")
    if hashes is not None and CONFIG in hashes and hashes[CONFIG] != own_hash(content, str(hashes[CONFIG])):
        raise ModelError(
            f"{path}: the file must have the SHA-256 that it names for itself, but has another: it is damaged, or was "
            f"edited; {AGAIN}"
        )
    config = _section(ModelConfig, path, json.dumps(values))
    if hashes is not None and (
        odd := {name for name in hashes if name.startswith("feature.")} ^ set(feature_files(config).values())
    ):
        raise ModelError(
            f"{path}: `{HASHES}` must have the file of each feature, missing or unknown: "
            f"{shorten(', '.join(sorted(odd)))}; {AGAIN}"
        )
    known = [layer for layer, head in heads_of(config.heads).items() if head.keeps_temperature]
    if odd := set(config.temperatures) - set(known):
        raise ModelError(
            f"{path}: `temperatures` must name layers whose heads keep a temperature ({', '.join(known) or 'none'}), "
            f"got {shorten(', '.join(sorted(odd)))}; {AGAIN}"
        )
    rules = replace(config.text_rules, version=1) if found == 1 else _rules(folder / TOKENIZER, hashes)
    names = _read(folder / VOCABULARY, VOCABULARY_BYTES)
    _check_hash(folder / VOCABULARY, names, hashes)
    vocabulary = _vocabulary(folder / VOCABULARY, names, config)
    return _Described(config, vocabulary, rules, hashes, content, names)


def _features(folder: Path, described: _Described) -> dict[str, Feature[Any]]:
    """Return the features of a model, each with the content of its file.

    Raises:
        ModelError: A file is missing or damaged, or a feature has another width than the configuration says.
    """
    config, files, features = described.config, feature_files(described.config), {}
    for name, section in config.features.items():
        content = b""
        if name in files:
            content = _read(folder / files[name], FEATURE_BYTES)
            _check_hash(folder / files[name], content, described.hashes)
        features[name] = class_of(section).restore(name, section, content)
    if (widths := {name: feature.width for name, feature in features.items()}) != config.feature_widths:
        raise ModelError(
            f"{folder / CONFIG}: `feature_widths` must be {shorten(json.dumps(widths))}, got "
            f"{shorten(json.dumps(config.feature_widths))}; {AGAIN}"
        )
    return features


def _read_once(folder: Path) -> ModelFiles:
    described = _described(folder, WEIGHTS)
    config, vocabulary, rules, hashes, content, names = described
    features = _features(folder, described)
    weights, hashed_weights = _checked_weights(folder, described, features)
    digest = sha256(content)
    if hashes is None:  # otherwise the config holds the hashes of the other files
        digest.update(sha256(names).digest() + hashed_weights)
    return ModelFiles(config, vocabulary, rules, features, weights, digest.hexdigest())


def _read_described_once(folder: Path) -> DescribedFiles:
    described = _described(folder, WEIGHTS)
    for name in feature_files(described.config).values():
        digest = _opened(folder / name, FEATURE_BYTES, lambda stream, size: file_digest(stream, "sha256"))
        _check_digest(folder / name, digest.hexdigest(), described.hashes)
    weights, _ = _checked_weights(folder, described, None)
    num_weights = sum(prod(form.shape) for form in weights.forms.values())
    return DescribedFiles(described.config, described.vocabulary, described.rules, num_weights)


def _checked_weights(folder: Path, described: _Described, features: Features | None) -> tuple[Weights, bytes]:
    """Return the weights of a model, which fit the rest, and the SHA-256 of their file.

    Without the features, their part of the weights is only compared with the hash.
    """
    config, vocabulary = described.config, described.vocabulary
    path, fewest = folder / WEIGHTS, _fewest_weights(config, vocabulary, features or {})
    unknown = FEATURE_BYTES if features is None and config.features else 0
    limit = fewest * WEIGHT_BYTES + HEADER_BYTES + unknown
    found = _opened(path, limit, lambda stream, size: _weights(path, stream, size, fewest, described.hashes))
    check_weights(path, found[0], config, vocabulary, features)
    return found


def _weights(
    path: Path, stream: BufferedReader, size: int, fewest: int, hashes: Mapping[str, object] | None
) -> tuple[Weights, bytes]:
    """Return the weights in an open file, and its SHA-256."""
    digest = file_digest(stream, "sha256")
    _check_digest(path, digest.hexdigest(), hashes)
    if size < 2 * fewest:
        raise ModelError(
            f"{path}: the weights must fit {CONFIG} and {VOCABULARY}, but they are too few for the sizes that these "
            f"name; {AGAIN}"
        )
    return map_weights(path, stream, size), digest.digest()


def _rules(path: Path, hashes: Mapping[str, object] | None) -> TextRules:
    content = _read(path, TOKENIZER_BYTES)
    _check_hash(path, content, hashes)
    return rules_of(_section(TokenizerSection, path, content), path)


def _read(path: Path, limit: int) -> bytes:
    return _opened(path, limit, lambda stream, size: stream.read())


def _opened(path: Path, limit: int, use: Callable[[BufferedReader, int], T]) -> T:
    """Return what `use` makes of an open file and its size in bytes."""
    for _ in range(MOVES):
        place = newest(path)
        if not place.is_file():
            continue
        try:
            with place.open("rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                if size > limit:
                    raise ModelError(f"{path}: expected at most {limit:,} bytes, got {size:,}; {AGAIN}")
                return use(stream, size)
        except FileNotFoundError:
            continue
        except (OSError, MemoryError) as error:
            reason = getattr(error, "strerror", None) or "not enough memory"
            raise ModelError(f"{path}: the file cannot be read: {reason}; check its permissions") from None
    numbers = GRAPH if is_exported(path.parent) else WEIGHTS
    if path.name == CONFIG and (models := sorted(path.parent.glob(f"*/model/{CONFIG}"))):
        raise ModelError(
            f"{path.parent}: must be the folder of one model or run, but holds several runs; give one of them, such as "
            f"{models[0].parent.parent}"
        )
    raise ModelError(f"{path.parent}: must hold {CONFIG}, {VOCABULARY} and {numbers}, got no {path.name}")


def _check_hash(path: Path, content: bytes, hashes: Mapping[str, object] | None) -> None:
    _check_digest(path, sha256(content).hexdigest(), hashes)


def _check_digest(path: Path, digest: str, hashes: Mapping[str, object] | None) -> None:
    if hashes is not None and digest != hashes[path.name]:
        raise ModelError(
            f"{path}: the file must have the SHA-256 that {CONFIG} names, but has another: it is damaged, or from "
            f"another model; {AGAIN}"
        )


def _parse(path: Path, content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content.decode())
    except (ValueError, RecursionError):  # no JSON, no UTF-8, a number too long or a list too deep to be read
        raise ModelError(f"{path}: {NO_JSON}; {AGAIN}") from None
    if not isinstance(value, dict):
        raise ModelError(f"{path}: must be a JSON object, got {type(value).__name__}; {AGAIN}")
    return value


def _section(kind: type[S], path: Path, text: str | bytes) -> S:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
    detail = next((one for one in details if one["type"] == "extra_forbidden"), details[0])
    if not detail["loc"]:
        invalid = detail["type"] == "json_invalid"
        problem = NO_JSON if invalid else f"must be a JSON object, got {type(json.loads(text)).__name__}"
        raise ModelError(f"{path}: {problem}; {AGAIN}")
    key = shorten(".".join(map(str, detail["loc"])))[1:-1]
    if detail["type"] == "extra_forbidden":
        raise ModelError(f"{path}: unknown key `{key}`, which a newer version wrote; upgrade tagger")
    raise ModelError(f"{path}: `{key}`: {detail['msg'].removeprefix('Value error, ')[:200]}; {AGAIN}")


def _vocabulary(path: Path, content: bytes, config: ModelConfig) -> Vocabulary:
    names = _section(_Names, path, content)
    if odd := names.labels.keys() ^ config.heads.keys():
        keys = f"must have the keys {', '.join(config.heads)}; missing or unknown: {shorten(', '.join(sorted(odd)))}"
        raise ModelError(f"{path}: `labels` {keys}; {AGAIN}")
    if names.num_trainable > len(names.words) + 1:
        raise ModelError(f"{path}: `num_trainable` must be at most the number of words and 1; {AGAIN}")
    for key, found in (("words", names.words), ("chars", names.chars), *names.labels.items()):
        if len(set(found)) < len(found):
            twice = Counter(found).most_common(1)[0][0]
            raise ModelError(f"{path}: `{key}` must not have a name twice, got {shorten(twice)} twice; {AGAIN}")
    for layer, head in config.heads.items():
        if head.span_scheme is not None and not _is_complete(names.labels[layer], head.span_scheme):
            raise ModelError(
                f"{path}: `labels.{layer}` must be each {describe(head.span_scheme)} of each type; {AGAIN}"
            )
    return Vocabulary(names.words, names.chars, names.labels, names.num_trainable)


def _is_complete(labels: Sequence[str], scheme: Scheme) -> bool:
    """Whether labels are `O` and then all tags that a scheme has for some types."""
    types = {label[2:] for label in labels[1:]}
    return labels[0] == "O" and sorted(labels) == sorted(tags_of_types(types, scheme))


def _fewest_weights(config: ModelConfig, vocabulary: Vocabulary, features: Features) -> int:
    """Return the least number of weights that the sizes in a model's files need.

    A file with fewer is refused before memory is taken for sizes that a damaged file may name.
    Of all but features only matrices count, those of a recurrent cell once and not once for each gate.
    """
    chars, _, states, output, inputs = config.widths
    total = config.vector_dimension * (len(vocabulary.words) + 1)
    total += config.embeddings.char_dimension * (chars + len(vocabulary.chars)) if chars else 0
    total += sum(states * (size + config.encoder.hidden_size) for size in inputs)
    total += sum(prod(shape) for feature in features.values() for shape in feature.shapes().values())
    heads = heads_of(config.heads).items()
    return total + sum(head.num_weights(len(vocabulary.labels[layer]), output) for layer, head in heads)
