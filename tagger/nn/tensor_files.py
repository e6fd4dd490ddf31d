"""Tensors and what they are, in one file in the safetensors format."""

import json
from collections.abc import Mapping
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from tagger.files.tensor_header import KEY, damaged, described_of


def pack(tensors: Mapping[str, Tensor], described: Mapping[str, object]) -> bytes:
    """Return the bytes of a file with tensors and values of JSON."""
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return save(kept, {KEY: json.dumps(described)})


def unpack(content: bytes, where: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and values of a file.

    Args:
        content: Its bytes.
        where: Its path, for messages.

    Raises:
        ModelError: It is damaged.
    """
    described = described_of(content, where)
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise damaged(where, str(error)) from None
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values() if tensor.is_floating_point()):
        raise damaged(where, "a value is not finite")
    return tensors, described


def check_shapes(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], where: str) -> None:
    """Raise if tensors do not have the names, shapes and types of others.

    Raises:
        ModelError: They do not.
    """
    found, expected = ({name: (t.shape, t.dtype) for name, t in each.items()} for each in (tensors, wanted))
    if odd := sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)):
        raise damaged(where, f"the tensor `{odd[0]}` is missing, unknown or of another size")
