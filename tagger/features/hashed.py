"""Features of word forms that are ids with a small vector each, in one table of rows that may be shared by chance."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from numpy.typing import NDArray

from tagger.config import AffixesConfig, ShapeConfig
from tagger.features.feature import Floats, TypeFeature

if TYPE_CHECKING:
    from torch import nn

    from tagger.onnx_nn.graph import Graph, Weights

H = TypeVar("H", AffixesConfig, ShapeConfig)


class HashedFeature(TypeFeature[H]):
    """A feature whose part of the network is a table of vectors."""

    @property
    @abstractmethod
    def sizes(self) -> list[int]:
        """Number of ids in each column; a single number if all columns share one table."""

    def build(self) -> "nn.Module":
        """Return a table of vectors."""
        from tagger.nn.features import IdEmbeddings

        return IdEmbeddings(self.sizes, self.config.dimension)

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of the table."""
        return {"table.weight": (sum(self.sizes), self.config.dimension)}

    def build_numpy(self, weights: Mapping[str, NDArray[Any]]) -> Callable[[NDArray[Any]], Floats]:
        """Return what reads the table."""
        from tagger.numpy_nn.features import IdEmbeddings

        return IdEmbeddings(weights, self.sizes)

    def add_to_graph(self, graph: "Graph", weights: "Weights", values: str) -> str:
        """Add what reads the table."""
        from tagger.onnx_nn.features import id_embeddings

        return id_embeddings(graph, weights, values, self.sizes, f"feature:{self.name}")
