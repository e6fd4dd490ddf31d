"""The recurrent layers of a graph give the states of those of torch."""

from typing import get_args

import numpy as np
import pytest
import torch
from onnx_graphs import arrays_of, padded, run, session_of

from tagger.nn.encoder import RecurrentEncoder
from tagger.onnx_nn.encoder import GATES, Merge, encoder
from tagger.onnx_nn.graph import Graph


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("merge", get_args(Merge))
@pytest.mark.parametrize(
    ("layers", "bidirectional", "stride"), [(1, True, 1), (2, True, 1), (2, True, 3), (1, False, 2), (3, False, 1)]
)
def test_states_are_those_of_torch(cell: str, merge: Merge, layers: int, bidirectional: bool, stride: int) -> None:
    torch.manual_seed(1)
    module = RecurrentEncoder(
        input_size=5,
        hidden_size=4,
        cell=cell,
        layers=layers,
        bidirectional=bidirectional,
        merge=merge,
        stride=stride,
    )
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter)  # biases too, which start as zeros
    graph = Graph()
    vectors = graph.add("Transpose", graph.input("states", "FLOAT", "batch", "tokens", "input"), perm=[1, 0, 2])
    lengths = graph.input("lengths", "INT32", "batch")
    states = encoder(graph, arrays_of(module), vectors, lengths, cell=cell, merge=merge, stride=stride)
    graph.output("found", graph.add("Transpose", states, perm=[1, 0, 2]), "FLOAT", "batch", "tokens", "hidden")
    session = session_of(graph)
    for lengths_ in ([4, 1, 7, 2], [1], [3, 3]):
        feeds = padded(lengths_, 5)
        mask = feeds["mask"]
        found = run(session, {**feeds, "lengths": feeds["lengths"].astype(np.int32)})["found"]
        with torch.inference_mode():
            wanted = module(torch.from_numpy(feeds["states"]), torch.from_numpy(mask)).numpy()
        np.testing.assert_allclose(found[mask], wanted[mask], atol=1e-5)
