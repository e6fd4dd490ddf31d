"""Sequences of numbers: an array with some numbers for each step, such as values of sensors or features of sound.

A sequence of frames is a sentence whose tokens name its steps: by their time, or else by their number from 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagger.errors import DataError
from tagger.text.sentence import Label, Origin, Sentence, TagLayer


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """The numbers of each step of a sequence.

    Args:
        values: The numbers, of shape (steps, numbers); NaN where one is missing.
        names: What each of the numbers is; empty if nothing says so.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frames):
            return NotImplemented
        return self.names == other.names and np.array_equal(self.values, other.values, equal_nan=True)

    __hash__ = None  # type: ignore[assignment]  # arrays can change

    def part(self, start: int, end: int) -> "Frames":
        """Return the steps `[start, end)`."""
        return Frames(self.values[start:end], self.names)


def frames_of(values: ArrayLike, names: Sequence[str] = ()) -> Frames:
    """Return the frames of an array; missing numbers are NaN, or None in lists. One row of numbers is one per step.

    Raises:
        DataError: The values are no array of shape (steps, numbers), or a number is infinite in 32 bits.
    """
    array = _numbers(values)
    if array.ndim != 2 or not array.size:
        raise DataError(
            "frames must be an array of numbers of shape (steps, numbers), with at least one step and the same "
            f"numbers in each, got {_said(values)}"
        )
    if np.isinf(array).any():
        step, column = np.argwhere(np.isinf(array))[0].tolist()
        raise DataError(
            f"frames must have finite numbers of at most 3.4e38, got an infinite one in step {step + 1}, number "
            f"{column + 1}; replace it, or write NaN if it is missing"
        )
    if names and len(names) != array.shape[1]:
        raise DataError(f"frames must have one name for each of {array.shape[1]} numbers, got {len(names)} names")
    return Frames(array, tuple(names))


def _numbers(values: ArrayLike) -> NDArray[np.float32]:
    """Return the numbers of an array; without dimensions if it has none."""
    none = np.zeros((), np.float32)
    try:
        found = np.asarray(values)
        with np.errstate(over="ignore", invalid="ignore"):
            array = found.astype(np.float32) if found.dtype.kind in "biufO" else none
    except (ValueError, TypeError):  # lists of different lengths, or no numbers
        return none
    return array[:, None] if array.ndim == 1 else array


def _said(values: object) -> str:
    """Return what an array is, for a message."""
    shape = getattr(values, "shape", None)
    if shape is not None:
        return f"an array of {getattr(values, 'dtype', 'unknown')} of shape {tuple(shape)}"
    return f"{type(values).__name__} {str(values)[:40]}"


def sentence_of_frames(
    frames: Frames,
    layers: "Mapping[str, TagLayer | Label | Sequence[str]] | None" = None,
    *,
    steps: Sequence[str] | None = None,
    first: int = 0,
    document: str | None = None,
    origin: Origin | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Sentence:
    """Return the sentence of frames.

    Args:
        frames: The frames.
        layers: Its tags and labels, as in `Sentence.from_tokens`.
        steps: The names of the steps, such as their times. Default: their numbers.
        first: The number of the first step.
        document: The series that the frames are part of.
        origin: Where they were read.
        meta: The metadata of the sequence.

    Raises:
        DataError: There is not one name, or not one tag of a layer, for each step.
    """
    names = [str(first + i) for i in range(len(frames))] if steps is None else [_solid(step) for step in steps]
    if len(names) != len(frames):
        raise DataError(f"frames must have one name for each of {len(frames)} steps, got {len(names)} names")
    sentence = Sentence.from_tokens(names, layers, meta=meta, document=document, origin=origin)
    return replace(sentence, frames=frames)


def _solid(step: str) -> str:
    """Return the name of a step without blanks: a date and a time get the `T` of ISO 8601 between them."""
    return "T".join(step.split()) or "_"
