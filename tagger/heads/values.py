"""The kind `values`: a number for each token, or numbers for the sentence, each with an interval."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.config import ValuesHeadConfig, Widths
from tagger.encoding.batches import EncodedSentences
from tagger.errors import DataError
from tagger.heads.head import Arrays, Head, HeldOutSentences, Names
from tagger.heads.label import ATTENTION_SIZE
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence, Values, place_of

if TYPE_CHECKING:
    from tagger.metrics.layer import ScoredLayer
    from tagger.nn.encoder import RecurrentEncoder
    from tagger.nn.heads import ValuesHead as Network
    from tagger.numpy_nn import heads as numpy_heads
    from tagger.onnx_nn.graph import Graph, Sentences, Weights

Floats = NDArray[np.float32]


class ValuesArrays(NamedTuple):
    """The output of the network for a batch; see `ValuesOutput`."""

    values: Floats
    low: Floats
    high: Floats


class ValuesHead(Head[ValuesHeadConfig, "Network", "numpy_heads.ValuesHead"]):
    """A head that predicts numbers."""

    layer_type = Values
    answer = "numbers"
    task = "numbers"
    graph_outputs = ("values", "low", "high")

    @property
    def whole(self) -> bool:
        """Whether the sentence has the numbers as a whole."""
        return self.config.per == "sentence"

    def labels(self, sentence: Sentence) -> Sequence[str | None]:
        """Return the names of the numbers that are known; None for each that is not.

        Raises:
            DataError: The sentence has numbers for its tokens where the head predicts some for the sentence, or the
                other way round.
        """
        found = sentence.values(self.layer)
        if found.whole != self.whole:
            wanted, got = ("the sentence", "its tokens") if self.whole else ("each token", "the sentence")
            raise DataError(
                f"{place_of(sentence)}: layer `{self.layer}` must have numbers for {wanted}, got some for {got}; set "
                f'heads.{self.layer}.per = "{"token" if self.whole else "sentence"}", or correct the file'
            )
        return [None if v is None else str(i + 1 if found.whole else 1) for i, v in enumerate(found.values)]

    def build(self, labels: Sequence[str], encoder: "RecurrentEncoder") -> "Network":
        """Return the network with fresh weights."""
        from tagger.nn.heads import ValuesHead

        return ValuesHead(
            input_size=encoder.output_size,
            num_values=len(labels),
            forward_size=encoder.forward_size if encoder.merge == "concat" else encoder.output_size,
            pooling=self.config.pooling if self.whole else None,
            level=self.config.level if self.config.loss == "quantile" else None,
        )

    def build_numpy(self, labels: Sequence[str], weights: Arrays, widths: Widths) -> "numpy_heads.ValuesHead":
        """Return the network in NumPy."""
        from tagger.numpy_nn.heads import ValuesHead

        pooling = self.config.pooling if self.whole else None
        return ValuesHead(weights, forward_size=widths.forward, pooling=pooling)

    def shapes(self, num_labels: int, widths: Widths) -> Mapping[str, tuple[int, ...]]:
        """Return the shapes of the layers of the attention, if there is one, of the linear layer, and of the scales."""
        shapes: dict[str, tuple[int, ...]] = {}
        if self.whole and self.config.pooling == "attention":
            shapes = {
                "pooling.score.0.weight": (ATTENTION_SIZE, widths.output),
                "pooling.score.0.bias": (ATTENTION_SIZE,),
                "pooling.score.2.weight": (1, ATTENTION_SIZE),
                "pooling.score.2.bias": (1,),
            }
        size = num_labels * self._quantiles
        linear = {"linear.weight": (size, widths.output), "linear.bias": (size,)}
        return {**shapes, **linear, **dict.fromkeys(("mean", "deviation", "margin"), (num_labels,))}

    def measured(self) -> Collection[str]:
        """Return the mean and the deviation of train."""
        return ("mean", "deviation")

    @property
    def _quantiles(self) -> int:
        """How many quantiles the network has of each number."""
        return 3 if self.config.loss == "quantile" else 1

    def add_to_graph(
        self, graph: "Graph", weights: "Weights", labels: Sequence[str], sentences: "Sentences", temperature: float
    ) -> None:
        """Add the outputs `values`, `low` and `high` of the layer."""
        from tagger.onnx_nn.heads import values_head

        values_head(graph, weights, sentences, layer=self.layer, pooling=self.config.pooling if self.whole else None)

    def of_graph(
        self,
        network: "numpy_heads.ValuesHead",
        outputs: Mapping[str, NDArray[np.float32]],
        lengths: NDArray[np.int64],
        *,
        n_best: int,
    ) -> Arrays:
        """Return the outputs of the graph as they are."""
        return outputs

    def num_weights(self, num_labels: int, width: int) -> int:
        """Return the number of weights of the linear layer."""
        return num_labels * self._quantiles * width

    def layers(self, arrays: Arrays, names: Names, lengths: Sequence[int], shown: Scheme | None) -> Iterator[Values]:
        """Return the numbers of each sentence, with their intervals if the head has some."""
        found = ValuesArrays(**arrays)
        for row, length in enumerate(lengths):
            size = len(names) if self.whole else length
            yield self._values(*(part[row, :size] for part in found))

    def _values(self, values: Floats, low: Floats, high: Floats) -> Values:
        """Return numbers with their intervals; without these if nothing has given them a width."""
        if self.config.loss == "squared" and not (high > low).any():
            return Values(_numbers(values), self.whole)
        return Values(_numbers(values), self.whole, _numbers(low), _numbers(high), self.config.level)

    def empty(self, shown: Scheme | None) -> Values | None:
        """Return a layer without numbers, if each token has one."""
        return None if self.whole else Values(())

    def running(self, network: "numpy_heads.ValuesHead", names: Sequence[str], shown: Scheme | None) -> "RunningValues":
        """Return what predicts the number of each token when it arrives, or the numbers of the sentence so far."""
        return RunningValues(self, network)

    def scored(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> "ScoredLayer":
        """Return the numbers."""
        from tagger.metrics.numbers.layer import ValueLayer

        return ValueLayer(self.layer, tuple(gold), tuple(predicted))

    def prepare(self, network: "Network", targets: EncodedSentences, names: Sequence[str]) -> list[str]:
        """Give the network mean and deviation of each number in train, unless an earlier training has."""
        import torch

        if bool(network.deviation.any()):
            return []
        found = (targets.label_targets if self.whole else targets.tag_targets)[self.layer]
        columns = found.reshape(-1, len(names)).astype(np.float64)
        known = ~np.isnan(columns).all(0)
        mean, deviation = np.zeros(len(names)), np.ones(len(names))
        mean[known] = np.nanmean(columns[:, known], 0)
        deviation[known] = np.nanstd(columns[:, known], 0)
        deviation[deviation == 0] = 1.0
        network.mean.copy_(torch.from_numpy(mean))
        network.deviation.copy_(torch.from_numpy(deviation))
        return []

    def check_dev(self, sentences: Sequence[Sentence]) -> None:
        """Refuse dev sentences with too few numbers for intervals of the level."""
        from tagger.nn.heads import fewest

        counts: dict[str, int] = {}
        for sentence in sentences:
            for name in self.classes(sentence):
                counts[name] = counts.get(name, 0) + 1
        least = fewest(self.config.level)
        if (most := min(counts.values(), default=0)) < least:
            raise DataError(
                f"heads.{self.layer}.calibrate: dev must have at least {least} known numbers of `{self.layer}` for "
                f"intervals of level {self.config.level}, got {most}; lower `level`, add dev sentences, or set "
                "`calibrate` to false"
            )

    def calibrate(
        self, network: "Network", names: Sequence[str], dev: HeldOutSentences, *, shift: bool = True
    ) -> dict[str, float]:
        """Set the margins of the intervals; the numbers stay the same."""
        import torch

        def excess() -> torch.Tensor:
            found = []
            for part in dev.states():
                _, low, high = network(part.states, part.mask)
                outside = torch.maximum(low - part.targets, part.targets - high)
                found.append(outside.reshape(-1, len(names)) / network.deviation)
            return torch.cat(found)

        with torch.no_grad():
            before = excess()
            network.calibrate(before, self.config.level)
            after = excess()
            known = ~before.isnan()
            return {
                "level": self.config.level,
                "covered_before": float((before[known] <= 0).double().mean()),
                "covered_after": float((after[known] <= TOLERANCE).double().mean()),
                "margin": float((network.margin * network.deviation).mean()),
            }

    def said_of_calibration(self, found: Mapping[str, float]) -> str:
        """Return in words what `calibrate` did, given its facts."""
        return (
            f"intervals of level {found['level']:g} moved outwards by {found['margin']:.4g} on average; they hold "
            f"{found['covered_after']:.1%} of the numbers, before {found['covered_before']:.1%}"
        )


TOLERANCE = 1e-5  # of the deviation: a number that the margin just reaches is inside


class RunningValues:
    """The number of the last token, or the numbers of the sentence so far."""

    def __init__(self, head: ValuesHead, network: "numpy_heads.ValuesHead") -> None:
        from tagger.numpy_nn.incremental import RunningPooling

        self.head, self.network = head, network
        self.pooling = None if network.pooling is None else RunningPooling(network.pooling)

    def feed(self, state: NDArray[np.float32]) -> Values:
        """Return the numbers with the next token."""
        vector = state[None] if self.pooling is None else self.pooling.feed(state).vector
        return self.head._values(*(part[0] for part in self.network.values(vector)))


def _numbers(values: Floats) -> tuple[float, ...]:
    """Return numbers with the digits that 32 bits have."""
    return tuple([float(str(value)) for value in values])
