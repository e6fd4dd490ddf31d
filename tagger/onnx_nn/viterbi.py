"""The best tag sequence of a linear-chain CRF; see `tagger/nn/chain/viterbi.py`."""

from collections.abc import Sequence

import numpy as np

from tagger.onnx_nn.graph import Graph
from tagger.onnx_nn.lattice import Scores, initial


def best_path(graph: Graph, emissions: str, mask: str, scores: Scores) -> str:
    """Return the tag sequence with the highest score in each row, (tokens, batch, 1), as 64-bit integers.

    Values at padding are unspecified.

    The first loop stores for each tag from which tag before it was reached best. The second one follows these from the
    end to the start. In both, the score of a row stops changing at its last token, so that padding changes nothing.

    Args:
        graph: The graph.
        emissions: Score of each tag at each token, (tokens, batch, tags).
        mask: True at tokens, (tokens, batch, 1).
        scores: Start, transition and end scores.

    Source:
        Viterbi (1967). Compared with `tagger/nn/chain/viterbi.py` in tests/onnx_nn/test_heads.py.
    """
    moves, axes = graph.constant(scores.transitions, "transitions"), [graph.constant([i]) for i in range(3)]
    rows = graph.add("ReduceMax", emissions, axes[0], keepdims=0)  # (batch, tags), for its shape
    start, end = initial(graph, scores.start, rows), graph.constant(scores.end)

    def forward(body: Graph, states: Sequence[str], elements: Sequence[str]) -> tuple[list[str], list[str]]:
        reached = body.add("Add", states[0], elements[0])  # (batch, from)
        # The highest score is subtracted at each token; it would grow until float32 could not tell two sequences apart.
        reached = body.add("Sub", reached, body.add("ReduceMax", reached, axes[1]))
        candidates = body.add("Add", body.add("Unsqueeze", reached, axes[2]), moves)  # (batch, from, to)
        incoming = body.add("ReduceMax", candidates, axes[1], keepdims=0)  # (batch, to)
        last = body.add("Where", elements[1], reached, states[1])
        return [incoming, last], [body.add("ArgMax", candidates, axis=1, keepdims=0)]

    _, last, pointers = graph.scan(forward, [start, start], [emissions, mask])
    ending = graph.add("ArgMax", graph.add("Add", last, end), axis=1)  # (batch, 1)

    def backward(body: Graph, states: Sequence[str], elements: Sequence[str]) -> tuple[list[str], list[str]]:
        earlier = body.add("GatherElements", elements[0], states[0], axis=1)
        tag = body.add("Where", elements[1], earlier, states[0])
        return [tag], [tag]

    _, path = graph.scan(backward, [ending], [pointers, _followed(graph, mask)], backwards=True)
    return path


def _followed(graph: Graph, mask: str) -> str:
    """Return where a token follows, (tokens, batch, 1): the mask, one token earlier."""
    shifted = graph.add("Slice", mask, graph.constant([1]), graph.constant([2**31]), graph.constant([0]))
    first = graph.add("Slice", mask, graph.constant([0]), graph.constant([1]), graph.constant([0]))
    none = graph.add("And", first, graph.constant(np.array(False)))
    return graph.add("Concat", shifted, none, axis=0)
