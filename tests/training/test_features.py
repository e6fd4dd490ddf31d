"""Features of tokens, whatever they represent, go through training and prediction like words."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from untrained import config_of

from tagger.config import AnyFeatureConfig, TokensHeadConfig, TrainingConfig
from tagger.encoding.batches import EncodedSentences, encode
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import Vocabulary, build_vocabulary
from tagger.features.feature import TokenFeature
from tagger.features.passages import Passage
from tagger.inference.predict import predict
from tagger.inference.torch_backend import TorchBackend
from tagger.model.network import Network, TorchModel, to_tensors
from tagger.nn.embeddings import WordVectors
from tagger.nn.encoder import RecurrentEncoder
from tagger.nn.heads import TokensHead
from tagger.text.sentence import Sentence, TagLayer
from tagger.training.loop import train_network
from tagger.training.task import Task

SENSOR, AUDIO = 3, 7  # numbers per token


class Given(TokenFeature[AnyFeatureConfig]):
    """Numbers that were measured, of all tokens in their order."""

    width = 0

    def __init__(self, name: str, config: AnyFeatureConfig, values: np.ndarray) -> None:
        super().__init__(name, config)
        self.values = values

    def arrays(self, passages: Sequence[Passage]) -> np.ndarray:
        assert sum(len(passage.tokens) for passage in passages) == len(self.values)
        return self.values

    def build(self) -> nn.Module:
        raise NotImplementedError

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {}


def make_encoded() -> EncodedSentences:
    """Return sentences of one word whose tags depend only on the sign of a sensor value."""
    rng = np.random.default_rng(1)
    values = [rng.normal(size=(rng.integers(2, 9), SENSOR)).astype(np.float32) for _ in range(60)]
    sentences = [
        Sentence.from_tokens(
            ["x"] * len(rows), {"state": TagLayer(tuple("on" if row[1] > 0 else "off" for row in rows))}
        )
        for rows in values
    ]
    packed = pack(sentences)
    encoded = encode(packed, build_vocabulary(packed, layers={"state": None}), {"state": None})
    tokens = len(encoded.type_ids)
    features = {"sensor": np.concatenate(values), "audio.frames": rng.normal(size=(tokens, AUDIO)).astype(np.float32)}
    return replace(encoded, features=features)


def make_network() -> Network:
    torch.manual_seed(1)
    words = WordVectors(torch.zeros(2, 4), torch.zeros(0, 4, dtype=torch.float16))
    encoder = RecurrentEncoder(input_size=4 + SENSOR + 5, hidden_size=8, cell="lstm", layers=1, bidirectional=True)
    return Network(
        words=words,
        chars=None,
        tokens={"sensor": nn.Identity(), "audio.frames": nn.Linear(AUDIO, 5)},
        encoder=encoder,
        heads={"state": TokensHead(input_size=encoder.output_size, num_tags=2)},
        dropout=0.0,
        word_dropout=0.0,
        state_dropout=0.0,
    )


def predicted(network: Network, encoded: EncodedSentences) -> list[str]:
    """The tags of all sentences, which go the way of every prediction."""
    sentences = [Sentence.from_tokens(["x"] * length) for length in encoded.lengths]
    config = config_of({"state": TokensHeadConfig(kind="tokens", scheme="none")})
    vocabulary = Vocabulary(["x"], ["x"], {"state": ["off", "on"]}, num_trainable=2)
    given = {name: Given(name, AnyFeatureConfig(kind="given"), values) for name, values in encoded.features.items()}
    backend = TorchBackend(TorchModel(config, vocabulary, None, network.eval(), features=given))
    found = predict(sentences, backend)
    return [tag for sentence in found for tag in sentence.tags("state")]


def accuracy(network: Network, encoded: EncodedSentences) -> float:
    gold = [("off", "on")[i] for i in encoded.tag_targets["state"]]
    return float(np.mean([tag == other for tag, other in zip(predicted(network, encoded), gold, strict=True)]))


@pytest.fixture(scope="module")
def trained() -> tuple[Network, EncodedSentences]:
    network, encoded = make_network(), make_encoded()
    config = TrainingConfig(epochs=12, batch_size=8, learning_rate=0.02, patience=12)

    def score() -> dict[str, float]:
        return {"state": accuracy(network, encoded)}

    task = Task(encoded, config, parts=[(60, 60)], head_weights={"state": 1.0}, seed=1)
    train_network(network, task, score=score)
    return network, encoded


def test_a_network_learns_what_only_features_say(trained: tuple[Network, EncodedSentences]) -> None:
    network, encoded = trained
    assert accuracy(network, encoded) > 0.95
    assert {"feature:audio%2Eframes.weight", "feature:audio%2Eframes.bias"} <= network.state_dict().keys()


def test_features_are_cut_into_batches_and_padded_as_words_are() -> None:
    encoded = make_encoded()
    rows = np.array([5, 0, 17])
    batch = encoded.batch(rows)
    for name, dimension in (("sensor", SENSOR), ("audio.frames", AUDIO)):
        values = batch.features[name]
        assert values.shape == (*batch.type_ids.shape, dimension)
        for found, row, length in zip(values, rows, batch.lengths, strict=True):
            start = encoded.starts[row]
            assert np.array_equal(found[:length], encoded.features[name][start : start + length])
            assert not found[length:].any()


def test_padding_of_features_changes_no_prediction(trained: tuple[Network, EncodedSentences]) -> None:
    network, encoded = trained
    together, device = encoded.batch(np.arange(20)), torch.device("cpu")
    with torch.no_grad():
        states = network.states(to_tensors(together, device))
        for row in range(20):
            alone = network.states(to_tensors(encoded.batch(np.array([row])), device))[0]
            torch.testing.assert_close(states[row, : len(alone)], alone)
