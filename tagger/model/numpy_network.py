"""The network of a model in NumPy: embeddings of distinct words, then the encoder, then the heads.

It mirrors the network of torch in `network.py`, for tagging alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.vocabulary import Vocabulary
from tagger.features.feature import TypeFeature
from tagger.features.table import Features
from tagger.heads.table import heads_of
from tagger.model.config import ModelConfig
from tagger.model.model import Model
from tagger.model.shapes import module_name, part_of
from tagger.numpy_nn.embeddings import CharCNN, CharLSTM, WordVectors
from tagger.numpy_nn.encoder import Floats, Inputs, RecurrentEncoder
from tagger.numpy_nn.heads import HeadNetwork
from tagger.numpy_nn.packing import Ids, Packing

Arrays = Mapping[str, NDArray[Any]]
Embedding = Callable[[NDArray[Any]], Floats]
TYPES = 4096  # words that are computed at once: the numbers of all their characters take much memory


class NumpyNetwork:
    """Embeddings, encoder and heads of one model.

    Args:
        words: Embeds each word.
        chars: Embeds the characters of each word; optional.
        encoder: Reads the sentence.
        heads: By the layer that each predicts.
        types: Embeds the features of words, by the name of the feature.
        tokens: Embeds the features of tokens, by the name of the feature.
    """

    def __init__(
        self,
        *,
        words: WordVectors,
        chars: CharCNN | CharLSTM | None,
        encoder: RecurrentEncoder,
        heads: Mapping[str, HeadNetwork],
        types: Mapping[str, Embedding],
        tokens: Mapping[str, Embedding],
    ) -> None:
        self.words = words
        self.chars = chars
        self.encoder = encoder
        self.heads = heads
        self.types = types
        self.tokens = tokens

    def type_vectors(self, word_ids: Ids, char_ids: Ids, char_lengths: Ids, features: Mapping[str, Ids]) -> Floats:
        """Return the vector of each distinct word, of shape (types, embedding)."""
        parts = [self.words(word_ids)]
        if self.chars is not None:
            parts.append(self._char_vectors(self.chars, char_ids, char_lengths))
        parts += [embedding(features[name]) for name, embedding in self.types.items()]
        return np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]

    def _char_vectors(self, network: CharCNN | CharLSTM, char_ids: Ids, char_lengths: Ids) -> Floats:
        vectors = np.empty((len(char_lengths), network.output_size), np.float32)
        ends = np.cumsum(char_lengths)
        for first in range(0, len(char_lengths), TYPES):
            lengths = char_lengths[first : first + TYPES]
            chars = char_ids[ends[first] - lengths[0] : ends[first + len(lengths) - 1]]
            vectors[first : first + TYPES] = network(chars, lengths)
        return vectors

    def __call__(self, inputs: Inputs, packing: Packing, *, n_best: int = 0) -> dict[str, Any]:
        """Return the output of each head, with `n_best` readings of each sentence from heads that have readings."""
        states = self.encoder(inputs, packing)
        return {layer: head(states, packing, n_best=n_best) for layer, head in self.heads.items()}

    def marginals(self, inputs: Inputs, packing: Packing) -> dict[str, Floats]:
        """Return the probability of each tag at each token, of shape (batch, tokens, tags), for each tag layer."""
        states = self.encoder(inputs, packing)
        found = {layer: head.marginals(states, packing) for layer, head in self.heads.items()}
        return {layer: marginals for layer, marginals in found.items() if marginals is not None}


@dataclass(frozen=True)
class NumpyModel(Model):
    """A model with its network in NumPy.

    Args:
        network: Computes what the model predicts.
        weights: What the network was made of, by their names in the file.
    """

    network: NumpyNetwork = field(repr=False)
    weights: Arrays = field(repr=False)


def numpy_network(
    vocabulary: Vocabulary, config: ModelConfig, weights: Arrays, features: Features | None = None
) -> NumpyNetwork:
    """Return the network with these weights, by their names in the file of a model.

    Raises:
        ModelError: One of the features, the cell or a head needs torch.
    """
    config.check_cell("numpy")
    embeddings, encoder = config.embeddings, config.encoder
    built = {
        name: (isinstance(feature, TypeFeature), feature.build_numpy(part_of(weights, module_name("feature", name))))
        for name, feature in (features or {}).items()
    }
    kinds: Mapping[str, type[CharCNN | CharLSTM]] = {"cnn": CharCNN, "lstm": CharLSTM}
    return NumpyNetwork(
        words=WordVectors(part_of(weights, "words")),
        chars=None if embeddings.chars == "none" else kinds[embeddings.chars](part_of(weights, "chars")),
        encoder=RecurrentEncoder(
            part_of(weights, "encoder"),
            cell=encoder.cell,
            layers=encoder.layers,
            bidirectional=encoder.bidirectional,
            merge=encoder.merge,
            stride=encoder.stride,
        ),
        heads=numpy_heads(vocabulary, config, weights),
        types={name: embedding for name, (of_types, embedding) in built.items() if of_types},
        tokens={name: embedding for name, (of_types, embedding) in built.items() if not of_types},
    )


def numpy_heads(vocabulary: Vocabulary, config: ModelConfig, weights: Arrays) -> dict[str, HeadNetwork]:
    """Return the networks of the heads by layer, with these weights, by their names in the file of a model."""
    heads = {
        layer: head.build_numpy(vocabulary.labels[layer], part_of(weights, module_name("head", layer)), config.widths)
        for layer, head in heads_of(config.heads).items()
    }
    for layer, temperature in config.temperatures.items():
        heads[layer].temperature = temperature
    return heads
