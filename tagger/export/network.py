"""The network of a model as one ONNX graph: embeddings, encoder and heads, joined as in `tagger/model/network.py`.

The graph reads the ids of distinct words and of tokens as 32-bit integers, which every language has. Words whose
vectors the caller has kept from an earlier run need no ids: `known_vectors` come before the vectors of `word_ids`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.vocabulary import Vocabulary
from tagger.features.feature import TypeFeature
from tagger.features.table import Features, total_width
from tagger.heads.table import heads_of
from tagger.model.config import ModelConfig
from tagger.model.shapes import module_name, part_of
from tagger.onnx_nn.embeddings import char_cnn, char_lstm, word_vectors
from tagger.onnx_nn.encoder import encoder
from tagger.onnx_nn.graph import INT32, INT64, Graph, Sentences

Arrays = Mapping[str, NDArray[Any]]


def build_graph(config: ModelConfig, vocabulary: Vocabulary, weights: Arrays, features: Features) -> Graph:
    """Return the graph of a model.

    Args:
        config: The sizes of the network.
        vocabulary: The names of labels.
        weights: The arrays of the network, by their names in the weights file.
        features: What else the network reads of words and sentences, by name.

    Raises:
        ModelError: One of the features, the cell or a head needs torch.
    """
    config.check_cell("onnx")
    graph = Graph()
    vectors = _token_vectors(graph, config, weights, features)
    lengths = graph.input("lengths", "INT32", "batch")
    settings = config.encoder
    states = encoder(
        graph,
        part_of(weights, "encoder"),
        vectors,
        lengths,
        cell=settings.cell,
        merge=settings.merge,
        stride=settings.stride,
    )
    sentences = Sentences(
        states,
        _mask(graph, lengths),
        graph.add("Cast", lengths, to=INT64),
        graph.optional_input("decode", "BOOL", np.array(True)),
        config.widths.forward,
    )
    for layer, head in heads_of(config.heads).items():
        arrays = part_of(weights, module_name("head", layer))
        labels, temperature = vocabulary.labels[layer], config.temperatures.get(layer, 1.0)
        head.add_to_graph(graph, arrays, labels, sentences, temperature)
    return graph


def _token_vectors(graph: Graph, config: ModelConfig, weights: Arrays, features: Features) -> str:
    """Return the vector of each token, (tokens, batch, embedding)."""
    parts = [word_vectors(graph, part_of(weights, "words"), graph.input("word_ids", "INT32", "types"))]
    chars = config.embeddings.chars
    if chars != "none":
        char_ids = graph.input("char_ids", "INT32", "types", "chars")
        parts.append((char_cnn if chars == "cnn" else char_lstm)(graph, part_of(weights, "chars"), char_ids))
    of_words = {name: feature for name, feature in features.items() if isinstance(feature, TypeFeature)}
    others = {name: feature for name, feature in features.items() if name not in of_words}
    for name, feature in of_words.items():
        ids = graph.input(f"feature:{name}", "INT32", "types", f"ids:{name}")
        parts.append(feature.add_to_graph(graph, part_of(weights, module_name("feature", name)), ids))
    vectors = graph.add("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]  # (types, embedding)
    width = config.widths.inputs[0] - total_width(others)
    graph.output("type_vectors", vectors, "FLOAT", "types", width)
    known = graph.optional_input("known_vectors", "FLOAT", np.zeros((0, width), np.float32), "known", width)
    type_ids = graph.add("Transpose", graph.input("type_ids", "INT32", "batch", "tokens"), perm=[1, 0])
    read = [graph.add("Gather", graph.add("Concat", known, vectors, axis=0), type_ids)]
    for name, other in others.items():
        given = graph.input(f"feature:{name}", "FLOAT", "batch", "tokens", f"numbers:{name}")
        given = graph.add("Transpose", given, perm=[1, 0, 2])
        read.append(other.add_to_graph(graph, part_of(weights, module_name("feature", name)), given))
    return graph.add("Concat", *read, axis=2) if len(read) > 1 else read[0]


def _mask(graph: Graph, lengths: str) -> str:
    """Return where tokens are, (tokens, batch)."""
    zero, one = (graph.constant(np.array(i)) for i in (0, 1))
    num_tokens = graph.add("Gather", graph.add("Shape", "type_ids"), one)
    positions = graph.add("Cast", graph.add("Range", zero, num_tokens, one), to=INT32)
    column = graph.add("Unsqueeze", positions, graph.constant([1]))
    return graph.add("Less", column, graph.add("Unsqueeze", lengths, graph.constant([0])))
