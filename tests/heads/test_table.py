"""The kinds of head: a third kind, defined here alone, goes the whole way, and no module asks for a kind by name."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from onnx_graphs import arrays_of, feeds_of, run, session_of
from torch import Tensor, nn
from untrained import network_of, torch_tagger

import tagger
from tagger.config import AnyHeadConfig, EmbeddingsConfig, EncoderConfig, TokensHeadConfig, TrainingConfig, Widths
from tagger.config import heads as sections
from tagger.corpus.synthetic import generate
from tagger.encoding.batches import EncodedSentences, encode
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import build_vocabulary
from tagger.evaluation import dev_scores
from tagger.export.network import build_graph
from tagger.heads.head import Arrays, Head, HeldOutSentences, Lesson, Names
from tagger.heads.table import KINDS, heads_of
from tagger.metrics.layer import ScoredLayer
from tagger.metrics.resampling import Statistic
from tagger.model.config import FORMAT, ModelConfig
from tagger.model.network import TorchModel, to_tensors
from tagger.nn.encoder import RecurrentEncoder
from tagger.nn.heads import HeadNetwork
from tagger.numpy_nn import heads as numpy_heads
from tagger.numpy_nn.packing import Packing
from tagger.onnx_nn.graph import Graph, Sentences, Weights
from tagger.onnx_nn.pooling import linear
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, Sentence, TagLayer
from tagger.training.loop import train_network
from tagger.training.task import Task


class NumberHeadConfig(AnyHeadConfig):
    kind: Literal["number"] = "number"
    largest: float = 10.0


class NumberOutput(NamedTuple):
    numbers: Tensor


class NumberNetwork(HeadNetwork):
    """A number per sentence, learned with the squared error."""

    def __init__(self, *, input_size: int, values: list[float], largest: float) -> None:
        super().__init__()
        self.linear = nn.Linear(input_size, 1)
        self.largest = largest
        self.register_buffer("values", torch.tensor(values), persistent=False)

    def loss(self, states: Tensor, mask: Tensor, targets: Tensor, /) -> Tensor:
        return ((self(states, mask).numbers - self.values[targets]) ** 2).mean()

    def forward(self, states: Tensor, mask: Tensor, *, n_best: int = 0) -> NumberOutput:
        per_token = self.linear(states).squeeze(2).masked_fill(~mask, 0)
        return NumberOutput(per_token.sum(1).clamp(max=self.largest))


@dataclass(frozen=True)
class NumberScores:
    error: float

    @property
    def headline(self) -> float:
        return 1 / (1 + self.error)

    @property
    def rule(self) -> dict[str, str]:
        return {"rule": "mean error"}

    def to_dict(self) -> dict[str, object]:
        return {"mean_error": self.error}

    def lines(self, *, most: int | None = None) -> list[str]:
        return [f"mean error {self.error:.3f}"]


class NumberLayer(ScoredLayer):
    kind = "numbers"

    @property
    def counts(self) -> NDArray[np.float64]:
        values = [[float(s.label(self.name).value) for s in pair] for pair in self.both]
        return np.array([(abs(one - other), 1) for one, other in values])

    @property
    def statistic(self) -> Statistic:
        return lambda sums: 1 / (1 + sums[..., 0] / sums[..., 1])

    @property
    def scores(self) -> NumberScores:
        return NumberScores(float(self.counts[:, 0].mean()))


class NumpyNumbers(numpy_heads.HeadNetwork):
    """The same in NumPy."""

    def __init__(self, weights: Arrays) -> None:
        self.weight, self.bias = weights["linear.weight"][0], weights["linear.bias"][0]

    def __call__(self, states: Any, packing: Packing, *, n_best: int = 0) -> NumberOutput:
        return NumberOutput((packing.pad(states @ self.weight + self.bias) * packing.mask).sum(1))


class RunningNumber:
    def __init__(self, network: NumpyNumbers) -> None:
        self.network, self.sum = network, 0.0

    def feed(self, state: Any) -> Label:
        self.sum += float(state @ self.network.weight + self.network.bias)
        return Label(str(round(self.sum)))


class NumberHead(Head[NumberHeadConfig, NumberNetwork, NumpyNumbers]):
    layer_type = Label
    answer = "one number per sentence"
    task = "numbers"

    def labels(self, sentence: Sentence) -> Sequence[str]:
        return (sentence.label(self.layer).value,)

    def build(self, labels: Sequence[str], encoder: RecurrentEncoder) -> NumberNetwork:
        values = [float(label) for label in labels]
        return NumberNetwork(input_size=encoder.output_size, values=values, largest=self.config.largest)

    def shapes(self, num_labels: int, widths: Widths) -> dict[str, tuple[int, ...]]:
        return {"linear.weight": (1, widths.output), "linear.bias": (1,)}

    def add_to_graph(
        self, graph: Graph, weights: Weights, labels: Sequence[str], sentences: Sentences, temperature: float
    ) -> None:
        mask = graph.add("Unsqueeze", sentences.mask, graph.constant([2]))
        numbers = graph.add("Where", mask, linear(graph, weights, sentences.states, "linear"), graph.constant(0.0))
        total = graph.add("ReduceSum", numbers, graph.constant([0, 2]), keepdims=0)
        bounded = graph.add("Min", total, graph.constant(self.config.largest))
        graph.output(f"numbers:{self.layer}", bounded, "FLOAT", "batch")

    graph_outputs = ("numbers",)

    def of_graph(self, network: Any, outputs: Arrays, lengths: Any, *, n_best: int) -> Arrays:
        return outputs

    def num_weights(self, num_labels: int, width: int) -> int:
        return width

    def layers(self, arrays: Arrays, names: Names, lengths: Sequence[int], shown: Scheme | None) -> Iterator[Label]:
        return (Label(str(round(number))) for number in arrays["numbers"].tolist())

    def build_numpy(self, labels: Sequence[str], weights: Arrays, widths: Widths) -> NumpyNumbers:
        return NumpyNumbers(weights)

    def running(self, network: NumpyNumbers, names: Sequence[str], shown: Scheme | None) -> RunningNumber:
        return RunningNumber(network)

    def scored(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> "NumberLayer":
        return NumberLayer(self.layer, tuple(gold), tuple(predicted))

    def learn(self, encoded: EncodedSentences, lesson: Lesson) -> EncodedSentences:
        raise AssertionError("no recipe of these tests has a teacher")

    def calibrate(
        self, network: NumberNetwork, names: Sequence[str], dev: HeldOutSentences, *, shift: bool = True
    ) -> dict[str, float]:
        raise AssertionError("no recipe of these tests calibrates")


@pytest.fixture
def heads(monkeypatch: pytest.MonkeyPatch) -> dict[str, AnyHeadConfig]:
    monkeypatch.setitem(KINDS, "number", NumberHead)
    return {"length": NumberHeadConfig(largest=30.0), "upos": TokensHeadConfig(kind="tokens", scheme="none")}


def make_sentences(number: int, seed: int) -> list[Sentence]:
    """Sentences with parts of speech, and their number of tokens as a label."""
    found = []
    for s in generate(number, seed=seed, split="train"):
        layers: dict[str, TagLayer | Label] = {"upos": s.tag_layer("upos"), "length": Label(str(len(s)))}
        found.append(Sentence.from_tokens(s.tokens, layers))
    return found


def make_model(heads: dict[str, AnyHeadConfig], train: list[Sentence], **encoder: Any) -> TorchModel:
    torch.manual_seed(1)
    vocabulary = build_vocabulary(pack(train), layers=dict.fromkeys(heads))
    sections = {"embeddings": EmbeddingsConfig(dimension=16), "encoder": EncoderConfig(hidden_size=24, **encoder)}
    network = network_of(vocabulary, heads=heads, **sections)
    rest = {"vector_dimension": 16, "schemes": {}, "reading": {}, "temperatures": {}}
    config = ModelConfig.model_construct(
        format=FORMAT, version="1", tokenizer="none", heads=heads, **sections, **rest
    )  # not validated: `HeadConfig` does not have the kind
    return TorchModel(config, vocabulary, None, network.eval())


def test_a_third_kind_of_head_is_trained_tags_and_is_scored(heads: dict[str, AnyHeadConfig]) -> None:
    train = make_sentences(40, seed=1)
    model = make_model(heads, train)
    tagger = torch_tagger(model, cache=False)
    before = tagger.evaluate(train)
    task = Task(
        encode(pack(train), model.vocabulary, dict.fromkeys(heads)),
        TrainingConfig(epochs=12, batch_size=4, learning_rate=0.02),
        parts=[(len(train), len(train))],
        head_weights={layer: head.weight for layer, head in heads.items()},
        seed=1,
    )
    train_network(model.network, task, score=lambda: dev_scores(train, tagger.predict(train), model))
    report = torch_tagger(model).evaluate(train)
    assert report.headline("length") > 0.5 > before.headline("length")
    assert report.headline("upos") > before.headline("upos")
    assert "length: mean error " in report.to_text()
    found = torch_tagger(model).tag_tokens(["Ada", "left"])
    assert float(found.label("length").value) <= 30
    assert len(found.tags("upos")) == 2


def test_a_third_kind_of_head_tags_while_words_arrive(heads: dict[str, AnyHeadConfig]) -> None:
    tagger = torch_tagger(make_model(heads, make_sentences(10, seed=2), bidirectional=False))
    running, words = tagger.incremental(), ["Ada", "left", "Rome"]
    for number, word in enumerate(words, 1):
        step = running.feed(word)
        assert step.labels["length"].value == tagger.tag_tokens(words[:number]).label("length").value


def test_a_third_kind_of_head_is_part_of_an_exported_graph(heads: dict[str, AnyHeadConfig]) -> None:
    model = make_model(heads, make_sentences(20, seed=1))
    session = session_of(build_graph(model.config, model.vocabulary, arrays_of(model.network), {}))
    batch = encode(pack(make_sentences(5, seed=2)), model.vocabulary).batch(np.arange(5))
    with torch.inference_mode():
        wanted = model.network(to_tensors(batch, torch.device("cpu")))["length"].numbers.numpy()
    np.testing.assert_allclose(run(session, feeds_of(batch))["numbers:length"], wanted, atol=1e-5)


def test_every_kind_of_a_recipe_has_a_row() -> None:
    assert set(KINDS) == set(sections.KINDS)


def test_no_module_asks_for_the_kind_of_a_head() -> None:
    root = Path(tagger.__file__).parent
    asks = re.compile(
        r"""(head|config)\.kind (==|!=|in) ?["'(]|isinstance\([^)]*(HeadConfig|SentenceHead|TokensHead)\b"""
    )
    allowed = {"plots/heat_maps.py"}  # draws the transitions of a CRF, which only one kind has
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if asks.search(path.read_text(encoding="utf-8")) and path.parent.name not in ("heads", "config")
    }
    assert found <= allowed


def test_the_heads_of_a_model_are_asked_by_layer(heads: dict[str, AnyHeadConfig]) -> None:
    assert {layer: head.answer for layer, head in heads_of(heads).items()} == {
        "length": "one number per sentence",
        "upos": "one tag per token",
    }
