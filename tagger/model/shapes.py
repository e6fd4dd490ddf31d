"""The name, type and shape of every weight of a model."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from tagger.config import EmbeddingsConfig, EncoderConfig, Widths
from tagger.config.kinds import extension_of
from tagger.encoding.vocabulary import FIRST_CHAR, Vocabulary
from tagger.extensions import Cell, running
from tagger.features.table import Features
from tagger.heads.table import heads_of
from tagger.model.config import ModelConfig

V = TypeVar("V")
GATES = {"lstm": 4, "gru": 3, "rnn": 1}
LARGEST_WEIGHT = 1e6  # beyond, sums of products may overflow
LARGEST_NUMBER = 1e30  # of what is measured in train
CHAR_WIDTH = 3  # characters that a filter covers


class Form(NamedTuple):
    """Type and shape of a tensor."""

    dtype: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype} of shape {self.shape}"


def forms_of(config: ModelConfig, vocabulary: Vocabulary, features: Features) -> dict[str, Form]:
    """Return type and shape of each weight by its name."""
    widths = config.widths
    words, dimension = len(vocabulary.words) + 1, config.vector_dimension
    quantized = config.embeddings.quantize
    forms = {
        "words.weight": Form("int8" if quantized else "float32", (vocabulary.num_trainable, dimension)),
        "words.frozen": Form("int8" if quantized else "float16", (words - vocabulary.num_trainable, dimension)),
    }
    if quantized:
        forms["words.exponents"] = Form("int8", (words,))
    shapes = dict(_char_shapes(config.embeddings, len(vocabulary.chars) + FIRST_CHAR))
    for name, feature in features.items():
        shapes |= {f"{module_name('feature', name)}.{part}": shape for part, shape in feature.shapes().items()}
    shapes |= encoder_shapes(config.encoder, widths)
    for layer, head in heads_of(config.heads).items():
        found = head.shapes(len(vocabulary.labels[layer]), widths)
        shapes |= {f"{module_name('head', layer)}.{name}": shape for name, shape in found.items()}
    return forms | {name: Form("float32", shape) for name, shape in shapes.items()}


def encoder_shapes(encoder: EncoderConfig, widths: Widths) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight of the encoder by its name in the network."""
    own = extension_of(encoder, encoder.cell, Cell)
    if own is None:
        recurrent = (encoder.cell, widths.inputs, widths.forward)
        return dict(_recurrent_shapes("encoder", *recurrent, bidirectional=encoder.bidirectional))
    with running(f"encoder.cell: the cell `{own.name}`"):
        return {
            f"encoder.layers.{layer}.directions.{direction}.{name}": tuple(shape)
            for layer, width in enumerate(widths.inputs)
            for direction in range(2 if encoder.bidirectional else 1)
            for name, shape in own.module.shapes(width, widths.forward).items()
        }


def module_name(kind: str, name: str) -> str:
    """Return the name of a part among the weights; torch does not allow modules called `type` or `a.b`."""
    return f"{kind}:" + name.replace("%", "%25").replace(".", "%2E")


def part_of(weights: Mapping[str, V], part: str) -> dict[str, V]:
    """Return the weights of a part, by their names inside it."""
    return {name.removeprefix(f"{part}."): value for name, value in weights.items() if name.startswith(f"{part}.")}


def _char_shapes(config: EmbeddingsConfig, chars: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    dimension, hidden = config.char_dimension, config.char_hidden
    if config.chars != "none":
        yield "chars.embedding.weight", (chars, dimension)
    if config.chars == "cnn":
        yield "chars.filters.weight", (hidden, CHAR_WIDTH * dimension)
        yield "chars.filters.bias", (hidden,)
    if config.chars == "lstm":
        yield from _recurrent_shapes("chars.encoder", "lstm", [dimension], (hidden + 1) // 2, bidirectional=True)


def _recurrent_shapes(
    part: str, cell: str, inputs: Sequence[int], hidden: int, *, bidirectional: bool
) -> Iterator[tuple[str, tuple[int, ...]]]:
    gates = GATES[cell] * hidden
    for layer, width in enumerate(inputs):
        for suffix in ("", "_reverse") if bidirectional else ("",):
            for name, shape in (
                ("weight_ih", (gates, width)),
                ("weight_hh", (gates, hidden)),
                ("bias_ih", (gates,)),
                ("bias_hh", (gates,)),
            ):
                yield f"{part}.layers.{layer}.{name}_l0{suffix}", shape
