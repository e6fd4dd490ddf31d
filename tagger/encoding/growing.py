"""Arrays that grow by a few numbers at a time, in memory or in files, because their final size is not known."""

from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

HELD = 2**20  # numbers of an array that are kept in memory before they are written


class Growing:
    """An array that grows at its end.

    Args:
        code: `i` for int32, `f` for float32.
        path: A new file for the numbers; default: they stay in memory.
    """

    def __init__(self, code: Literal["i", "f"], path: Path | None = None) -> None:
        self._held: array[Any] = array(code)
        self._written = 0
        self._path = path

    def __len__(self) -> int:
        return self._written + len(self._held)

    def extend(self, values: Iterable[float]) -> None:
        """Add numbers at the end.

        Raises:
            OSError: The file cannot be written.
        """
        self._held.extend(values)
        if len(self._held) >= HELD:
            self._write()

    def fill(self, value: float, count: int) -> None:
        """Add one number several times; see `extend`."""
        for start in range(0, count, HELD):
            self.extend([value] * min(HELD, count - start))

    def array(self) -> NDArray[Any]:
        """Return the numbers, mapped if they are in a file; the array must not grow after that. See `extend`."""
        self._write()
        kind = np.dtype(self._held.typecode)
        if self._path is not None and self._written:
            return np.memmap(self._path, kind, mode="r")
        return np.frombuffer(self._held, kind) if len(self._held) else np.zeros(0, kind)

    def _write(self) -> None:
        if self._path is not None:
            with self._path.open("ab") as file:
                self._held.tofile(file)
            self._written += len(self._held)
            del self._held[:]
