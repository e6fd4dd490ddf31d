"""The files of a model folder one by one: finding, opening and checking them, also while another save replaces them.

What the files say, and how they belong together, is in `files.py`.
"""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from tagger.config import Section
from tagger.config.explaining import path_of
from tagger.errors import ModelError
from tagger.extensions import NO_EXTENSION
from tagger.files.hashes import CONFIG
from tagger.files.writing import newest
from tagger.model.hub.address import address_of
from tagger.model.hub.downloading import downloaded
from tagger.wording import plain_rule, quoted, shorten

VOCABULARY, WEIGHTS, CARD = "vocabulary.json", "weights.safetensors", "README.md"
TOKENIZER = "tokenizer.json"
GRAPH, HEADS = "model.onnx", "heads.safetensors"  # in the place of the weights in an exported folder
MOVES = 10  # times that a file may move between looking for it and opening it
OWN = Path(__file__).parents[2] / "models"  # those that come with the library
AGAIN = "copy the folder again"
NO_JSON = "the file is damaged or incomplete, it is not JSON"
Hashes = Mapping[str, object] | None  # of the files of a folder; the first versions wrote none
S = TypeVar("S", bound=Section)
T = TypeVar("T")


def model_path(name: str | Path, folder: Path = Path()) -> Path:
    """Return the path of a model: in a folder, or else in the library if it has a model of that name.

    A model of the Hugging Face hub is downloaded, and the path is that of its copy in the cache.

    Raises:
        ModelError: It cannot be downloaded.
        MissingExtraError: It is on the hub, and huggingface_hub is not installed.
    """
    if (address := address_of(name)) is not None:
        return downloaded(address)
    path, own = folder / name, OWN / name
    return own if own.parent == OWN and (own / CONFIG).is_file() and not path.exists() else path


def kept_path(name: str, folder: Path) -> str:
    """Return a path of a model that is valid from anywhere; models of the library and of the hub keep their name."""
    if address_of(name) is not None:
        return name
    path = model_path(name, folder)
    return name if path.parent == OWN else str(path.resolve())


def model_folder(path: Path) -> Path:
    """Return the model folder at a path, which may also be that of a run, or the name of a model of the library.

    A model of the hub is downloaded, as by `model_path`.
    """
    path = model_path(path)
    inner = path / "model"
    if inner.is_dir() or newest(inner / CONFIG).is_file():
        return inner
    if not path.is_dir():
        raise ModelError(f"{path}: no such model folder; give the folder that training wrote{_or_own()}")
    return path


def _or_own() -> str:
    """Return the names of the models of the library, as the end of an advice."""
    names = sorted(path.parent.name for path in OWN.glob(f"*/{CONFIG}"))
    return f", or {quoted(names)}" if names else ""


def is_exported(path: Path) -> bool:
    """Whether the model folder at a path holds an exported model, also while another is being saved in its place.

    Raises:
        ModelError: There is no such folder.
    """
    return stamp(model_folder(path) / GRAPH) is not None


def stamp(path: Path) -> tuple[int, int] | None:
    """Return what differs between a file and the one that has replaced it, even by the same bytes."""
    for _ in range(MOVES):
        with suppress(OSError):
            found = newest(path).stat()
            return found.st_ino, found.st_mtime_ns
    return None


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


def read_file(path: Path, limit: int) -> bytes:
    """Return the content of a file of at most `limit` bytes."""
    return opened(path, limit, lambda stream, size: stream.read())


def read_hashed(path: Path, limit: int, hashes: Hashes) -> bytes:
    """Return the content of a file of at most `limit` bytes, which has the SHA-256 that its folder names for it."""
    content = read_file(path, limit)
    check_digest(path, sha256(content).hexdigest(), hashes)
    return content


def opened(path: Path, limit: int, use: Callable[[BufferedReader, int], T]) -> T:
    """Return what `use` makes of an open file and its size in bytes.

    Raises:
        ModelError: The file is missing, larger than `limit` bytes, or cannot be read.
    """
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


def check_digest(path: Path, digest: str, hashes: Hashes) -> None:
    """Raise ModelError if a file has another SHA-256 than its folder names for it."""
    if hashes is not None and digest != hashes[path.name]:
        raise ModelError(
            f"{path}: the file must have the SHA-256 that {CONFIG} names, but has another: it is damaged, or from "
            f"another model; {AGAIN}"
        )


def parse(path: Path, content: bytes) -> dict[str, Any]:
    """Return the JSON object that a file holds.

    Raises:
        ModelError: It holds something else.
    """
    try:
        value = json.loads(content.decode())
    except (ValueError, RecursionError):  # no JSON, no UTF-8, a number too long or a list too deep to be read
        raise ModelError(f"{path}: {NO_JSON}; {AGAIN}") from None
    if not isinstance(value, dict):
        raise ModelError(f"{path}: must be a JSON object, got {type(value).__name__}; {AGAIN}")
    return value


def parse_section(kind: type[S], path: Path, text: str | bytes) -> S:
    """Return what the JSON of a file says.

    Raises:
        ModelError: A key or value is missing, unknown or invalid.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
    detail = next((one for one in details if one["type"] == "extra_forbidden"), details[0])
    if not detail["loc"]:
        invalid = detail["type"] == "json_invalid"
        problem = NO_JSON if invalid else f"must be a JSON object, got {type(json.loads(text)).__name__}"
        raise ModelError(f"{path}: {problem}; {AGAIN}")
    key = shorten(".".join(path_of(detail["loc"])))[1:-1]
    if detail["type"] == "extra_forbidden":
        raise ModelError(f"{path}: unknown key `{key}`, which a newer version wrote; upgrade tagger")
    rule = plain_rule(detail["msg"])[:200]
    if rule.endswith(NO_EXTENSION):
        raise ModelError(f"{path}: `{key}` {rule}; install it, or pass it as tagger.load(..., extensions=[...])")
    raise ModelError(f"{path}: `{key}`: {rule}; {AGAIN}")
