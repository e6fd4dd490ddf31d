"""Features and heads of a user's own are refused when their network is built, unless they are what they say."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from untrained import generated_vocabulary

from tagger.config import AnyFeatureConfig, AnyHeadConfig, EmbeddingsConfig, EncoderConfig, TokensHeadConfig
from tagger.encoding.packed import pack
from tagger.errors import ModelError, RecipeError
from tagger.extensions import Feature, Head, register
from tagger.features.feature import Given, TokenFeature, TypeFeature
from tagger.features.passages import Passage
from tagger.features.table import prepare_features, type_arrays
from tagger.heads.head import Head as HeadBase
from tagger.metrics.layer import ClassLayer
from tagger.model.config import ModelConfig
from tagger.model.network import Network, build_network
from tagger.nn.features import IdEmbeddings
from tagger.nn.heads import HeadNetwork
from tagger.text.sentence import Label, Sentence


class VowelsConfig(AnyFeatureConfig):
    kind: Literal["vowels"] = "vowels"
    dimension: int = 4


class Vowels(TypeFeature[VowelsConfig]):
    @property
    def width(self) -> int:
        return self.config.dimension

    def build(self) -> nn.Module:
        return IdEmbeddings([10], self.config.dimension)

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {"table.weight": (10, self.config.dimension)}

    def ids(self, words: Sequence[str]) -> Any:
        return np.array([[min(9, sum(letter in "aeiou" for letter in word))] for word in words]).reshape(-1, 1)


class TwoColumns(Vowels):
    def ids(self, words: Sequence[str]) -> Any:
        return np.repeat(super().ids(words), 2, 1)


class OtherWidth(Vowels):
    width = 7  # type: ignore[assignment]


class OtherShapes(Vowels):
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {"table.weight": (11, 4)}


class OtherNames(Vowels):
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {"x": (10, 4)}


class Forgotten(Vowels):
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {}


class OutOfRange(Vowels):
    def ids(self, words: Sequence[str]) -> Any:
        return super().ids(words) + 50


class Floats(Vowels):
    def ids(self, words: Sequence[str]) -> Any:
        return super().ids(words) * 0.5


class OneDimension(Vowels):
    def ids(self, words: Sequence[str]) -> Any:
        return super().ids(words)[:, 0]


class TooFew(Vowels):
    def ids(self, words: Sequence[str]) -> Any:
        return super().ids(words)[:-1]


class Lists(Vowels):
    def ids(self, words: Sequence[str]) -> Any:
        return super().ids(words).tolist()


class OtherEachTime(Vowels):
    calls = 0

    def ids(self, words: Sequence[str]) -> Any:
        OtherEachTime.calls += 1
        return super().ids(words) * 0 + OtherEachTime.calls % 10


class Outside(Vowels):
    suffix = "../evil"


class Lengths(TokenFeature[VowelsConfig]):
    """The length of each word, and what is made of it."""

    width = 1  # type: ignore[assignment]

    def build(self) -> nn.Module:
        return nn.Identity()

    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        return {}

    def arrays(self, passages: Sequence[Passage]) -> Any:
        return np.array([[len(token)] for passage in passages for token in passage.tokens], np.float32)


class Centred(nn.Module):
    def forward(self, numbers: Tensor) -> Tensor:
        return numbers - numbers.mean(1, keepdim=True)


class KnowsPadding(Lengths):
    def build(self) -> nn.Module:
        return Centred()


def with_feature(kind: Any) -> Network:
    feature = kind("v", VowelsConfig())
    heads = {"upos": TokensHeadConfig(kind="tokens", layer="upos", scheme="none")}
    return build(heads, {"v": feature})


def build(heads: Mapping[str, AnyHeadConfig], features: Mapping[str, Any]) -> Network:
    config = ModelConfig.model_construct(
        embeddings=EmbeddingsConfig(dimension=4, char_hidden=4),
        encoder=EncoderConfig(hidden_size=4),
        heads=dict(heads),
        vector_dimension=4,
        feature_widths={name: feature.width for name, feature in features.items()},
    )
    return build_network(generated_vocabulary(10, "upos", "sentiment"), config, features=features)


@pytest.mark.parametrize("kind", [Vowels, Lengths])
def test_a_right_feature_is_built_in_training(kind: Any) -> None:
    assert all(module.training for module in with_feature(kind).modules())


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (TwoColumns, r"must return `width` = 4 numbers per word, .*\(\d+, 4\), got float32 of shape \(\d+, 8\)"),
        (OtherWidth, r"must return `width` = 7 numbers per word, .*\(\d+, 7\), got float32 of shape \(\d+, 4\)"),
        (OtherShapes, r"must have the parameters that `shapes` returns, .*\(11, 4\).*, got .*\(10, 4\)"),
        (OtherNames, "must have the parameters that `shapes` returns"),
        (Forgotten, "must have the parameters that `shapes` returns"),
        (OutOfRange, "raised IndexError: index out of range"),
        (Floats, r"must return an array of whole numbers of shape \(\d+, k\) from `ids`, got float64"),
        (OneDimension, r"must return an array of whole numbers of shape \((\d+), k\) from `ids`, got .* \(\1,\)"),
        (TooFew, "must return an array of whole numbers"),
        (Lists, r"must return an array of whole numbers of .*, got \[\["),
        (Outside, "must have a `suffix` of letters and digits, got '../evil'"),
        (OtherEachTime, "must return the same numbers for the same words"),
        (KnowsPadding, "must return numbers of each word that .* depend on the number of later tokens"),
    ],
)
def test_a_wrong_feature_is_refused_when_the_network_is_built(kind: Any, message: str) -> None:
    with pytest.raises((RecipeError, ModelError), match=f"^features.v: the feature `vowels` {message}"):
        with_feature(kind)


def test_ids_of_a_feature_are_checked_whenever_they_are_computed() -> None:
    with pytest.raises(
        ModelError, match=r"features.v: the feature `vowels` must .* \(1, k\) from `ids`, got .* \(0, 1\)"
    ):
        type_arrays({"v": TooFew("v", VowelsConfig())}, ["Oslo"])


@pytest.mark.parametrize("dimension", [0, -1])
def test_a_feature_without_width_is_refused_before_training(dimension: int) -> None:
    register(Feature("vowels", VowelsConfig, Vowels))
    given = Given(Path(), pack([Sentence.from_tokens(["Ada"])]), print, "cpu")
    with pytest.raises(RecipeError, match=f"features.v: must have a width of 1 or more, got {dimension}"):
        prepare_features({"v": VowelsConfig(dimension=dimension)}, given)


# Heads


class StarsConfig(AnyHeadConfig):
    kind: Literal["stars"] = "stars"


class StarsOutput(NamedTuple):
    stars: Tensor


class StarsNetwork(HeadNetwork):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, 1)

    def loss(self, states: Tensor, mask: Tensor, targets: Tensor, /) -> Tensor:
        return ((self(states, mask).stars - targets) ** 2).mean()

    def forward(self, states: Tensor, mask: Tensor, *, n_best: int = 0) -> Any:
        return StarsOutput(self.linear(states.masked_fill(~mask.unsqueeze(2), 0).sum(1)).squeeze(1))


class VectorLoss(StarsNetwork):
    def loss(self, states: Tensor, mask: Tensor, targets: Tensor, /) -> Tensor:
        return (self(states, mask).stars - targets) ** 2


class NotANumber(StarsNetwork):
    def loss(self, states: Tensor, mask: Tensor, targets: Tensor, /) -> Tensor:
        return super().loss(states, mask, targets) * float("nan")


class NoTuple(StarsNetwork):
    def forward(self, states: Tensor, mask: Tensor, *, n_best: int = 0) -> Any:
        return super().forward(states, mask).stars

    def loss(self, states: Tensor, mask: Tensor, targets: Tensor, /) -> Tensor:
        return self.linear.weight.sum()


class ReadsPadding(StarsNetwork):
    def forward(self, states: Tensor, mask: Tensor, *, n_best: int = 0) -> Any:
        return StarsOutput(self.linear(states.mean(1)).squeeze(1))


class StarsHead(HeadBase[Any, Any, Any]):
    layer_type, answer, task = Label, "one label per sentence", "labels"
    network: Any = StarsNetwork
    weight: tuple[int, ...] = (1, 8)

    def labels(self, sentence: Sentence) -> Sequence[str]:
        return (sentence.label(self.layer).value,)

    def build(self, labels: Sequence[str], encoder: Any) -> Any:
        return self.network(encoder.output_size)

    def shapes(self, num_labels: int, widths: Any) -> Mapping[str, tuple[int, ...]]:
        return {"linear.weight": self.weight, "linear.bias": (1,)}

    def layers(self, arrays: Any, names: Any, lengths: Any, shown: Any) -> Any:
        for number in arrays["stars"].tolist():
            yield Label(str(number))

    def scored(self, gold: Any, predicted: Any) -> Any:
        return ClassLayer(self.layer, tuple(gold), tuple(predicted))


def with_head(**attributes: Any) -> Network:
    register(Head("stars", StarsConfig, type("Own", (StarsHead,), attributes)))
    return build({"sentiment": StarsConfig(layer="sentiment")}, {})


def test_a_right_head_is_built_in_training() -> None:
    assert all(module.training for module in with_head().modules())


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"weight": (2, 8)}, r"must have the parameters that `shapes` returns, .*\(2, 8\).*, got .*\(1, 8\)"),
        ({"network": lambda _, width: StarsNetwork(width).double()}, "must have float32 weights alone"),
        ({"network": lambda _, width: 5}, "must make a torch.nn.Module, got 5"),
        ({"network": lambda _, width: float("many")}, "raised ValueError: could not convert string to float: 'many'"),
        ({"network": VectorLoss}, r"must have a loss that is one number, got float32 of shape \(3,\)"),
        ({"network": NotANumber}, "must have a loss that is one number, got .* or NaN"),
        ({"network": NoTuple}, "must return a named tuple of tensors, got tensor"),
        ({"network": ReadsPadding}, "must not depend on padding, but its `loss` does"),
    ],
)
def test_a_wrong_head_is_refused_when_the_network_is_built(attributes: Any, message: str) -> None:
    with pytest.raises(RecipeError, match=f"^heads.sentiment: the head `stars` {message}"):
        with_head(**attributes)


def test_the_checks_draw_no_random_number() -> None:
    with_head()
    torch.manual_seed(1)
    build({"sentiment": StarsConfig(layer="sentiment")}, {})
    with_checks = torch.rand(1)
    torch.manual_seed(1)
    build({}, {})
    nn.Linear(8, 1)
    assert torch.equal(torch.rand(1), with_checks)
