"""Vectors of word forms: word vectors and character vectors; see `tagger/nn/embeddings.py`.

Characters are given as one padded row per word. Padding is id 0, which no character has.
"""

import numpy as np

from tagger.onnx_nn.encoder import recurrent_layer
from tagger.onnx_nn.graph import FLOAT32, INT32, LOWEST, Graph, Weights


def word_vectors(graph: Graph, weights: Weights, word_ids: str) -> str:
    """Return the vector of each word id, (types, embedding). Frozen rows stay float16, or 8 bits, in the graph."""
    trainable, frozen = weights["weight"], weights["frozen"]
    if "exponents" in weights:
        rows = graph.constant(np.concatenate([trainable, frozen]), "words.rows")
        powers = graph.constant(np.ldexp(np.float32(1), weights["exponents"].astype(np.int32))[:, None], "words.powers")
        whole = graph.add("Cast", graph.add("Gather", rows, word_ids), to=FLOAT32)
        return graph.add("Mul", whole, graph.add("Gather", powers, word_ids))
    table = graph.constant(trainable, "words.weight")
    if not len(frozen):
        return graph.add("Gather", table, word_ids)
    first = graph.constant(np.array(len(trainable), np.int32))
    zero, last = (graph.constant(np.array(i, np.int32)) for i in (0, len(trainable) - 1))
    # Both tables are read for every word; ids of the other table are clamped to a row that exists.
    own = graph.add("Gather", table, graph.add("Min", word_ids, last))
    shifted = graph.add("Max", graph.add("Sub", word_ids, first), zero)
    found = graph.add("Gather", graph.constant(frozen, "words.frozen"), shifted)
    is_trainable = graph.add("Unsqueeze", graph.add("Less", word_ids, first), graph.constant([1]))
    return graph.add("Where", is_trainable, own, graph.add("Cast", found, to=FLOAT32))


def char_cnn(graph: Graph, weights: Weights, char_ids: str) -> str:
    """Return the largest response of each filter over the characters of each word, (types, hidden)."""
    table, filters = weights["embedding.weight"], weights["filters.weight"]
    hidden, dimension = len(filters), table.shape[1]
    width = filters.shape[1] // dimension
    kernels = filters.reshape(hidden, width, dimension).transpose(0, 2, 1)  # (hidden, dimension, width)
    # The vector of padding is 0, so windows may reach into it, as into the zeros around a word.
    vectors = graph.add("Gather", graph.constant(table, "chars.embedding"), char_ids)  # (types, chars, dimension)
    responses = graph.add(
        "Conv",
        graph.add("Transpose", vectors, perm=[0, 2, 1]),
        graph.constant(kernels, "chars.filters"),
        graph.constant(weights["filters.bias"], "chars.bias"),
        kernel_shape=[width],
        pads=[width // 2] * 2,
    )  # (types, hidden, chars)
    is_char = graph.add("Unsqueeze", _is_char(graph, char_ids), graph.constant([1]))  # (types, 1, chars)
    masked = graph.add("Where", is_char, responses, graph.constant(LOWEST))
    return graph.add("ReduceMax", masked, graph.constant([2]), keepdims=0)


def char_lstm(graph: Graph, weights: Weights, char_ids: str) -> str:
    """Return the final states of a bidirectional LSTM over the characters of each word, (types, hidden)."""
    lengths = graph.add(
        "ReduceSum", graph.add("Cast", _is_char(graph, char_ids), to=INT32), graph.constant([1]), keepdims=0
    )
    first = graph.add("Transpose", char_ids, perm=[1, 0])
    vectors = graph.add("Gather", graph.constant(weights["embedding.weight"], "chars.embedding"), first)
    layer = {name.removeprefix("encoder.layers.0."): value for name, value in weights.items()}
    _, final = recurrent_layer(graph, layer, vectors, lengths, cell="lstm", name="chars.lstm")  # (2, types, half)
    rows = graph.add("Transpose", final, perm=[1, 0, 2])
    return graph.add("Reshape", rows, graph.constant([0, -1]))


def _is_char(graph: Graph, char_ids: str) -> str:
    """Return where `char_ids` has a character, (types, chars)."""
    return graph.add("Greater", char_ids, graph.constant(np.array(0, np.int32)))
