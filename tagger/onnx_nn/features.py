"""What a network makes of features of words; see `tagger/nn/features.py`."""

from collections.abc import Sequence

import numpy as np

from tagger.onnx_nn.graph import Graph, Weights


def id_embeddings(graph: Graph, weights: Weights, ids: str, sizes: Sequence[int], name: str) -> str:
    """Return the vectors of each row of ids, one beside the other, (types, width)."""
    table = weights["table.weight"]
    starts = np.cumsum([0, *sizes[:-1]]).astype(np.int32)
    rows = graph.add("Add", ids, graph.constant(starts))  # (types, columns)
    vectors = graph.add("Gather", graph.constant(table, name), rows)  # (types, columns, dimension)
    return graph.add("Flatten", vectors, axis=1)
