"""The widths of a network, which follow from its recipe."""

from collections.abc import Sequence
from typing import NamedTuple

from tagger.config.recipe import EmbeddingsConfig, EncoderConfig


class Widths(NamedTuple):
    """The numbers of features in a network.

    Args:
        chars: Of the characters of a word; 0 without them.
        forward: Of the states of one direction.
        states: Of the states of all directions, side by side.
        output: Of a state that the heads read.
        inputs: Of the input of each layer of the encoder.
    """

    chars: int
    forward: int
    states: int
    output: int
    inputs: Sequence[int]


def widths_of(embeddings: EmbeddingsConfig, encoder: EncoderConfig, vector_dimension: int, features: int = 0) -> Widths:
    """Return the widths of a network, given those of a word vector and of all features of a token together."""
    half = (embeddings.char_hidden + 1) // 2  # of an LSTM over characters, which has two directions
    chars = {"none": 0, "cnn": embeddings.char_hidden, "lstm": 2 * half}[embeddings.chars]
    forward = encoder.hidden_size
    states = forward * (2 if encoder.bidirectional else 1)
    output = states if encoder.merge == "concat" else forward
    return Widths(
        chars, forward, states, output, [vector_dimension + chars + features, *[output] * (encoder.layers - 1)]
    )
