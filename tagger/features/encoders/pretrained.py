"""Pretrained transformers of Hugging Face: where they are found, and how a model folder keeps one.

Weights are read from safetensors only, and no code of a model is ever run. A model is found once, when a training
starts. After that the file of its feature has all of it: weights, configuration and tokeniser.
"""

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.errors import ModelError, RecipeError, missing_package
from tagger.features.encoders.pieces import PieceTokenizer
from tagger.wording import shorten

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel

LONGEST = 512  # pieces that are read at once, also by models that could read more: time grows with the square
SHORTEST = 8
REASON = 200  # characters of what a library says
DOWNLOADED = ["config.json", "token*.json", "special_tokens_map.json", "vocab*", "merges.txt", "*.model"]
# What `transformers` raises for a damaged file or a value of a wrong type, besides errors of other libraries.
FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
KEY = "transformer"  # of the metadata; one key, because the order of several is random


@dataclass(frozen=True)
class Pretrained:
    """A transformer and its tokeniser.

    Args:
        model: The transformer, in float32.
        pieces: Splits words into what it reads.
        size: Number of pieces that it reads at once, without the special ones at both ends.
        dtype: Type of its weights in the files that it comes from.
    """

    model: "PreTrainedModel"
    pieces: PieceTokenizer
    size: int
    dtype: "torch.dtype"


def read_pretrained(
    model: str, base: Path, *, revision: str | None = None, where: str, tell: Callable[[str], None]
) -> Pretrained:
    """Return the transformer that a recipe names.

    Args:
        model: A folder, an installed package or a model id of the Hugging Face hub, in this order.
        base: Folder that the path of a folder is relative to.
        revision: Branch, tag or commit of a model of the hub; default: its main branch.
        where: The key of the recipe, for messages.
        tell: Is called with each note.

    Raises:
        RecipeError: There is no such model, or it cannot be used.
        MissingExtraError: `transformers` is not installed.
    """
    try:
        import transformers  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing_package(where, error) from None
    folder = _folder_of(model, base, revision, where, tell)
    kinds = _weight_files(folder, f"{where}: {shorten(model)}")
    try:
        with _quiet(), _faults():
            return _read(folder, kinds)
    except ValueError as error:
        reason = " ".join(str(error).split())[:REASON].rstrip(".")
        raise RecipeError(
            f"{where}: {shorten(model)} cannot be used: {reason}; copy it again, or choose another model"
        ) from None


def _folder_of(model: str, base: Path, revision: str | None, where: str, tell: Callable[[str], None]) -> Path:
    from huggingface_hub import snapshot_download, try_to_load_from_cache

    here = found if (found := base / model).is_dir() else _installed(model)
    if here is not None and revision is not None:
        kind = "a folder" if here == found else "an installed package"
        raise RecipeError(f"{where}: `revision` is for models of the Hugging Face hub, got {kind}; remove it")
    if here is not None:
        return here
    asked = model if revision is None else f"{model} ({revision})"
    try:
        if not isinstance(try_to_load_from_cache(model, "config.json", revision=revision), str):
            tell(f"looking for {asked} on the Hugging Face hub")
        with _quiet():
            wanted = [*DOWNLOADED, "model*.safetensors*"]
            return Path(snapshot_download(model, revision=revision, allow_patterns=wanted))
    except (OSError, ValueError):
        raise RecipeError(
            f"{where}: must be a folder, an installed package or a model of the Hugging Face hub, "
            f"got {shorten(asked)}, which is neither here nor reachable; check the name, install its package, or "
            "name its folder"
        ) from None


def _installed(name: str) -> Path | None:
    """Return the folder with a model in an installed package; None if there is none."""
    try:
        found = [Path(str(file.locate())) for file in files(name) or () if file.name == "config.json"]
    except (PackageNotFoundError, ValueError):
        return None
    return next((path.parent for path in found if (path.parent / "model.safetensors").is_file()), None)


def _weight_files(folder: Path, where: str) -> list[Path]:
    found = sorted(folder.glob("model*.safetensors"))
    if not (folder / "config.json").is_file():
        raise RecipeError(f"{where} must have a file config.json, as `save_pretrained` writes it")
    if not found:
        others = sorted(
            path.name for pattern in ("*.bin", "*.pt", "*.h5", "*.msgpack") for path in folder.glob(pattern)
        )
        advice = (
            "load it with transformers where you trust it, and write it again with save_pretrained"
            if others
            else "copy the whole folder, as `save_pretrained` writes it"
        )
        got = shorten(", ".join(others)) if others else "none"
        raise RecipeError(f"{where} must have its weights in model.safetensors, got {got}; {advice}")
    return found


def _read(folder: Path, weights: list[Path]) -> Pretrained:
    from transformers import AutoConfig, AutoTokenizer

    local: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    config = AutoConfig.from_pretrained(folder, **local)
    tokenizer = AutoTokenizer.from_pretrained(folder, **local)
    if not tokenizer.is_fast:
        raise ValueError("it must have a fast tokeniser, which a file tokenizer.json describes")
    pieces = PieceTokenizer.of(tokenizer.backend_tokenizer.to_str())
    model = _build(config, folder)
    special = len(pieces.before) + len(pieces.after)
    size = min(LONGEST, _num_positions(model), tokenizer.model_max_length) - special
    if size < SHORTEST:
        raise ValueError(f"it must read at least {SHORTEST} pieces at once, got {size}")
    return Pretrained(model, pieces, size, _dtype_of(weights))


def _build(config: "PretrainedConfig", source: Path | None, state: "Mapping[str, torch.Tensor] | None" = None) -> Any:
    """Return a transformer with the weights of a folder or with given ones.

    Raises:
        ValueError: It is no encoder of text, or weights are missing.
    """
    import torch
    from transformers import MODEL_MAPPING

    from tagger.nn.drawing import drawing

    if config.is_encoder_decoder or type(config) not in MODEL_MAPPING or not hasattr(config, "vocab_size"):
        raise ValueError(f"it must be an encoder of text alone, got {config.model_type}")
    kinds = MODEL_MAPPING[type(config)]
    kind = kinds[0] if isinstance(kinds, tuple) else kinds
    attention = "sdpa" if getattr(kind, "_supports_sdpa", False) else "eager"
    with drawing():  # weights that are missing, such as those of a pooler
        model, info = kind.from_pretrained(
            source,
            config=config,
            state_dict=state,
            use_safetensors=True,
            dtype=torch.float32,
            attn_implementation=attention,
            output_loading_info=True,
        )
    missing = sorted(name for name in info["missing_keys"] if not name.startswith("pooler."))
    if missing or info["mismatched_keys"]:
        raise ValueError(f"it must have all weights, missing: {shorten(', '.join(missing))}")
    if getattr(model, "pooler", None) is not None:
        model.pooler = None  # makes one vector of a text
    return model.eval()


def _num_positions(model: "PreTrainedModel") -> int:
    """Return how many pieces a transformer can read at once. RoBERTa counts positions from behind that of padding."""
    most = getattr(model.config, "max_position_embeddings", None) or 0
    tables = [module for name, module in model.named_modules() if name.endswith("position_embeddings")]
    unused = [table.padding_idx + 1 for table in tables if getattr(table, "padding_idx", None) is not None]
    return most - max(unused, default=0) if most > 0 else LONGEST


def _dtype_of(weights: list[Path]) -> "torch.dtype":
    """Return the type of the weights in files if all have the same half precision, and float32 otherwise."""
    import torch
    from safetensors import safe_open

    found = set()
    for path in weights:
        with safe_open(path, "pt") as file:
            found |= {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    return {("F16",): torch.float16, ("BF16",): torch.bfloat16}.get(tuple(found), torch.float32)


def to_bytes(pretrained: Pretrained, model: "PreTrainedModel", dtype: "torch.dtype") -> bytes:
    """Return the content of a safetensors file with the weights of `model`, and all else of a transformer."""
    from safetensors.torch import save

    described = {
        "config": {k: v for k, v in model.config.to_dict().items() if k != "_name_or_path"},  # a path of this machine
        "tokenizer": pretrained.pieces.tokenizer.to_str(),
        "size": pretrained.size,
        "dtype": str(dtype).removeprefix("torch."),
    }
    state = {name: tensor.detach().to("cpu", dtype, copy=True) for name, tensor in model.state_dict().items()}
    return save(state, {KEY: json.dumps(described)})


def of_bytes(content: bytes, where: str) -> Pretrained:
    """Return the transformer of a safetensors file that `to_bytes` made.

    Raises:
        ModelError: The content is damaged.
        MissingExtraError: `transformers` is not installed.
    """
    import torch
    from safetensors.torch import load

    try:
        from transformers import CONFIG_MAPPING
    except ModuleNotFoundError as error:
        raise missing_package(where, error) from None
    try:
        with _quiet(), _faults():
            start = 8 + int.from_bytes(content[:8], "little")
            described = json.loads(json.loads(content[8:start])["__metadata__"][KEY])
            config = CONFIG_MAPPING[described["config"]["model_type"]].from_dict(described["config"])
            model = _build(config, None, load(content))
            pieces = PieceTokenizer.of(described["tokenizer"])
            return Pretrained(model, pieces, int(described["size"]), getattr(torch, described["dtype"]))
    except ValueError:
        raise ModelError(
            f"{where}: the file is damaged, it is no transformer with its tokeniser; copy the folder again"
        ) from None


@contextmanager
def _faults() -> Iterator[None]:
    """Raise ValueError for whatever libraries raise about files that they cannot use."""
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError

    try:
        yield
    except (*FAULTS, SafetensorError, StrictDataclassError) as error:
        raise ValueError(str(error) or type(error).__name__) from error
    except Exception as error:
        if type(error) is Exception:  # of `tokenizers`, which has no class of its own
            raise ValueError(str(error)) from error
        raise


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what `transformers` would show from the terminal: bars, advice and reports of what it loaded."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.set_verbosity(logging.CRITICAL)
        logging.disable_progress_bar()
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
            if bars:
                logging.enable_progress_bar()
