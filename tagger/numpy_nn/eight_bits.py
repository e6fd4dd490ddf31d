"""Word vectors in eight bits: each number is a whole number from -127 to 127 times a power of two of its word.

The power of two makes rounding exact in float16 and float32, and rounding twice the same as rounding once. So a network
computes the same with the rounded vectors in training, after training, and when it is loaded.
"""

import numpy as np
from numpy.typing import NDArray

MOST = 127  # largest whole number
LEAST = np.float32(2.0**-100)  # smaller numbers count as this one: a part of them may be zero in float32
LOWEST, HIGHEST = -24, 9  # exponents of numbers that float16 has; the largest is 65,024

Bytes = NDArray[np.int8]


def rounded(rows: NDArray[np.floating]) -> tuple[Bytes, Bytes]:
    """Return the whole numbers of rows, (rows, k), and the exponent of each row, (rows,).

    The exponent is the smallest with which all numbers of a row fit. Numbers beyond 65,024 become that.
    """
    rows = rows.astype(np.float32, copy=False)
    top = np.abs(rows).max(1, initial=0.0)
    exponents = np.frexp(np.where(top > 0, np.maximum(top, LEAST), 0) / np.float32(MOST))[1]
    exponents -= top <= np.ldexp(np.float32(MOST), exponents - 1)  # it is rounded up at powers of two
    exponents = np.clip(exponents, LOWEST, HIGHEST)
    whole = np.rint(np.ldexp(rows, -exponents[:, None]))
    return np.clip(whole, -MOST, MOST).astype(np.int8), exponents.astype(np.int8)


def expanded(rows: Bytes, exponents: Bytes) -> NDArray[np.float32]:
    """Return the numbers of rows, (rows, k), given their whole numbers and the exponent of each row."""
    return np.ldexp(rows.astype(np.float32), exponents[:, None].astype(np.int32))
