"""Sequences of numbers: an array with some numbers for each step, such as values of sensors or features of sound.

A sequence of frames is a sentence whose tokens name its steps: by their time, or else by their number from 0; see
`sentence_of_frames` in `sentence.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tagger.errors import DataError
from tagger.wording import quoted, shorten


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

    The columns of a data frame or an Arrow table are the names, if they are texts.

    Raises:
        DataError: The values are no array of shape (steps, numbers), a number is infinite in 32 bits, or the names are
            not those of the columns.
    """
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise DataError(f"the names of numbers must be a list of texts, got {shorten(names)}")
    names = tuple(names)  # an array or the columns of a data frame have no truth
    columns = _columns(values)
    if names and columns and names != columns:
        raise DataError(
            f"the names of numbers must be those of the columns, in their order ({quoted(columns)}), got "
            f"{quoted(names)}; leave them out"
        )
    names = names or columns
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
    return Frames(array, names)


def _columns(values: object) -> tuple[str, ...]:
    """Return the names of the columns of a table; none if it is none, or if they are not texts, such as numbers."""
    found = getattr(values, "column_names", getattr(values, "columns", ()))  # pyarrow has data in `columns`
    names = tuple(found) if isinstance(found, Iterable) else ()
    return names if all(isinstance(name, str) for name in names) else ()


def _numbers(values: ArrayLike) -> NDArray[np.float32]:
    """Return the numbers of an array; without dimensions if it has none.

    Raises:
        DataError: A whole number is too large.
    """
    none = np.zeros((), np.float32)
    try:
        tensor = getattr(values, "detach", None)  # of torch, perhaps with gradients or on a GPU
        found = np.asarray(values if tensor is None else tensor().cpu())
        if found.dtype.kind not in "biufO" or (found.dtype.kind == "O" and any(map(_is_text, found.flat))):
            return none
        with np.errstate(over="ignore", invalid="ignore"):
            array = found.astype(np.float32)
    except OverflowError:
        raise DataError("frames must have finite numbers of at most 3.4e38, got a larger one; replace it") from None
    except (ValueError, TypeError, RuntimeError):  # lists of different lengths, no numbers, or tensors in lists
        return none
    return array[:, None] if array.ndim == 1 else array


def _is_text(value: object) -> bool:
    return isinstance(value, (str, bytes))


def _said(values: object) -> str:
    """Return what an array is, for a message."""
    shape = getattr(values, "shape", None)
    if shape is not None:
        return f"an array of {getattr(values, 'dtype', 'unknown')} of shape {tuple(shape)}"
    return f"{type(values).__name__} {str(values)[:40]}"
