"""Casing, digits and punctuation of a word form, each as an id with a small vector."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagger.config import ShapeConfig
from tagger.features.feature import Floats, Ids, TypeFeature

if TYPE_CHECKING:
    from torch import nn

    from tagger.onnx_nn.graph import Graph, Weights

Test = Callable[[str], bool]
# For each property the tests of its values, of which the first that holds counts; the last id is for none of them.
PROPERTIES: Mapping[str, Sequence[Test]] = {
    "case": (str.islower, str.istitle, str.isupper, lambda word: word[:1].isupper(), lambda word: word != word.lower()),
    "digits": (str.isdecimal, lambda word: any(map(str.isdecimal, word))),
    "marks": (
        lambda word: not any(map(str.isalnum, word)),
        lambda word: word[0] in "@#",
        lambda word: "-" in word,
        lambda word: not word.isalnum(),
    ),
}
SIZES = [len(tests) + 1 for tests in PROPERTIES.values()]


class ShapeFeature(TypeFeature[ShapeConfig]):
    """The properties of a word, each with a vector."""

    @property
    def width(self) -> int:
        """Number of features of all properties together."""
        return len(SIZES) * self.config.dimension

    def ids(self, words: Sequence[str]) -> Ids:
        """Return the value of each property of each word, of shape (words, properties)."""
        rows = [[_first(word, tests) for tests in PROPERTIES.values()] for word in words]
        return np.array(rows, np.int64).reshape(len(words), len(SIZES))

    def build(self) -> "nn.Module":
        """Return a table of vectors."""
        from tagger.nn.features import IdEmbeddings

        return IdEmbeddings(SIZES, self.config.dimension)

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of the table."""
        return {"table.weight": (sum(SIZES), self.config.dimension)}

    def build_numpy(self, weights: Mapping[str, NDArray[Any]]) -> Callable[[NDArray[Any]], Floats]:
        """Return what reads the table."""
        from tagger.numpy_nn.features import IdEmbeddings

        return IdEmbeddings(weights, SIZES)

    def add_to_graph(self, graph: "Graph", weights: "Weights", values: str) -> str:
        """Add what reads the table."""
        from tagger.onnx_nn.features import id_embeddings

        return id_embeddings(graph, weights, values, SIZES, f"feature:{self.name}")


def _first(word: str, tests: Sequence[Test]) -> int:
    return next((i for i, test in enumerate(tests) if word and test(word)), len(tests))
