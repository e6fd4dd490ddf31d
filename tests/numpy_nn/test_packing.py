"""Packed tokens: every token has one place, and those of a position lie together, longest row first."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagger.numpy_nn.packing import packing_of


@given(lengths=st.lists(st.integers(0, 6), min_size=1, max_size=8))
def test_what_is_packed_comes_back_padded(lengths: list[int]) -> None:
    packing = packing_of(np.array(lengths))
    values = np.arange(packing.mask.size * 2).reshape(*packing.mask.shape, 2)
    found = packing.pack(values)
    assert len(found) == sum(lengths)
    assert (packing.pad(found)[packing.mask] == values[packing.mask]).all()
    for stride in (1, 2, 3):
        fewer, kept, before = packing.every(stride)
        assert (fewer.pad(found[kept])[fewer.mask] == values[:, ::stride][fewer.mask]).all()
        again = packing.pad(found[kept][before])
        for row, length in enumerate(lengths):
            for t in range(length):
                assert (again[row, t] == values[row, t - t % stride]).all()
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    wanted = [values[row, t] for t in range(max(lengths)) for row in order if t < lengths[row]]
    assert np.array_equal(found, np.array(wanted).reshape(found.shape))
    assert packing.sizes.tolist() == [sum(length > t for length in lengths) for t in range(max(lengths))]
