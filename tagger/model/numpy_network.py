"""The network of a model in NumPy: embeddings of distinct words, then the encoder, then the heads.

It mirrors the network of torch in `network.py`, for tagging alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.config import widths_of
from tagger.encoding.vocabulary import Vocabulary
from tagger.heads.table import heads_of
from tagger.model.config import ModelConfig
from tagger.model.files import TOKENIZER, model_folder, read_files
from tagger.model.model import Model, Source
from tagger.model.shapes import module_name, part_of
from tagger.model.tokenizer import check_table
from tagger.numpy_nn.embeddings import CharCNN, CharLSTM, WordVectors
from tagger.numpy_nn.encoder import Floats, Inputs, RecurrentEncoder
from tagger.numpy_nn.heads import HeadNetwork
from tagger.numpy_nn.packing import Ids, Packing

Arrays = Mapping[str, NDArray[Any]]
TYPES = 4096  # words that are computed at once: the numbers of all their characters take much memory


class NumpyNetwork:
    """Embeddings, encoder and heads of one model.

    Args:
        words: Embeds each word.
        chars: Embeds the characters of each word; optional.
        encoder: Reads the sentence.
        heads: By the layer that each predicts.
    """

    def __init__(
        self,
        *,
        words: WordVectors,
        chars: CharCNN | CharLSTM | None,
        encoder: RecurrentEncoder,
        heads: Mapping[str, HeadNetwork],
    ) -> None:
        self.words = words
        self.chars = chars
        self.encoder = encoder
        self.heads = heads

    def type_vectors(self, word_ids: Ids, char_ids: Ids, char_lengths: Ids) -> Floats:
        """Return the vector of each distinct word, of shape (types, embedding)."""
        if self.chars is None:
            return self.words(word_ids)
        vectors = np.empty((len(word_ids), self.words.output_size + self.chars.output_size), np.float32)
        vectors[:, : self.words.output_size] = self.words(word_ids)
        ends = np.cumsum(char_lengths)
        for first in range(0, len(word_ids), TYPES):
            lengths = char_lengths[first : first + TYPES]
            chars = char_ids[ends[first] - lengths[0] : ends[first + len(lengths) - 1]]
            vectors[first : first + TYPES, self.words.output_size :] = self.chars(chars, lengths)
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


def numpy_network(vocabulary: Vocabulary, config: ModelConfig, weights: Arrays) -> NumpyNetwork:
    """Return the network with these weights, by their names in the file of a model."""
    embeddings, encoder = config.embeddings, config.encoder
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
        ),
        heads=numpy_heads(vocabulary, config, weights),
    )


def numpy_heads(vocabulary: Vocabulary, config: ModelConfig, weights: Arrays) -> dict[str, HeadNetwork]:
    """Return the networks of the heads by layer, with these weights, by their names in the file of a model."""
    widths = widths_of(config.embeddings, config.encoder, config.vector_dimension)
    heads = {
        layer: head.build_numpy(vocabulary.labels[layer], part_of(weights, module_name("head", layer)), widths)
        for layer, head in heads_of(config.heads).items()
    }
    for layer, temperature in config.temperatures.items():
        heads[layer].temperature = temperature
    return heads


def load_numpy_model(path: str | Path, *, trusted: bool = False) -> NumpyModel:
    """Load the model of a run folder or of its `model/` folder.

    A large table of frozen word vectors stays in its file, which must not be changed in its place meanwhile. Training
    and `tagger` itself replace files as a whole, which does no harm.

    Raises:
        ModelError: The folder is missing, lacks a file, or has one that is damaged or of a newer format.
    """
    folder = model_folder(Path(path))
    config, vocabulary, rules, weights, digest = read_files(folder)
    check_table(rules, folder / TOKENIZER, trusted=trusted)
    # Small weights are copied, so that only the table of frozen vectors depends on the file.
    arrays = {name: array if name == "words.frozen" else array.copy() for name, array in weights.arrays().items()}
    network = numpy_network(vocabulary, config, arrays)
    source = Source(folder.resolve(), digest)
    return NumpyModel(config, vocabulary, source, network, arrays, rules=rules)
