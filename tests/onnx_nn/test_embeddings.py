"""The vectors of words in a graph are those of torch, whatever the other words of the batch are."""

import numpy as np
import pytest
import torch
from onnx_graphs import arrays_of, run, session_of

from tagger.nn.embeddings import CharCNN, CharLSTM, WordVectors
from tagger.onnx_nn.embeddings import char_cnn, char_lstm, word_vectors
from tagger.onnx_nn.graph import Graph

WORDS = ([1], [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4], [5, 5], [9], [1, 2, 3, 1])


@pytest.mark.parametrize(("trainable", "frozen"), [(4, 0), (1, 6), (3, 5)])
def test_words_have_trainable_or_frozen_vectors(trainable: int, frozen: int) -> None:
    torch.manual_seed(1)
    module = WordVectors(torch.randn(trainable, 3), torch.randn(frozen, 3).half())
    graph = Graph()
    vectors = word_vectors(graph, arrays_of(module), graph.input("word_ids", "INT32", "types"))
    graph.output("vectors", vectors, "FLOAT", "types", 3)
    ids = np.arange(trainable + frozen)
    found = run(session_of(graph), {"word_ids": ids.astype(np.int32)})["vectors"]
    assert np.array_equal(found, module(torch.from_numpy(ids)).detach().numpy())


@pytest.mark.parametrize("width", [1, 3, 5, None])
def test_characters_give_the_vectors_of_torch(width: int | None) -> None:
    torch.manual_seed(1)
    sizes = {"num_chars": 10, "dimension": 4, "hidden_size": 6}
    module = CharLSTM(**sizes) if width is None else CharCNN(**sizes, width=width)
    graph = Graph()
    brick = char_lstm if width is None else char_cnn
    vectors = brick(graph, arrays_of(module), graph.input("char_ids", "INT32", "types", "chars"))
    graph.output("vectors", vectors, "FLOAT", "types", "hidden")
    session = session_of(graph)
    for words in (WORDS, WORDS[:1], WORDS[2:3]):
        lengths = np.array([len(word) for word in words])
        rows = np.zeros((len(words), lengths.max() + 2), np.int32)
        for row, word in zip(rows, words, strict=True):
            row[: len(word)] = word
        flat = torch.tensor([char for word in words for char in word])
        with torch.inference_mode():
            wanted = module(flat, torch.from_numpy(lengths)).numpy()
        np.testing.assert_allclose(run(session, {"char_ids": rows})["vectors"], wanted, atol=1e-6)
