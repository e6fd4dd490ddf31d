"""The vectors of ids in a graph are those of torch."""

import numpy as np
import pytest
import torch
from onnx_graphs import arrays_of, run, session_of

from tagger.nn.features import IdEmbeddings
from tagger.onnx_nn.features import id_embeddings
from tagger.onnx_nn.graph import Graph


@pytest.mark.parametrize("sizes", [(3, 1, 5), (9,)])
@pytest.mark.parametrize("types", [1, 6])
def test_vectors_are_those_of_torch(sizes: tuple[int, ...], types: int) -> None:
    module, graph = IdEmbeddings(sizes, 4), Graph()
    vectors = id_embeddings(graph, arrays_of(module), graph.input("ids", "INT32", "types", "columns"), sizes, "table")
    graph.output("vectors", vectors, "FLOAT", "types", "width")
    ids = np.random.default_rng(1).integers(1 if len(sizes) > 1 else 9, size=(types, 3))
    found = run(session_of(graph), {"ids": ids.astype(np.int32)})["vectors"]
    assert np.array_equal(found, module(torch.from_numpy(ids)).detach().numpy())
