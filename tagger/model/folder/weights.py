"""The weights of a model on disk: a file in the safetensors format, read without torch.

The file is mapped into memory, so that only values that are used take memory. A large table of word vectors, of which
a text needs a few rows, costs next to nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf, nan, prod
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from tagger.config import Section
from tagger.errors import ModelError
from tagger.model.shapes import Form
from tagger.wording import shorten

DTYPES = {  # the names of the format
    **{"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "BOOL": "bool"},
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
}
BYTES = {name: 1 if name == "BOOL" else int(name.lstrip("BFIU")) // 8 for name in DTYPES}
LENGTH = 8  # bytes at the start of the file that say how long the header is
STRETCH = 2**18  # values that are checked at once
Natural = Annotated[int, Field(ge=0, le=2**62)]


class _Tensor(Section):
    """What the header of the file says of one tensor."""

    dtype: str
    shape: list[Natural]
    data_offsets: Annotated[list[Natural], Field(min_length=2, max_length=2)]


HEADER = TypeAdapter(dict[str, _Tensor | dict[str, str]])


@dataclass(frozen=True)
class Weights:
    """The tensors of a file.

    Args:
        forms: Type and shape of each.
        largest: The largest absolute value of each tensor of floats; NaN if one of its values is NaN.
    """

    forms: Mapping[str, Form]
    largest: Mapping[str, float]
    _starts: Mapping[str, int] = field(repr=False)
    _mapped: NDArray[np.uint8] = field(repr=False)

    def array(self, name: str) -> NDArray[Any]:
        """Return the values of a tensor as a view of the file."""
        (dtype, shape), start = self.forms[name], self._starts[name]
        return self._mapped[start : start + np.dtype(dtype).itemsize * prod(shape)].view(dtype).reshape(shape)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the values of all tensors."""
        return {name: self.array(name) for name in self.forms}


def map_weights(path: Path, stream: BinaryIO, size: int) -> Weights:
    """Return the tensors of an open file.

    Args:
        path: Its path, for messages.
        stream: The file.
        size: Its size in bytes.

    Raises:
        ModelError: The file is not in the safetensors format, or is incomplete.
    """
    stream.seek(0)
    length = int.from_bytes(stream.read(LENGTH), "little")
    if size < LENGTH or length > size - LENGTH:
        raise damaged(path, "the header is incomplete")
    tensors = list(_tensors(path, stream.read(length), size - LENGTH - length))
    forms = {name: Form(DTYPES[found.dtype], tuple(found.shape)) for name, found in tensors}
    starts = {name: LENGTH + length + found.data_offsets[0] for name, found in tensors}
    largest = {name: _largest(stream, form, starts[name]) for name, form in forms.items() if "float" in form.dtype}
    # Copy on write: torch wants arrays that could be written.
    return Weights(forms, largest, starts, np.memmap(stream, np.uint8, "c"))


def damaged(path: Path, problem: str) -> ModelError:
    """Return the error for a weights file that cannot be read as one."""
    return ModelError(f"{path}: the file is damaged or incomplete ({problem}); copy the folder again")


def _tensors(path: Path, header: bytes, size: int) -> Iterator[tuple[str, _Tensor]]:
    """Yield the tensors of a header, in the order of their values, which fill `size` bytes without gaps."""
    try:
        entries = HEADER.validate_json(header)
    except ValidationError:
        raise damaged(path, "the header is invalid") from None
    found = [(name, entry) for name, entry in entries.items() if isinstance(entry, _Tensor)]
    end = 0
    for name, entry in sorted(found, key=lambda pair: pair[1].data_offsets):
        start, stop = entry.data_offsets
        if entry.dtype not in DTYPES:
            raise damaged(path, f"unknown type {shorten(entry.dtype)}")
        if start != end or stop - start != BYTES[entry.dtype] * prod(entry.shape):
            raise damaged(path, f"the values of {shorten(name)} are not where they must be")
        yield name, entry
        end = stop
    if end != size:
        raise damaged(path, f"expected {end:,} bytes of values, got {size:,}")


def _largest(stream: BinaryIO, form: Form, start: int) -> float:
    """Return the largest absolute value of a tensor of floats; NaN if one of its values is NaN.

    The values are read in stretches and not through the map: pages of a map that were touched count as memory.
    """
    stream.seek(start)
    left, largest = prod(form.shape), 0.0
    kind = np.dtype(np.uint16 if form.dtype == "bfloat16" else form.dtype)
    while left and largest == largest:
        part = np.frombuffer(stream.read(kind.itemsize * min(left, STRETCH)), kind)
        if kind.itemsize == 2:  # NumPy compares float16 slowly; without the sign, bits have the order of the values
            top = (part.view(np.uint16) & 0x7FFF).max()
            found = float(top.view(np.float16)) if form.dtype == "float16" else inf
        else:
            found = float(max(part.max(), -part.min()))  # NaN if one value is NaN
        largest = max(largest, found) if found == found else nan
        left -= len(part)
    return largest
