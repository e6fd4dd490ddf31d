"""The network: embeddings of distinct words and of tokens, then the encoder, then the heads.

`Network.states` and `Network.forward` show the way of a batch. The network knows ids only; their names belong to the
model.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tagger.config import EmbeddingsConfig
from tagger.encoding.batches import Batch
from tagger.encoding.vocabulary import FIRST_CHAR, UNKNOWN, Vectors, Vocabulary
from tagger.features.feature import TokenFeature, TypeFeature
from tagger.features.table import Features, total_width
from tagger.heads.table import heads_of
from tagger.model.config import ModelConfig
from tagger.model.model import Model
from tagger.model.own_parts import feature_part, head_part
from tagger.model.shapes import module_name
from tagger.nn.drawing import drawing
from tagger.nn.dropout import Dropout
from tagger.nn.embeddings import CharCNN, CharLSTM, WordVectors
from tagger.nn.encoder import RecurrentEncoder
from tagger.nn.heads import HeadNetwork
from tagger.nn.pretrained.transformer import FineTunedEncoder
from tagger.nn.side_by_side import one_torch_thread

NO_FEATURES: Mapping[str, Tensor] = {}
TYPES = 4096  # words that are computed at once when tagging: the numbers of all their characters take much memory


class TensorBatch(NamedTuple):
    """A batch on a device; shapes as in `Batch`."""

    word_ids: Tensor
    char_ids: Tensor
    char_lengths: Tensor
    type_ids: Tensor
    mask: Tensor
    targets: Mapping[str, Tensor]
    taught: Mapping[str, Tensor]
    features: Mapping[str, Tensor]
    type_features: Mapping[str, Tensor]


class Losses(NamedTuple):
    """The loss of each head against gold labels, and against its teacher; without heads that have none in a batch."""

    gold: Mapping[str, Tensor]
    taught: Mapping[str, Tensor]


def to_tensors(batch: Batch, device: torch.device) -> TensorBatch:
    """Return the arrays of a batch as tensors on a device."""
    mask = np.arange(batch.type_ids.shape[1]) < batch.lengths[:, None]
    word_ids, char_ids, char_lengths, type_ids, mask_ = (
        torch.from_numpy(array).to(device)
        for array in (batch.word_ids, batch.char_ids, batch.char_lengths, batch.type_ids, mask)
    )
    targets, taught, features, type_features = (
        {name: torch.from_numpy(array).to(device) for name, array in named.items()}
        for named in (batch.targets, batch.taught, batch.features, batch.type_features)
    )
    return TensorBatch(word_ids, char_ids, char_lengths, type_ids, mask_, targets, taught, features, type_features)


class Network(nn.Module):
    """Embeddings, encoder and heads of one model.

    Embeddings of types are computed once for each distinct word of a batch, those of tokens at each token.

    Args:
        words: Embeds each word.
        chars: Embeds the characters of each word; optional.
        types: Embeds the features of words, by the name of the feature: maps ids (types, k) to (types, embedding).
        tokens: Embeds the features of tokens, by the name of the feature: maps (batch, tokens, k) to (batch, tokens,
            embedding).
        encoder: Reads the sentence.
        heads: By the layer that each predicts.
        dropout: Probability of dropping each feature before the encoder.
        word_dropout: Probability of replacing the vector of a distinct word of a batch with that of unknown words.
        state_dropout: Probability of dropping each feature between the encoder and the heads.
    """

    def __init__(
        self,
        *,
        words: WordVectors,
        chars: CharCNN | CharLSTM | None,
        encoder: RecurrentEncoder,
        heads: Mapping[str, HeadNetwork],
        dropout: float,
        word_dropout: float,
        state_dropout: float,
        types: Mapping[str, nn.Module] | None = None,
        tokens: Mapping[str, nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.words = words
        self.chars = chars
        self.encoder = encoder
        self.heads = dict(heads)
        for layer, head in heads.items():
            self.add_module(module_name("head", layer), head)
        self.types, self.tokens = dict(types or {}), dict(tokens or {})
        for name, embedding in (self.types | self.tokens).items():
            self.add_module(module_name("feature", name), embedding)
        self.dropout = Dropout(dropout)
        self.word_dropout = word_dropout
        self.generator: torch.Generator | None = None
        self.state_dropout = Dropout(state_dropout)

    def set_temperatures(self, temperatures: Mapping[str, float]) -> None:
        """Set the temperatures that divide the class scores of these layers."""
        for layer, temperature in temperatures.items():
            self.heads[layer].temperature = temperature

    def draw_from(self, generator: torch.Generator) -> None:
        """Take the random numbers of training from a generator on the device of the network."""
        for module in self.modules():
            if isinstance(module, Network | Dropout | FineTunedEncoder):
                module.generator = generator

    @property
    def device(self) -> torch.device:
        """Return the device of the parameters."""
        return self.words.weight.device

    def type_vectors(
        self,
        word_ids: Tensor,
        char_ids: Tensor,
        char_lengths: Tensor,
        features: Mapping[str, Tensor] = NO_FEATURES,
    ) -> Tensor:
        """Return the vector of each distinct word, of shape (types, embedding)."""
        if len(word_ids) > TYPES and not self.training:
            words, lengths = word_ids.split(TYPES), char_lengths.split(TYPES)
            chars = char_ids.split([int(part.sum()) for part in lengths])
            known = [
                {name: ids[i : i + TYPES] for name, ids in features.items()} for i in range(0, len(word_ids), TYPES)
            ]
            return torch.cat([self.type_vectors(*part) for part in zip(words, chars, lengths, known, strict=True)])
        if self.training and self.word_dropout:
            dropped = torch.rand(word_ids.shape, device=word_ids.device, generator=self.generator) < self.word_dropout
            word_ids = word_ids.masked_fill(dropped, UNKNOWN)
        parts = [self.words(word_ids)]
        if self.chars is not None:
            parts.append(self.chars(char_ids, char_lengths))
        parts += [embedding(features[name]) for name, embedding in self.types.items()]
        return torch.cat(parts, 1)

    def states(self, batch: TensorBatch, type_vectors: Tensor | None = None) -> Tensor:
        """Return the state of each token, of shape (batch, tokens, hidden); unspecified at padding.

        `type_vectors` are the vectors of the distinct words of the batch, if they are already known.
        """
        if type_vectors is None:
            type_vectors = self.type_vectors(batch.word_ids, batch.char_ids, batch.char_lengths, batch.type_features)
        parts = [F.embedding(batch.type_ids, type_vectors)]  # (batch, tokens, embedding)
        parts += [embedding(batch.features[name]) for name, embedding in self.tokens.items()]
        vectors = self.dropout(torch.cat(parts, 2) if len(parts) > 1 else parts[0])
        states = self.encoder(vectors.to(self.encoder.dtype), batch.mask)
        dropped: Tensor = self.state_dropout(states.to(vectors.dtype))
        return dropped

    def losses(self, batch: TensorBatch) -> Losses:
        """Return the losses of each head on the sentences that have its layer, from gold labels or from its teacher."""
        states = self.states(batch)
        return Losses(*(self._losses(states, batch.mask, targets) for targets in (batch.targets, batch.taught)))

    def counts(self, batch: TensorBatch) -> Losses:
        """Return what each loss of `losses` is a mean over; 0 for those that the batch does not have."""
        return Losses(*(self._counts(batch.mask, targets) for targets in (batch.targets, batch.taught)))

    def _counts(self, mask: Tensor, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        found = {}
        for layer, head in self.heads.items():
            rows = head.have_targets(targets[layer]) if layer in targets else mask.new_zeros(len(mask))
            found[layer] = (
                head.count(mask[rows], targets[layer][rows]) if bool(rows.any()) else mask.new_zeros(()).long()
            )
        return found

    def _losses(self, states: Tensor, mask: Tensor, targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
        losses = {}
        for layer, head in self.heads.items():
            target = targets.get(layer)
            if target is None:
                continue
            rows = head.have_targets(target)  # (batch,)
            if bool(rows.all()):
                losses[layer] = head.loss(states, mask, target)
            elif bool(rows.any()):
                losses[layer] = head.loss(states[rows], mask[rows], target[rows])
        return losses

    def forward(self, batch: TensorBatch, type_vectors: Tensor | None = None, *, n_best: int = 0) -> dict[str, Any]:
        """Return the output of each head, with `n_best` readings of each sentence from heads that have readings."""
        states = self.states(batch, type_vectors)
        return {layer: head(states, batch.mask, n_best=n_best) for layer, head in self.heads.items()}

    def marginals(self, batch: TensorBatch) -> dict[str, Tensor]:
        """Return the probability of each tag at each token, of shape (batch, tokens, tags), for each tag layer."""
        states = self.states(batch)
        found = {layer: head.marginals(states, batch.mask) for layer, head in self.heads.items()}
        return {layer: marginals for layer, marginals in found.items() if marginals is not None}


@dataclass(frozen=True)
class TorchModel(Model):
    """A model with its network in torch.

    Args:
        network: Computes what the model predicts.
    """

    network: Network


def build_network(
    vocabulary: Vocabulary,
    config: ModelConfig,
    *,
    features: Features | None = None,
    vectors: Vectors | None = None,
    seed: int | None = None,
    device: str | torch.device | None = None,
) -> Network:
    """Return a network with fresh weights.

    Args:
        vocabulary: The names of words, characters and labels.
        config: The sizes of the network.
        features: What else the network reads of words and sentences, by name.
        vectors: Pretrained vectors.
        seed: Determines the weights and what is drawn in training, whatever other threads draw. Default: they come
            from torch's global generator.
        device: Where the network runs. Default: torch's default device.
    """
    with drawing(), one_torch_thread():  # LAPACK rounds the orthogonal weights differently with more
        if seed is not None:
            torch.manual_seed(seed)
        network = _new_network(vocabulary, config, features or {}, vectors)
        if device is not None:
            network.to(device)
        if seed is not None:
            generator = torch.Generator(network.device).manual_seed(seed)
            if network.device.type == "cpu":
                generator.set_state(torch.get_rng_state())  # goes on behind the weights
            network.draw_from(generator)
    return network


def _new_network(vocabulary: Vocabulary, config: ModelConfig, features: Features, vectors: Vectors | None) -> Network:
    embeddings, encoder = config.embeddings, config.encoder
    words = _word_vectors(vocabulary, vectors, config)
    chars = _chars(embeddings, len(vocabulary.chars) + FIRST_CHAR)
    recurrent = RecurrentEncoder(
        input_size=words.output_size + (chars.output_size if chars else 0) + total_width(features),
        hidden_size=encoder.hidden_size,
        cell=encoder.cell,
        layers=encoder.layers,
        bidirectional=encoder.bidirectional,
        merge=encoder.merge,
        dropout=encoder.dropout,
        stride=encoder.stride,
    )
    heads = {
        layer: head_part(head, vocabulary.labels[layer], recurrent, config.widths)
        for layer, head in heads_of(config.heads).items()
    }
    parts = {name: feature_part(feature, vocabulary.words) for name, feature in features.items()}
    return Network(
        words=words,
        chars=chars,
        encoder=recurrent,
        heads=heads,
        dropout=embeddings.dropout,
        word_dropout=embeddings.word_dropout,
        state_dropout=encoder.dropout,
        types={name: part for name, part in parts.items() if isinstance(features[name], TypeFeature)},
        tokens={name: part for name, part in parts.items() if isinstance(features[name], TokenFeature)},
    )


def _word_vectors(vocabulary: Vocabulary, vectors: Vectors | None, config: ModelConfig) -> WordVectors:
    """Return a vector for each word id; trained ones start small and random, or as their pretrained vector."""
    dimension, quantized = config.vector_dimension, config.embeddings.quantize
    trainable, total = vocabulary.num_trainable, len(vocabulary.words) + 1
    if vectors is None:
        bound = (3 / max(dimension, 1)) ** 0.5
        frozen = torch.zeros(total - trainable, dimension, dtype=torch.float16)
        return WordVectors(torch.empty(trainable, dimension).uniform_(-bound, bound), frozen, quantized=quantized)
    index = {word: row for row, word in enumerate(vectors.words, 1)}
    padded = np.concatenate([np.zeros((1, vectors.dimension), np.float16), vectors.matrix])
    table = torch.from_numpy(padded[[0, *(index.get(word, 0) for word in vocabulary.words)]])
    return WordVectors(table[:trainable].float(), table[trainable:], quantized=quantized)


def _chars(config: EmbeddingsConfig, num_chars: int) -> CharCNN | CharLSTM | None:
    if config.chars == "none":
        return None
    kind = CharCNN if config.chars == "cnn" else CharLSTM
    return kind(num_chars=num_chars, dimension=config.char_dimension, hidden_size=config.char_hidden)
