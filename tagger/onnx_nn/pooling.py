"""Poolings: from the states of a sentence's tokens to one vector for the sentence; see `tagger/nn/pooling.py`."""

from typing import Literal, NamedTuple

from tagger.onnx_nn.graph import FLOAT32, LOWEST, Graph, Sentences, Weights

Pooling = Literal["attention", "last", "mean", "max"]


class Pooled(NamedTuple):
    """A vector for each sentence, (batch, hidden), and the attention weight of each token, (tokens, batch), if any."""

    vector: str
    attention: str | None = None


def pool(graph: Graph, weights: Weights, sentences: Sentences, pooling: Pooling) -> Pooled:
    """Return the vector of each sentence."""
    match pooling:
        case "attention":
            return _attention(graph, weights, sentences)
        case "last":
            return Pooled(_last(graph, sentences))
        case "mean":
            total = graph.add("ReduceSum", _masked(graph, sentences, 0.0), graph.constant([0]), keepdims=0)
            number = graph.add("Cast", graph.add("Unsqueeze", sentences.lengths, graph.constant([1])), to=FLOAT32)
            return Pooled(graph.add("Div", total, number))
        case "max":
            return Pooled(graph.add("ReduceMax", _masked(graph, sentences, LOWEST), graph.constant([0]), keepdims=0))


def _masked(graph: Graph, sentences: Sentences, fill: float) -> str:
    """Return the states with another value at padding."""
    mask = graph.add("Unsqueeze", sentences.mask, graph.constant([2]))
    return graph.add("Where", mask, sentences.states, graph.constant(fill))


def _last(graph: Graph, sentences: Sentences) -> str:
    """Return the forward state of the last token and the backward state of the first one."""
    start, end, border = (graph.constant([i]) for i in (0, 2**31, sentences.forward_size))
    axis, one = graph.constant([2]), graph.constant([1])
    forward = graph.add("Slice", sentences.states, start, border, axis)  # (tokens, batch, forward)
    last = graph.add("Unsqueeze", graph.add("Sub", sentences.lengths, one), graph.constant([0, 2]))  # (1, batch, 1)
    sizes = graph.add("Shape", forward)
    places = graph.add("Expand", last, graph.add("Concat", one, graph.add("Slice", sizes, one, end), axis=0))
    final = graph.add("GatherElements", forward, places, axis=0)  # (1, batch, forward)
    backward = graph.add("Slice", graph.add("Slice", sentences.states, border, end, axis), start, one, start)
    return graph.add("Squeeze", graph.add("Concat", final, backward, axis=2), start)


def _attention(graph: Graph, weights: Weights, sentences: Sentences) -> Pooled:
    """Return the weighted average of the states, and the weights."""
    states = _masked(graph, sentences, 0.0)
    hidden = graph.add("Tanh", linear(graph, weights, states, "score.0"))
    scores = graph.add("Squeeze", linear(graph, weights, hidden, "score.2"), graph.constant([2]))  # (tokens, batch)
    attention = graph.add("Softmax", graph.add("Where", sentences.mask, scores, graph.constant(LOWEST)), axis=0)
    weighted = graph.add("Mul", states, graph.add("Unsqueeze", attention, graph.constant([2])))
    return Pooled(graph.add("ReduceSum", weighted, graph.constant([0]), keepdims=0), attention)


def linear(graph: Graph, weights: Weights, vectors: str, name: str) -> str:
    """Return what a linear layer makes of the last dimension of vectors."""
    product = graph.add("MatMul", vectors, graph.constant(weights[f"{name}.weight"].T, f"{name}.weight"))
    return graph.add("Add", product, graph.constant(weights[f"{name}.bias"], f"{name}.bias"))
