"""The forward and backward recursions of a linear-chain CRF; see `tagger/nn/chain/lattice.py`.

Both are loops in log space. Each step subtracts the largest term before it exponentiates, and each state is normalised,
so that sentences may have any number of tokens. Only differences between the scores of one token matter here.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tagger.onnx_nn.graph import Array, Graph


class Scores(NamedTuple):
    """The scores that do not depend on the sentence, with `LOWEST` for what cannot happen."""

    start: Array
    transitions: Array  # (from, to)
    end: Array


def marginals(graph: Graph, emissions: str, mask: str, scores: Scores) -> str:
    """Return the probability of each tag at each token, summed over all sequences, (tokens, batch, tags).

    Values at padding are unspecified.

    Args:
        graph: The graph.
        emissions: Score of each tag at each token, (tokens, batch, tags).
        mask: True at tokens, (tokens, batch, 1).
        scores: Start, transition and end scores.
    """
    moves, axes = graph.constant(scores.transitions, "transitions"), [graph.constant([i]) for i in range(3)]
    rows = graph.add("ReduceMax", emissions, axes[0], keepdims=0)  # (batch, tags), for its shape
    start, end = (initial(graph, value, rows) for value in (scores.start, scores.end))

    def forward(body: Graph, states: Sequence[str], elements: Sequence[str]) -> tuple[list[str], list[str]]:
        alpha = body.add("LogSoftmax", body.add("Add", states[0], elements[0]), axis=1)  # (batch, from)
        terms = body.add("Add", body.add("Unsqueeze", alpha, axes[2]), moves)  # (batch, from, to)
        return [_logsumexp(body, terms, axes[1])], [alpha]

    def backward(body: Graph, states: Sequence[str], elements: Sequence[str]) -> tuple[list[str], list[str]]:
        entering = body.add("LogSoftmax", body.add("Add", states[0], elements[0]), axis=1)  # (batch, to)
        terms = body.add("Add", body.add("Unsqueeze", entering, axes[1]), moves)  # (batch, from, to)
        beta = body.add("Where", elements[1], _logsumexp(body, terms, axes[2]), states[0])  # `end` through the padding
        return [beta], [states[0]]

    _, alphas = graph.scan(forward, [start], [emissions])
    _, betas = graph.scan(backward, [end], [emissions, mask], backwards=True)
    return graph.add("Softmax", graph.add("Add", alphas, betas), axis=2)


def initial(graph: Graph, scores: Array, rows: str) -> str:
    """Return the scores of the tags once for each row of `rows`, (batch, tags)."""
    return graph.add("Expand", graph.constant(scores), graph.add("Shape", rows))


def _logsumexp(graph: Graph, terms: str, axis: str) -> str:
    highest = graph.add("ReduceMax", terms, axis)
    total = graph.add("ReduceSum", graph.add("Exp", graph.add("Sub", terms, highest)), axis, keepdims=0)
    return graph.add("Add", graph.add("Log", total), graph.add("Squeeze", highest, axis))
