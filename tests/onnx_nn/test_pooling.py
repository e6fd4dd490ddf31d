"""The poolings of a graph give the vectors of those of torch, whatever is at padding."""

from typing import get_args

import numpy as np
import pytest
import torch
from onnx_graphs import arrays_of, padded, run, sentences_input, session_of, tensors

from tagger.nn.pooling import AttentionPooling, LastPooling, MaxPooling, MeanPooling
from tagger.onnx_nn.graph import Graph
from tagger.onnx_nn.pooling import Pooling, pool


@pytest.mark.parametrize("pooling", get_args(Pooling))
@pytest.mark.parametrize("forward_size", [4, 6])
def test_vectors_are_those_of_torch(pooling: Pooling, forward_size: int) -> None:
    torch.manual_seed(1)
    modules = {
        "attention": AttentionPooling(hidden_size=6),
        "last": LastPooling(forward_size=forward_size),
        "mean": MeanPooling(),
        "max": MaxPooling(),
    }
    graph = Graph()
    pooled = pool(graph, arrays_of(modules[pooling]), sentences_input(graph, forward_size), pooling)
    graph.output("vector", pooled.vector, "FLOAT", "batch", "hidden")
    if pooled.attention:
        graph.output("attention", graph.add("Transpose", pooled.attention, perm=[1, 0]), "FLOAT", "batch", "tokens")
    session = session_of(graph)
    for lengths in ([3, 1, 6], [1], [2, 2]):
        feeds = padded(lengths, 6)
        with torch.inference_mode():
            vector, attention = modules[pooling](*tensors(feeds))
        found = run(session, feeds)
        np.testing.assert_allclose(found["vector"], vector.numpy(), atol=1e-6)
        if attention is not None:
            np.testing.assert_allclose(found["attention"], attention.numpy(), atol=1e-6)
