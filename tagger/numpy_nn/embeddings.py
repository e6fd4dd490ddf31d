"""Vectors of word forms: word vectors and character vectors; see `nn/embeddings.py`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.numpy_nn.encoder import Floats, Inputs, RecurrentEncoder, Weights
from tagger.numpy_nn.packing import Ids, packing_of


class WordVectors:
    """A vector for each word id: the first ids have trained rows, the others frozen ones.

    Args:
        weights: `weight`, the trained rows, and `frozen`, float16, of which only the rows that are needed are read.
            Quantised rows have 8 bits for each number, and `exponents` has the exponent of each word.
    """

    def __init__(self, weights: Weights) -> None:
        self.weight: NDArray[Any] = weights["weight"]
        self.frozen: NDArray[Any] = weights["frozen"]
        self.exponents: NDArray[Any] | None = weights.get("exponents")
        self.output_size = self.weight.shape[1]

    def __call__(self, word_ids: Ids) -> Floats:
        """Return the vector of each word, of shape (types, embedding)."""
        number = len(self.weight)
        trained = word_ids < number
        vectors = np.empty((len(word_ids), self.output_size), np.float32)
        vectors[trained] = self.weight[word_ids[trained]]
        vectors[~trained] = self.frozen[word_ids[~trained] - number]
        if self.exponents is not None:
            vectors = np.ldexp(vectors, self.exponents[word_ids].astype(np.int32)[:, None])
        return vectors


class CharCNN:
    """A vector for each word: the largest response of each filter over the word's characters.

    A filter is a sum over the places that it covers, and what a character adds to it at a place is computed once for
    each character of the vocabulary. A response is then a sum of rows of these tables.

    Args:
        weights: Those of `embedding` and `filters`.
    """

    def __init__(self, weights: Weights) -> None:
        embedding, filters = weights["embedding.weight"], weights["filters.weight"]
        self.width, self.output_size = filters.shape[1] // embedding.shape[1], len(filters)
        self.tables = [embedding @ part.T for part in np.split(filters, self.width, axis=1)]  # (chars, hidden) each
        self.tables[0] = self.tables[0] + weights["filters.bias"]

    def __call__(self, char_ids: Ids, char_lengths: Ids) -> Floats:
        """Return the vector of each word, of shape (types, hidden), from the characters of all words."""
        if not len(char_lengths):
            return np.empty((0, self.output_size), np.float32)
        margin = self.width // 2
        words = np.repeat(np.arange(len(char_lengths)), char_lengths)  # (chars,): the word of each character
        places = np.arange(len(char_ids)) + margin * (words + 1)
        row = np.zeros(len(char_ids) + margin * (len(char_lengths) + 1), char_ids.dtype)
        row[places] = char_ids
        responses = np.zeros((len(char_ids), self.output_size), np.float32)
        for table, shift in zip(self.tables, range(-margin, margin + 1), strict=True):
            responses += table[row[places + shift]]
        return np.maximum.reduceat(responses, np.cumsum(char_lengths) - char_lengths, axis=0)


class CharLSTM:
    """A vector for each word: the final states of a bidirectional LSTM over its characters.

    Args:
        weights: Those of `embedding` and `encoder`.
    """

    def __init__(self, weights: Weights) -> None:
        encoder = {name.removeprefix("encoder."): value for name, value in weights.items()}
        self.encoder = RecurrentEncoder(encoder)
        self.products = self.encoder.products(weights["embedding.weight"])
        self.output_size = self.encoder.output_size

    def __call__(self, char_ids: Ids, char_lengths: Ids) -> Floats:
        """Return the vector of each word, of shape (types, hidden), from the characters of all words."""
        packing = packing_of(char_lengths)
        ids = np.empty_like(char_ids)
        ids[packing.places[packing.mask]] = char_ids
        states = self.encoder(Inputs(ids, products=self.products), packing)
        half, words = self.encoder.forward_size, np.arange(len(char_lengths))
        last = states[packing.places[words, char_lengths - 1], :half]
        return np.concatenate((last, states[packing.places[:, 0], half:]), axis=1)
