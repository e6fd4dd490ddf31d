"""Heads: from token states to a tag for each token, a class for the sentence, or numbers; see `tagger/nn/heads.py`."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from tagger.onnx_nn.graph import LOWEST, Graph, Sentences, Weights
from tagger.onnx_nn.lattice import Scores, marginals
from tagger.onnx_nn.pooling import Pooling, linear, pool
from tagger.onnx_nn.viterbi import best_path

Decoder = Literal["crf", "softmax"]
Allowed = tuple[list[list[bool]], list[bool], list[bool]]  # [from][to], at the start, at the end


def tokens_head(
    graph: Graph, weights: Weights, sentences: Sentences, *, layer: str, decoder: Decoder, allowed: Allowed | None
) -> None:
    """Add the outputs of a head that predicts a tag for each token: `emissions`, `tags` and `marginals` of its layer.

    Args:
        graph: The graph.
        weights: The arrays of the head.
        sentences: What it reads.
        layer: The layer that it predicts.
        decoder: Whether probabilities are those of tags that depend on each other (`crf`) or do not (`softmax`).
        allowed: Which tags may follow each other, begin and end a sentence; None: all.
    """
    emissions = linear(graph, weights, sentences.states, "linear")  # (tokens, batch, tags)
    num_tags = len(weights["linear.bias"])
    mask = graph.add("Unsqueeze", sentences.mask, graph.constant([2]))  # (tokens, batch, 1)
    scores, zero = _scores(weights, allowed), graph.constant(0.0)

    def decoded(body: Graph) -> list[str]:
        path = body.add("Where", mask, best_path(body, emissions, mask, scores), body.constant(np.array(0)))
        is_crf = decoder == "crf"
        found = marginals(body, emissions, mask, scores) if is_crf else body.add("Softmax", emissions, axis=2)
        return [body.add("Squeeze", path, body.constant([2])), body.add("Where", mask, found, zero)]

    def nothing(body: Graph) -> list[str]:
        none = body.add("Slice", emissions, body.constant([0]), body.constant([0]), body.constant([0]))  # no tokens
        return [body.add("ArgMax", none, axis=2, keepdims=0), none]

    path, found = graph.choose(sentences.decode, decoded, nothing)
    for name, value in (("emissions", graph.add("Where", mask, emissions, zero)), ("marginals", found)):
        value = graph.add("Transpose", value, perm=[1, 0, 2])
        graph.output(f"{name}:{layer}", value, "FLOAT", "batch", "tokens", num_tags)
    graph.output(f"tags:{layer}", graph.add("Transpose", path, perm=[1, 0]), "INT32", "batch", "tokens")


def _scores(weights: Weights, allowed: Allowed | None) -> Scores:
    """Return the scores of the CRF, with `LOWEST` for what is not allowed."""
    found = (weights[f"crf.{name}"] for name in ("transitions", "start_transitions", "end_transitions"))
    tables: Sequence[Any] = allowed or (True, True, True)
    transitions, start, end = (
        np.where(table, value, np.float32(LOWEST)) for value, table in zip(found, tables, strict=True)
    )
    return Scores(start, transitions, end)


def sentence_head(
    graph: Graph, weights: Weights, sentences: Sentences, *, layer: str, pooling: Pooling, temperature: float
) -> None:
    """Add the outputs of a head that predicts a class: `probabilities` of its layer, and `attention` if it has one."""
    pooled = pool(graph, _inside(weights, "pooling."), sentences, pooling)
    hidden = graph.add("Relu", linear(graph, weights, pooled.vector, "classify.1"))
    scores = graph.add("Div", linear(graph, weights, hidden, "classify.4"), graph.constant(float(temperature)))
    num_classes = len(weights["classify.4.bias"])
    graph.output(f"probabilities:{layer}", graph.add("Softmax", scores, axis=1), "FLOAT", "batch", num_classes)
    if pooled.attention is not None:
        attention = graph.add("Transpose", pooled.attention, perm=[1, 0])
        graph.output(f"attention:{layer}", attention, "FLOAT", "batch", "tokens")


def values_head(graph: Graph, weights: Weights, sentences: Sentences, *, layer: str, pooling: Pooling | None) -> None:
    """Add the outputs of a head that predicts numbers: `values`, `low` and `high` of its layer.

    Args:
        graph: The graph.
        weights: The arrays of the head.
        sentences: What it reads.
        layer: The layer that it predicts.
        pooling: How to combine token states into one vector; None for numbers of tokens.
    """
    states = graph.add("Transpose", sentences.states, perm=[1, 0, 2])  # (batch, tokens, hidden)
    vectors = states if pooling is None else pool(graph, _inside(weights, "pooling."), sentences, pooling).vector
    num_values = len(weights["mean"])
    num_quantiles = len(weights["linear.bias"]) // num_values
    shape = graph.constant([0, -1, num_quantiles])  # (batch, numbers, quantiles)
    found = graph.add("Reshape", linear(graph, weights, vectors, "linear"), shape)
    parts = [graph.add("Gather", found, graph.constant(np.array(i)), axis=2) for i in range(num_quantiles)]
    middle, margin = parts[num_quantiles // 2], graph.constant(weights["margin"], "margin")
    low = graph.add("Min", graph.add("Sub", graph.add("Min", parts[0], middle), margin), middle)
    high = graph.add("Max", graph.add("Add", graph.add("Max", parts[-1], middle), margin), middle)
    mean, deviation = (graph.constant(weights[name], name) for name in ("mean", "deviation"))
    mask, size = graph.add("Transpose", sentences.mask, perm=[1, 0]), "tokens" if pooling is None else num_values
    for name, part in (("values", middle), ("low", low), ("high", high)):
        value = graph.add("Add", graph.add("Mul", part, deviation), mean)
        value = graph.add("Where", mask, value, graph.constant(0.0)) if pooling is None else value
        graph.output(f"{name}:{layer}", value, "FLOAT", "batch", size)


def _inside(weights: Weights, prefix: str) -> Weights:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
