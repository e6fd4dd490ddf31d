"""The network that all heads share: the sections [embeddings] and [encoder], and the widths that follow from them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, WithJsonSchema, model_validator

from tagger.config.kinds import known
from tagger.config.section import Count, Names, Positive, Section, Share, Size
from tagger.extensions import Cell

HOW_TO_TRAIN = {"vectors", "max_words", "min_count", "tune", "quantize", "dropout", "word_dropout"}


class EmbeddingsConfig(Section):
    """How to turn a word into a vector."""

    words: bool = True
    """Whether words have vectors. `false` is for sequences of numbers, whose steps are not words: then only `features`,
    and `chars` if given, describe a step."""

    vectors: Names = ()
    """Files of pretrained word vectors, in the text format of GloVe or word2vec, plain, gzip or zstd. The vectors of
    several files are concatenated. Paths are relative to the `--data` folder or, without `--data`, to the folder of the
    recipe. Default: word vectors are learned from train alone."""

    max_words: Positive | None = None
    """Number of words to read from each file of `vectors`, from the top. Default: all."""

    min_count: Count = 2
    """How often a word that is not in `vectors` must occur in train to have a vector of its own. Rarer words share the
    vector of unknown words; their characters are still read. With `vectors` and without `tune`, only words in `vectors`
    have one."""

    tune: bool = True
    """Whether the vectors of words in train are trained further. All other words keep their pretrained vectors."""

    quantize: bool = False
    """Whether to store each number of a word vector in 8 bits, scaled by a power of two for each word. The table of
    word vectors then takes at most half of the disk space. The network is trained with the rounded vectors."""

    dimension: Size = 100
    """Size of a word vector if there are no `vectors`."""

    chars: Literal["cnn", "lstm", "none"] = "cnn"
    """Network that reads the characters of a word: a convolution (`cnn`), a bidirectional LSTM (`lstm`), or none.
    Default: `cnn`, or `none` if `words` is `false`."""

    char_dimension: Size = 30
    """Size of a character vector."""

    char_hidden: Size = 50
    """Number of filters of the convolution, or hidden size of the LSTM in each direction."""

    dropout: Share = 0.5
    """Probability of dropping each feature of a token before the encoder, during training."""

    word_dropout: Share = 0.0
    """Probability of replacing the vector of a word by that of unknown words, during training. Characters stay."""

    @model_validator(mode="before")
    @classmethod
    def _without_words(cls, values: Any) -> Any:
        """Read no characters where there are no words, unless the recipe says so."""
        given = isinstance(values, dict) and values.get("words") is False
        return {"chars": "none", **values} if given else values

    @model_validator(mode="after")
    def _words_of_vectors(self) -> Self:
        for key in ("vectors", "quantize"):
            if getattr(self, key) and not self.words:
                raise ValueError(f"`{key}` needs word vectors, got `words = false`; remove one of the two")
        if self.max_words is not None and not self.vectors:
            raise ValueError("`max_words` is for `vectors` alone, got no `vectors`")
        return self


class EncoderConfig(Section):
    """The recurrent network that all heads share."""

    cell: Annotated[str, known(Cell), WithJsonSchema({"enum": Cell.built_in})] = "lstm"
    """Type of the recurrent cell, or the name of your own cell."""

    hidden_size: Size = 200
    """Number of features of a state in one direction."""

    layers: Annotated[int, Field(ge=1, le=100)] = 1
    """Number of recurrent layers."""

    bidirectional: bool = True
    """Whether to read the sentence in both directions. Models that read in one direction can tag word by word."""

    stride: Annotated[int, Field(ge=1, le=1000)] = 1
    """Number of tokens from each one that the encoder reads to the next, for long sequences of frames. A token between
    two of them gets the state of the one before it."""

    merge: Literal["concat", "sum", "mean"] = "concat"
    """How to join the states of the two directions."""

    dropout: Share = 0.5
    """Probability of dropping each feature between layers and between the encoder and the heads, during training."""


OF_NETWORK: dict[str, type[Section]] = {"embeddings": EmbeddingsConfig, "encoder": EncoderConfig}


def without_network(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a recipe without what a model in `start` decides: its network, but not how to train it."""
    kept = {name: {k: v for k, v in values.get(name, {}).items() if k in HOW_TO_TRAIN} for name in OF_NETWORK}
    return {**values, **kept}


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
