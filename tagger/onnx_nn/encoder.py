"""A recurrent network over the tokens of a batch, in one direction or both; see `tagger/nn/encoder.py`.

The operators of ONNX run both directions at once, and read each sentence up to its length only.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from tagger.onnx_nn.graph import Array, Graph, Weights

Merge = Literal["concat", "sum", "mean"]
# Where the gates that ONNX wants are among those of torch: input, output, forget, cell for an LSTM (torch: input,
# forget, cell, output); update, reset, new for a GRU (torch: reset, update, new).
GATES: dict[str, Sequence[int]] = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}
KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def encoder(
    graph: Graph, weights: Weights, vectors: str, lengths: str, *, cell: str, merge: Merge, stride: int = 1
) -> str:
    """Return the merged states of both directions, (tokens, batch, hidden); 0 at padding.

    Args:
        graph: The graph.
        weights: The arrays of all layers.
        vectors: The vector of each token, (tokens, batch, input).
        lengths: Number of tokens of each sentence, as 32-bit integers.
        cell: The recurrence.
        merge: How to combine the states of both directions.
        stride: Steps from each token that is read to the next one.
    """
    if stride > 1:
        zero, one, every = (graph.constant(np.array(i)) for i in (0, 1, stride))
        number = graph.add("Gather", graph.add("Shape", vectors), zero)
        before = graph.add("Div", graph.add("Range", zero, number, one), every)  # the token read last, (tokens,)
        ends = graph.constant([np.iinfo(np.int64).max])
        vectors = graph.add("Slice", vectors, graph.constant([0]), ends, graph.constant([0]), graph.constant([stride]))
        rounded = graph.add("Add", lengths, graph.constant(np.array(stride - 1, np.int32)))
        lengths = graph.add("Div", rounded, graph.constant(np.array(stride, np.int32)))
    for i in range(sum(name.endswith(".weight_ih_l0") for name in weights)):
        prefix = f"layers.{i}."
        layer = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
        states, _ = recurrent_layer(graph, layer, vectors, lengths, cell=cell, name=f"encoder.{i}")
        vectors = _merged(graph, states, merge)
    return graph.add("Gather", vectors, before) if stride > 1 else vectors


def recurrent_layer(
    graph: Graph, weights: Weights, vectors: str, lengths: str, *, cell: str, name: str
) -> tuple[str, str]:
    """Return the states, (tokens, directions, batch, hidden), and the final ones, (directions, batch, hidden)."""
    suffixes = ["", "_reverse"] if "weight_ih_l0_reverse" in weights else [""]
    inputs, recurrent, *biases = (
        np.stack([_gates(weights[f"{kind}_l0{suffix}"], cell) for suffix in suffixes]) for kind in KINDS
    )
    states, final = graph.add_many(
        cell.upper(),
        vectors,
        graph.constant(inputs, f"{name}.input"),
        graph.constant(recurrent, f"{name}.recurrent"),
        graph.constant(np.concatenate(biases, 1), f"{name}.bias"),
        lengths,
        results=2,
        name=name,
        hidden_size=recurrent.shape[2],
        direction="bidirectional" if len(suffixes) == 2 else "forward",
        **({"linear_before_reset": 1} if cell == "gru" else {}),
    )
    return states, final


def _gates(weight: Array, cell: str) -> Array:
    """Return the rows of a weight in ONNX's order of the gates."""
    order = GATES[cell]
    return np.concatenate([np.split(weight, len(order))[gate] for gate in order])


def _merged(graph: Graph, states: str, merge: Merge) -> str:
    match merge:
        case "concat":
            rows = graph.add("Transpose", states, perm=[0, 2, 1, 3])
            return graph.add("Reshape", rows, graph.constant([0, 0, -1]))
        case "sum":
            return graph.add("ReduceSum", states, graph.constant([1]), keepdims=0)
        case "mean":
            return graph.add("ReduceMean", states, graph.constant([1]), keepdims=0)
