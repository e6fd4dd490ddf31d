"""Case, digits, marks, length and shape of a word form, each as an id with a small vector; see `word_shapes.py`."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tagger.config import ShapeConfig
from tagger.features.feature import Floats, Ids, TypeFeature
from tagger.features.word_shapes import SIZES, shape_ids

if TYPE_CHECKING:
    from torch import nn

    from tagger.onnx_nn.graph import Graph, Weights


class ShapeFeature(TypeFeature[ShapeConfig]):
    """The properties of a word, each with a vector."""

    @property
    def width(self) -> int:
        """Number of features of all properties together."""
        return len(self._sizes) * self.config.dimension

    def ids(self, words: Sequence[str]) -> Ids:
        """Return the value of each property of each word, of shape (words, properties)."""
        rows = [shape_ids(word, self.config.buckets) for word in words]
        return np.array(rows, np.int64).reshape(len(words), len(self._sizes))

    def build(self) -> "nn.Module":
        """Return a table of vectors."""
        from tagger.nn.features import IdEmbeddings

        return IdEmbeddings(self._sizes, self.config.dimension)

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of the table."""
        return {"table.weight": (sum(self._sizes), self.config.dimension)}

    def build_numpy(self, weights: Mapping[str, NDArray[Any]]) -> Callable[[NDArray[Any]], Floats]:
        """Return what reads the table."""
        from tagger.numpy_nn.features import IdEmbeddings

        return IdEmbeddings(weights, self._sizes)

    def add_to_graph(self, graph: "Graph", weights: "Weights", values: str) -> str:
        """Add what reads the table."""
        from tagger.onnx_nn.features import id_embeddings

        return id_embeddings(graph, weights, values, self._sizes, f"feature:{self.name}")

    @property
    def _sizes(self) -> list[int]:
        """Number of values of each property."""
        return [*SIZES, self.config.buckets]
