"""The vectors of ids in NumPy against those of torch."""

import numpy as np
import pytest
import torch
from numpy_bricks import weights_of

from tagger.nn import features as torch_features
from tagger.numpy_nn.features import IdEmbeddings


@pytest.mark.parametrize("sizes", [(3, 1, 5), (9,)])
@pytest.mark.parametrize("types", [0, 1, 6])
def test_vectors_are_those_of_torch(sizes: tuple[int, ...], types: int) -> None:
    network = torch_features.IdEmbeddings(sizes, 4)
    ids = np.random.default_rng(1).integers(1 if len(sizes) > 1 else 9, size=(types, 3))
    found = IdEmbeddings(weights_of(network), sizes)(ids)
    assert np.array_equal(found, network(torch.from_numpy(ids)).detach().numpy())
    assert found.shape == (types, 12)
