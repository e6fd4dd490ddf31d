"""Rounding to eight bits: near enough, exact in float16, and the same in NumPy and torch."""

import numpy as np
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tagger.nn.embeddings import in_eight_bits
from tagger.numpy_nn.eight_bits import expanded, rounded

NUMBERS = st.floats(-65_024, 65_024, width=32) | st.sampled_from([0.0, 127.0, -127.0, 63.5, 2.0**-24, -(2.0**-30)])


@st.composite
def tables(draw: st.DrawFn) -> NDArray[np.float32]:
    rows = draw(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), max_size=4))
    scale = 2.0 ** draw(st.integers(-20, 0))
    return np.array(rows, np.float32).reshape(-1, 3) * np.float32(scale)


@example(np.array([[0, 0, 1e-45]], np.float32))
@given(tables())
def test_a_number_is_off_by_half_a_step_at_most_and_stays_when_rounded_again(
    rows: NDArray[np.float32],
) -> None:
    whole, exponents = rounded(rows)
    found = expanded(whole, exponents)
    step = np.ldexp(np.float32(1), exponents.astype(np.int32))[:, None]
    assert np.all(np.abs(found - rows) <= step / 2)
    top = np.abs(rows).max(1, initial=0)[:, None]
    assert np.all((step <= top / 63.5) | (exponents[:, None] == -24) | (top == 0))
    again = rounded(found)
    assert np.array_equal(again[0], whole)
    assert np.array_equal(again[1], exponents) or not whole.any(1).all()
    assert np.array_equal(found.astype(np.float16), found)
    assert np.array_equal(in_eight_bits(torch.from_numpy(rows)).numpy(), found)
