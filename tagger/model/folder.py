"""A model on disk: a folder that can be copied to another machine, read without running any code from it.

`config.json` describes the model, `vocabulary.json` names its ids, `weights.safetensors` holds its numbers, and
`README.md` is for people. `config.json` also holds the SHA-256 of the two other files, so that a damaged file, or files
of two models in one folder, are noticed. A format number tells what this version cannot read.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

import torch
from pydantic import FailFast, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from tagger.config import Positive, Section
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import ModelError
from tagger.files.writing import newest, replace_files
from tagger.heads.table import heads_of
from tagger.model.config import FORMAT, ModelConfig
from tagger.model.model import Source
from tagger.model.network import TorchModel, build_network
from tagger.text.schemes import Scheme, describe, tags_of_types
from tagger.wording import shorten

CONFIG, VOCABULARY, WEIGHTS, CARD = "config.json", "vocabulary.json", "weights.safetensors", "README.md"
HASHES = "sha256"  # the key in `config.json`
CONFIG_BYTES, VOCABULARY_BYTES = 1_000_000, 2**30  # that a model may have at most
WEIGHT_BYTES, HEADER_BYTES = 64, 10_000_000  # the same for each weight that the sizes ask for, and for their names
LARGEST_WEIGHT = 1e6  # beyond, sums of products may overflow
SHOWN = 3  # tensors that an error names
MOVES = 10  # times that a file may move between looking for it and opening it
AGAIN = "copy the folder again"
S = TypeVar("S", bound=Section)
Strings = Annotated[list[str], FailFast()]


class _Names(Section):
    """What `vocabulary.json` says; see `Vocabulary`."""

    words: Strings
    num_trainable: Positive
    chars: Strings
    labels: dict[str, Annotated[Strings, Field(min_length=1)]]


class _Files(NamedTuple):
    """The files of one save."""

    config: ModelConfig
    vocabulary: Vocabulary
    weights: bytes
    sha256: str


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
    files = {VOCABULARY: f"{json.dumps(names, ensure_ascii=False)}\n".encode(), WEIGHTS: save(weights)}
    hashes = {name: sha256(content).hexdigest() for name, content in files.items()}
    config = json.dumps(model.config.model_dump(mode="json") | {HASHES: hashes}, indent=2, ensure_ascii=False)
    return {CONFIG: f"{config}\n".encode(), **files, CARD: card.encode()}


def load_model(path: str | Path, *, device: str | torch.device = "cpu") -> TorchModel:
    """Load the model of a run folder or of its `model/` folder, ready to predict on a device.

    Raises:
        ModelError: The folder is missing, lacks a file, or has one that is damaged or of a newer format.
    """
    folder = model_folder(Path(path))
    config, vocabulary, content, digest = read_files(folder)
    try:
        weights = load(content)
    except (SafetensorError, KeyError) as error:
        raise ModelError(
            f"{folder / WEIGHTS}: the file is damaged or incomplete ({shorten(str(error))}); {AGAIN}"
        ) from None
    del content  # as large as the network
    network = build_network(
        vocabulary,
        embeddings=config.embeddings,
        encoder=config.encoder,
        heads=config.heads,
        vector_dimension=config.vector_dimension,
    )
    fixed = {name: value for name, value in network.named_parameters() if not value.requires_grad}
    if problems := _problems(network.state_dict(), fixed, weights):
        more = f" and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise ModelError(
            f"{folder / WEIGHTS}: the weights must fit {CONFIG} and {VOCABULARY}, but {'; '.join(problems[:SHOWN])}"
            f"{more}; {AGAIN}"
        )
    network.load_state_dict(weights)
    network.set_temperatures(config.temperatures)
    return TorchModel(config, vocabulary, Source(folder.resolve(), digest), network.to(device).eval())


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


def model_folder(path: Path) -> Path:
    """Return the model folder at a path, which may also be that of a run."""
    inner = path / "model"
    if inner.is_dir() or newest(inner / CONFIG).is_file():
        return inner
    if not path.is_dir():
        raise ModelError(f"{path}: no such model folder; give the folder that training wrote")
    return path


def read_files(folder: Path) -> _Files:
    """Read files that belong together, again if another model is being saved in their place."""
    while True:
        before = _stamp(folder / CONFIG)
        try:
            files, problem = _read_once(folder), None
        except ModelError as error:
            files, problem = None, error
        if _stamp(folder / CONFIG) != before:
            continue
        if files is not None:
            return files
        assert problem is not None
        raise problem


def _stamp(path: Path) -> tuple[int, int] | None:
    """Return what differs between a file and the one that has replaced it, even by the same bytes."""
    for _ in range(MOVES):
        with suppress(OSError):
            found = newest(path).stat()
            return found.st_ino, found.st_mtime_ns
    return None


def _read_once(folder: Path) -> _Files:
    path = folder / CONFIG
    content = _read(path, CONFIG_BYTES)
    values = _parse(path, content)
    found = values.get("format")
    if found != FORMAT:
        advice = "upgrade tagger" if isinstance(found, int) and found > FORMAT else "train the model again"
        raise ModelError(f"{folder}: model format {shorten(found)}, this version reads {FORMAT}; {advice}")
    hashes = values.pop(HASHES, None)  # older versions wrote none
    if hashes is not None and not (isinstance(hashes, dict) and hashes.keys() == {VOCABULARY, WEIGHTS}):
        raise ModelError(f"{path}: `{HASHES}` must have {VOCABULARY} and {WEIGHTS}, got {shorten(hashes)}; {AGAIN}")
    config = _section(ModelConfig, path, json.dumps(values))
    known = [layer for layer, head in heads_of(config.heads).items() if head.keeps_temperature]
    if odd := set(config.temperatures) - set(known):
        raise ModelError(
            f"{path}: `temperatures` must name layers whose heads keep a temperature ({', '.join(known) or 'none'}), "
            f"got {shorten(', '.join(sorted(odd)))}; {AGAIN}"
        )
    names = _read(folder / VOCABULARY, VOCABULARY_BYTES)
    _check_hash(folder / VOCABULARY, names, hashes)
    vocabulary = _vocabulary(folder / VOCABULARY, names, config)
    fewest = _fewest_weights(config, vocabulary)
    weights = _read(folder / WEIGHTS, fewest * WEIGHT_BYTES + HEADER_BYTES)
    _check_hash(folder / WEIGHTS, weights, hashes)
    if len(weights) < 2 * fewest:
        raise ModelError(
            f"{folder / WEIGHTS}: the weights must fit {CONFIG} and {VOCABULARY}, but they are too few for the sizes "
            f"that these name; {AGAIN}"
        )
    digest = sha256(content)
    for file in (names, weights) if hashes is None else ():  # otherwise the config holds their hashes
        digest.update(file)
    return _Files(config, vocabulary, weights, digest.hexdigest())


def _read(path: Path, limit: int) -> bytes:
    for _ in range(MOVES):
        place = newest(path)
        if not place.is_file():
            continue
        try:
            with place.open("rb") as stream:
                size = os.fstat(stream.fileno()).st_size
                if size > limit:
                    raise ModelError(f"{path}: expected at most {limit:,} bytes, got {size:,}; {AGAIN}")
                return stream.read()
        except FileNotFoundError:
            continue
        except (OSError, MemoryError) as error:
            reason = getattr(error, "strerror", None) or "not enough memory"
            raise ModelError(f"{path}: the file cannot be read: {reason}; check its permissions") from None
    raise ModelError(f"{path.parent}: must hold {CONFIG}, {VOCABULARY} and {WEIGHTS}, got no {path.name}")


def _check_hash(path: Path, content: bytes, hashes: Mapping[str, object] | None) -> None:
    if hashes is not None and sha256(content).hexdigest() != hashes[path.name]:
        raise ModelError(
            f"{path}: the file must have the SHA-256 that {CONFIG} names, but has another: it is damaged, or from "
            f"another model; {AGAIN}"
        )


def _parse(path: Path, content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content.decode())
    except (ValueError, RecursionError):  # no JSON, no UTF-8, a number too long or a list too deep to be read
        raise ModelError(f"{path}: the file is damaged or incomplete, it is not JSON; {AGAIN}") from None
    if not isinstance(value, dict):
        raise ModelError(f"{path}: must be a JSON object, got {type(value).__name__}; {AGAIN}")
    return value


def _section(kind: type[S], path: Path, text: str | bytes) -> S:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
    detail = next((one for one in details if one["type"] == "extra_forbidden"), details[0])
    key = shorten(".".join(map(str, detail["loc"])))[1:-1]
    if detail["type"] == "extra_forbidden":
        raise ModelError(f"{path}: unknown key `{key}`, which a newer version wrote; upgrade tagger")
    raise ModelError(f"{path}: `{key}`: {detail['msg'].removeprefix('Value error, ')[:200]}; {AGAIN}")


def _vocabulary(path: Path, content: bytes, config: ModelConfig) -> Vocabulary:
    values = _parse(path, content)
    for place, found, expected in (
        ("the file", values, _Names.model_fields),
        ("`labels`", values.get("labels"), config.heads),
    ):
        if isinstance(found, dict) and (odd := found.keys() ^ expected.keys()):
            keys = f"must have the keys {', '.join(expected)}; missing or unknown: {shorten(', '.join(sorted(odd)))}"
            raise ModelError(f"{path}: {place} {keys}; {AGAIN}")
    names = _section(_Names, path, content)
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


def _fewest_weights(config: ModelConfig, vocabulary: Vocabulary) -> int:
    """Return how many weights the sizes in a model's files ask for at least, so that none takes memory in vain.

    Only matrices count, those of a recurrent cell once and not once for each gate.
    """
    encoder, embeddings = config.encoder, config.embeddings
    chars = 0 if embeddings.chars == "none" else embeddings.char_hidden
    states = encoder.hidden_size * (2 if encoder.bidirectional else 1)
    output = states if encoder.merge == "concat" else encoder.hidden_size
    inputs = [config.vector_dimension + chars, *[output] * (encoder.layers - 1)]
    total = config.vector_dimension * (len(vocabulary.words) + 1)
    total += embeddings.char_dimension * (chars + len(vocabulary.chars)) if chars else 0
    total += sum(states * (size + encoder.hidden_size) for size in inputs)
    heads = heads_of(config.heads).items()
    return total + sum(head.num_weights(len(vocabulary.labels[layer]), output) for layer, head in heads)
