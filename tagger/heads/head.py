"""What the library asks of a head. No other module looks at the kind of a head.

To add a kind of head to the library (`docs/extensions.md` has one of your own):

1. `config/heads.py`: a class with the keys of its section, added to `HeadConfig`.
2. A module in this folder: a subclass of `Head`. Its networks are a `HeadNetwork` of `nn/heads.py` and one of
   `numpy_nn/heads.py`.
3. `table.py`: a row that joins the two.

tests/heads/test_table.py does this for a head that predicts numbers. The modules of this folder import torch and
the metrics only inside the methods that need them, because tagging needs no metrics, and other backends no torch.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tagger.config import AnyHeadConfig, Widths
from tagger.encoding.batches import EncodedSentences
from tagger.errors import ModelError, RecipeError
from tagger.heads.lessons import Lesson
from tagger.text.gaps import known_of
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, Layer, Sentence, Values

if TYPE_CHECKING:
    from tagger.metrics.layer import ScoredLayer
    from tagger.nn.calibration import HeldOut
    from tagger.nn.encoder import RecurrentEncoder
    from tagger.nn.heads import HeadNetwork
    from tagger.numpy_nn import heads as numpy_heads
    from tagger.onnx_nn.graph import Graph, Sentences, Weights

Arrays = Mapping[str, NDArray[Any]]  # the output of a head for a batch, by name
Names = NDArray[Any]  # the labels of a layer by id, as objects
C = TypeVar("C", bound=AnyHeadConfig)
N = TypeVar("N", bound="HeadNetwork")
M = TypeVar("M", bound="numpy_heads.HeadNetwork")


FLOAT = 4  # bytes


class Sizes(NamedTuple):
    """What the memory of a training depends on.

    Args:
        width: Number of features of a state.
        sentences: Number of sentences in a batch.
        tokens: Number of tokens in a batch of the longest sentences.
        weight: Bytes for each weight, with its gradient, the state of the optimiser and the copy of the best epoch.
    """

    width: int
    sentences: int
    tokens: int
    weight: int


def named(output: Any) -> Iterator[tuple[str, Any]]:
    """Yield the arrays or tensors of a head's output by name; those of `spans` are named `spans_rows` and so on."""
    for name, value in output._asdict().items():
        if isinstance(value, tuple):
            yield from ((f"{name}_{part}", array) for part, array in named(value))
        elif value is not None:
            yield name, value


class RunningLayer(Protocol):
    """The prediction of a head while the tokens of a sentence arrive."""

    def feed(self, state: NDArray[np.float32]) -> tuple[str, float] | Label | Values:
        """Return the tag of the next token and its probability, or the label or the numbers of the sentence so far.

        If tokens have numbers, it is that of the next token.
        """
        ...


@dataclass(frozen=True, slots=True)
class HeldOutSentences:
    """Dev sentences for calibration, as a head may want them.

    Args:
        sentences: Sentences whose labels of the layer all occur in train.
        predict: Returns them with predicted layers.
        states: Returns the states of their tokens and the ids of their labels, in batches.
    """

    sentences: Sequence[Sentence]
    predict: Callable[[], Sequence[Sentence]]
    states: Callable[[], "Sequence[HeldOut]"]


class Head(ABC, Generic[C, N, M]):
    """A head of one kind.

    Args:
        layer: The layer that it predicts.
        config: Its section of the recipe.

    Attributes:
        layer_type: What the layer is in a sentence.
        answer: The same in words.
        keeps_temperature: Whether calibration leaves the weights alone and the model keeps a temperature instead.
    """

    layer_type: ClassVar[type[Layer]]
    answer: ClassVar[str]
    keeps_temperature: ClassVar[bool] = False

    def __init__(self, layer: str, config: C) -> None:
        self.layer = layer
        self.config = config

    @property
    @abstractmethod
    def task(self) -> str:
        """What the head finds in a sentence, in one word: `entities`, `tags`, `labels` or `numbers`."""

    @abstractmethod
    def labels(self, sentence: Sentence) -> Sequence[str | None]:
        """Return the labels of a sentence as the head learns them: one per token, or one. Unknown tags are None.

        A label stands for what training must have seen; for numbers, which of them is known.
        """

    def classes(self, sentence: Sentence) -> Iterable[str]:
        """Return what the labels of a sentence stand for: of tags with spans the type of each span."""
        return known_of(self.labels(sentence))

    @abstractmethod
    def build(self, labels: Sequence[str], encoder: "RecurrentEncoder") -> N:
        """Return the network of the head with fresh weights, for the states of an encoder."""

    @abstractmethod
    def shapes(self, num_labels: int, widths: Widths) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each weight of the network by its name; all are float32."""

    def fixed(self) -> Collection[str]:
        """Return the names of the weights that are 0 and that training never changes."""
        return ()

    def measured(self) -> Collection[str]:
        """Return the names of the weights that are measured in train, such as a mean, and may have any size."""
        return ()

    def add_to_graph(
        self, graph: "Graph", weights: "Weights", labels: Sequence[str], sentences: "Sentences", temperature: float
    ) -> None:
        """Add the nodes and outputs of the network to an ONNX graph.

        Args:
            graph: The graph.
            weights: The arrays of the network, by their names in it.
            labels: The labels by id.
            sentences: What the network reads.
            temperature: Divisor of the class scores, for a head that keeps a temperature.

        Raises:
            ModelError: The head has none.
        """
        raise self._only_torch("onnx")

    @property
    def graph_outputs(self) -> Sequence[str]:
        """Return which outputs of the ONNX graph `of_graph` reads, without the name of the layer."""
        raise self._only_torch("onnx")

    def of_graph(
        self, network: M, outputs: Mapping[str, NDArray[np.float32]], lengths: NDArray[np.int64], *, n_best: int
    ) -> Arrays:
        """Return the output of the network for a batch, given outputs of the graph by name."""
        raise self._only_torch("onnx")

    def graph_marginals(
        self, network: M, outputs: Mapping[str, NDArray[np.float32]], lengths: NDArray[np.int64]
    ) -> NDArray[np.float32] | None:
        """Return the probability of each tag at each token; None for a head without tags."""
        return None

    def num_weights(self, num_labels: int, width: int) -> int:
        """Return the number of weights in the matrices of the network at least, for states of `width` features."""
        return 0

    def num_frozen(self, num_labels: int) -> int:
        """Return the number of weights that training never changes."""
        return 0

    def memory(self, num_labels: int, sizes: Sizes) -> tuple[str, float]:
        """Return what the memory of the head depends on, in words, and the bytes that training needs at least."""
        return f"`heads.{self.layer}`", sizes.weight * self.num_weights(num_labels, sizes.width)

    @abstractmethod
    def layers(self, arrays: Arrays, names: Names, lengths: Sequence[int], shown: Scheme | None) -> Iterator[Layer]:
        """Return the predicted layer of each sentence of a batch.

        Args:
            arrays: The output of the network.
            names: The labels by id.
            lengths: Number of tokens of each sentence.
            shown: The scheme of the training files.
        """

    def empty(self, shown: Scheme | None) -> Layer | None:
        """Return the layer of a sentence without tokens; None if it has none."""
        return None

    def build_numpy(self, labels: Sequence[str], weights: Arrays, widths: Widths) -> M:
        """Return the network of the head in NumPy, with these weights by their names in the network of torch.

        Raises:
            ModelError: The head has none.
        """
        raise self._only_torch("numpy")

    def running(self, network: M, names: Sequence[str], shown: Scheme | None) -> RunningLayer:
        """Return what predicts the layer token by token, for a new sentence."""
        raise self._only_torch("numpy")

    @abstractmethod
    def scored(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> "ScoredLayer":
        """Return the layer of predicted sentences beside that of gold sentences, all of which have it."""

    def prepare(self, network: N, targets: EncodedSentences, names: Sequence[str]) -> list[str]:
        """Adapt the network to the training sentences before the first step, and return a note on what was done.

        Raises:
            RecipeError: The training sentences do not fit the recipe.
        """
        return []

    def asks_teacher(self, sentence: Sentence) -> bool:
        """Whether a teacher is asked about a training sentence."""
        return self.layer not in sentence.layers

    @property
    def can_learn(self) -> bool:
        """Whether it learns from teachers: whether it has a `learn` of its own."""
        return type(self).learn is not Head.learn

    def learn(self, encoded: EncodedSentences, lesson: Lesson) -> EncodedSentences:
        """Return the training sentences with the targets that a teacher gives.

        Raises:
            RecipeError: The teacher predicts a label that train lacks, or the head cannot learn from one.
        """
        raise RecipeError(f"{lesson.where}: a head of kind {self.config.kind!r} has no teacher; remove the key")

    def calibrate(
        self, network: N, names: Sequence[str], dev: HeldOutSentences, *, shift: bool = True
    ) -> dict[str, float]:
        """Fit probabilities to held-out sentences and return the facts: `temperature`, `loss_before`, `loss_after`.

        A head with other facts has its own `said_of_calibration`.

        Weights may change, unless the head keeps a temperature. With `shift` predictions may change too; the facts then
        have `outside`.

        Raises:
            RecipeError: The head cannot be calibrated.
        """
        raise RecipeError(
            f"`heads.{self.layer}.calibrate` is not for a head of kind {self.config.kind!r}; remove the key"
        )

    def check_dev(self, sentences: Sequence[Sentence]) -> None:
        """Refuse dev sentences, all of whose labels occur in train, that are too few to calibrate the head.

        Raises:
            DataError: They are.
        """
        return

    def said_of_calibration(self, found: Mapping[str, float]) -> str:
        """Return in words what `calibrate` did, given its facts."""
        from tagger.nn.calibration import FURTHEST, HIGHEST, LOWEST

        shift = f", score of `O` shifted by {found['outside']:.3f}" if "outside" in found else ""
        dev = (
            f"; dev {found['dev_before']:.4f} before and {found['dev_after']:.4f} after" if "dev_after" in found else ""
        )
        if "outside_left_out" in found:
            dev = (
                f"; a shift of `O` by {found['outside_left_out']:.3f} was left out, because it lowers dev from "
                f"{found['dev_before']:.4f} to {found['dev_left_out']:.4f}"
            )
        at_limit = found["temperature"] / HIGHEST > 0.99 or found["temperature"] / LOWEST < 1.01
        at_limit = at_limit or abs(found.get("outside", 0.0)) / FURTHEST > 0.99
        limit = f"; the fit is at its limit: remove heads.{self.layer}.calibrate or use a larger dev set"
        return (
            f"temperature {found['temperature']:.3f}{shift}; log loss {found['loss_before']:.4f} before and "
            f"{found['loss_after']:.4f} after{dev}{limit if at_limit else ''}"
        )

    def _only_torch(self, backend: str) -> ModelError:
        return ModelError(
            f'the head of the layer `{self.layer}` ({self.config.kind}) needs the backend "torch", got "{backend}"; '
            "load the folder that training wrote on a machine with torch"
        )
