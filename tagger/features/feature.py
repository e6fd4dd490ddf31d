"""What the library asks of a feature. No other module looks at the kind of a feature.

A feature is a function of the word form (`TypeFeature`), computed once for each distinct word, or of the sentence
(`TokenFeature`). It turns words or sentences into arrays, and has a part of the network, its brick, that reads them.

To add a kind of feature:

1. `config/features.py`: a class with the keys of its section, added to `FeatureConfig`.
2. A module in this folder: a subclass of `TypeFeature` or `TokenFeature`. Its brick is in `nn/`.
3. `table.py`: a row that joins the two.

The modules of this folder import torch only inside the methods that need it, because other backends have none.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from tagger.config import AnyFeatureConfig
from tagger.encoding.batches import Rows
from tagger.encoding.packed import Packed
from tagger.errors import ModelError
from tagger.features.passages import Passage
from tagger.text.sentence import Sentence
from tagger.text.tokenization import DEFAULT_RULES, TextRules

if TYPE_CHECKING:
    import torch
    from torch import nn

    from tagger.onnx_nn.graph import Graph, Weights

C = TypeVar("C", bound=AnyFeatureConfig)
Ids = NDArray[np.int64]
Floats = NDArray[np.float32]


class Given(NamedTuple):
    """What a feature may use when a training starts.

    Args:
        folder: The folder that paths of a recipe are relative to.
        train: The training sentences.
        tell: Is called with each note.
        device: Where the network runs.
        rules: How a text of the corpus, and later of a user, is split into tokens.
        sentences: The training sentences themselves, for features that read more of them than words.
    """

    folder: Path
    train: Packed
    tell: Callable[[str], None]
    device: str
    rules: TextRules = DEFAULT_RULES
    sentences: Sequence[Sentence] = ()


class Feature(ABC, Generic[C]):
    """A feature of one kind.

    Args:
        name: Its name in the recipe.
        config: Its section of the recipe.

    Attributes:
        suffix: Ending of the file that it keeps in the model folder; empty if it keeps none.
    """

    suffix: ClassVar[str] = ""

    def __init__(self, name: str, config: C) -> None:
        self.name = name
        self.config = config

    @classmethod
    def prepare(cls, name: str, config: C, given: Given) -> Self:
        """Return the feature at the start of a training.

        Raises:
            RecipeError: The section does not fit what it names.
            DataError: A file that it names cannot be read.
        """
        return cls(name, config)

    @classmethod
    def restore(cls, name: str, config: C, content: bytes) -> Self:
        """Return the feature of a trained model, given the content of its file, which is empty if it keeps none.

        Raises:
            ModelError: The content is damaged.
        """
        return cls(name, config)

    def content(self, part: "nn.Module | None") -> bytes:
        """Return the content of the file that the feature keeps, given its part of the network in torch."""
        return b""

    def to(self, device: "str | torch.device") -> None:
        """Move what computes its numbers outside the network to a device; most features have nothing there."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Number of features of a token that its part of the network returns."""

    @abstractmethod
    def build(self) -> "nn.Module":
        """Return its part of the network with fresh weights."""

    @abstractmethod
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each weight of its part that is a weight of the model; all are float32."""

    @property
    def num_tuned(self) -> int:
        """Number of weights that a training changes and that its own file keeps, beside those of `shapes`."""
        return 0

    def build_numpy(self, weights: Mapping[str, NDArray[Any]]) -> Callable[[NDArray[Any]], Floats]:
        """Return its part of the network in NumPy, with these weights by their names in the part of torch.

        Raises:
            ModelError: It has none.
        """
        raise self._only_torch("numpy")

    def add_to_graph(self, graph: "Graph", weights: "Weights", values: str) -> str:
        """Add its part of the network to an ONNX graph, and return the name of its output.

        Args:
            graph: The graph.
            weights: The weights of the part, by their names in it.
            values: Name of the input: ids of words, (types, k), or features of tokens, (tokens, batch, k).

        Raises:
            ModelError: It has none.
        """
        raise self._only_torch("onnx")

    def _only_torch(self, backend: str) -> ModelError:
        return ModelError(
            f'the feature `{self.name}` ({self.config.kind}) needs the backend "torch", got "{backend}"; load the '
            f"folder that training wrote on a machine with torch, or train a fast model with this one as its teacher"
        )


class TypeFeature(Feature[C]):
    """A feature of the word form alone."""

    @abstractmethod
    def ids(self, words: Sequence[str]) -> Ids:
        """Return the ids of words, of shape (words, k); its part of the network maps them to (words, width)."""


class TokenFeature(Feature[C]):
    """A feature of the sentence.

    Attributes:
        version: Version of how its numbers are computed, to be raised whenever the numbers of a passage change: those
            of another version are not read from the cache.
        reads_frames: Whether it reads the frames of a sentence.
    """

    version: ClassVar[int] = 1
    reads_frames: ClassVar[bool] = False

    @property
    def context(self) -> int:
        """Number of tokens of neighbouring sentences that it reads on each side."""
        return 0

    @property
    def alone(self) -> bool:
        """Whether the numbers of a token depend on this token alone, so that it can be tagged when it arrives."""
        return False

    @property
    def fingerprint(self) -> str | None:
        """What the arrays depend on beside the passages, so that they can be kept; None if they must not be kept."""
        return None

    @abstractmethod
    def arrays(self, passages: Sequence[Passage]) -> Rows:
        """Return the numbers of the tokens of passages, one passage after another, of shape (tokens, k).

        Its part of the network maps (batch, tokens, k) to (batch, tokens, width).
        """


class ReadyFeature(TokenFeature[C]):
    """A feature whose numbers the network reads as they are, so that its part has no weights."""

    def build(self) -> "nn.Module":
        """Return what leaves the numbers unchanged."""
        from torch import nn

        return nn.Identity()

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return no shape: the part has no weights."""
        return {}

    def build_numpy(self, weights: Mapping[str, NDArray[Any]]) -> Callable[[NDArray[Any]], Floats]:
        """Return what leaves the numbers unchanged."""
        return lambda numbers: numbers

    def add_to_graph(self, graph: "Graph", weights: "Weights", values: str) -> str:
        """Return the name of the input: no node is needed."""
        return values
