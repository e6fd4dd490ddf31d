"""Sequences of numbers: an array with some numbers for each step, such as values of sensors or features of sound.

A sequence of frames is a sentence whose tokens name its steps: by their time, or else by their number from 0; see
`sentence_of_frames` in `sentence.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagger.errors import DataError


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

    def __hash__(self) -> int:
        return hash((self.values.shape, self.names))

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
