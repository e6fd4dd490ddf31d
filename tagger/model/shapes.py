"""The name, type and shape of every weight of a model, and the check of a file against them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import TypeVar

from tagger.config import EmbeddingsConfig
from tagger.encoding.vocabulary import FIRST_CHAR, Vocabulary
from tagger.errors import ModelError
from tagger.features.table import Features
from tagger.heads.table import heads_of
from tagger.model.config import ModelConfig
from tagger.model.weights import Form, Weights
from tagger.wording import shorten

V = TypeVar("V")
GATES = {"lstm": 4, "gru": 3, "rnn": 1}
LARGEST_WEIGHT = 1e6  # beyond, sums of products may overflow
SHOWN = 3  # tensors that an error names
CHAR_WIDTH = 3  # characters that a filter covers


def forms_of(config: ModelConfig, vocabulary: Vocabulary, features: Features) -> dict[str, Form]:
    """Return type and shape of each weight by its name."""
    widths = config.widths
    words, dimension = len(vocabulary.words) + 1, config.vector_dimension
    forms = {
        "words.weight": Form("float32", (vocabulary.num_trainable, dimension)),
        "words.frozen": Form("float16", (words - vocabulary.num_trainable, dimension)),
    }
    shapes = dict(_char_shapes(config.embeddings, len(vocabulary.chars) + FIRST_CHAR))
    for name, feature in features.items():
        shapes |= {f"{module_name('feature', name)}.{part}": shape for part, shape in feature.shapes().items()}
    encoder = config.encoder
    recurrent = (encoder.cell, widths.inputs, widths.forward)
    shapes |= _recurrent_shapes("encoder", *recurrent, bidirectional=encoder.bidirectional)
    for layer, head in heads_of(config.heads).items():
        found = head.shapes(len(vocabulary.labels[layer]), widths)
        shapes |= {f"{module_name('head', layer)}.{name}": shape for name, shape in found.items()}
    return forms | {name: Form("float32", shape) for name, shape in shapes.items()}


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


def check_weights(
    path: Path,
    weights: Weights,
    config: ModelConfig,
    vocabulary: Vocabulary,
    features: Features | None,
    *,
    part: str = "",
) -> None:
    """Refuse the weights of a file at a path that do not fit the model.

    Args:
        path: The file.
        weights: Its weights.
        config: The configuration of the model.
        vocabulary: Its vocabulary.
        features: Its features; None to leave out their weights.
        part: The start of the names of all weights that the file must have.

    Raises:
        ModelError: A tensor is missing, unknown or of another form, or has values that no network can have.
    """
    heads = heads_of(config.heads).items()
    fixed = {f"{module_name('head', layer)}.{name}" for layer, head in heads for name in head.fixed()}
    forms = forms_of(config, vocabulary, features or {}).items()
    expected = {name: form for name, form in forms if name.startswith(part)}
    if features is None:
        kept = {name: form for name, form in weights.forms.items() if not name.startswith(module_name("feature", ""))}
        weights = replace(weights, forms=kept)
    if problems := sorted(_problems(expected, weights, fixed)):
        more = f" and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise ModelError(
            f"{path}: the weights must fit config.json and vocabulary.json, but {'; '.join(problems[:SHOWN])}{more}; "
            "copy the folder again"
        )


def fewest_weights(config: ModelConfig, vocabulary: Vocabulary, features: Features) -> int:
    """Return the least number of weights that the sizes in a model's files need.

    A file with fewer is refused before memory is taken for sizes that a damaged file may name.
    Of all but features only matrices count, those of a recurrent cell once and not once for each gate.
    """
    chars, _, states, output, inputs = config.widths
    total = config.vector_dimension * (len(vocabulary.words) + 1)
    total += config.embeddings.char_dimension * (chars + len(vocabulary.chars)) if chars else 0
    total += sum(states * (size + config.encoder.hidden_size) for size in inputs)
    total += sum(prod(shape) for feature in features.values() for shape in feature.shapes().values())
    heads = heads_of(config.heads).items()
    return total + sum(head.num_weights(len(vocabulary.labels[layer]), output) for layer, head in heads)


def _problems(expected: Mapping[str, Form], weights: Weights, fixed: Collection[str]) -> Iterator[str]:
    """Yield what is wrong with the tensors of a file; `fixed` are those that no training changes from 0."""
    yield from (f"{shorten(name)} is missing" for name in expected.keys() - weights.forms.keys())
    for name, form in weights.forms.items():
        if name not in expected:
            yield f"{shorten(name)} is unknown"
        elif form != expected[name]:
            yield f"`{name}` must be {expected[name]}, got {form}"
        elif not weights.largest[name] <= LARGEST_WEIGHT:
            yield f"`{name}` must have finite values of at most {LARGEST_WEIGHT:,.0f}, got others"
        elif name in fixed and weights.largest[name]:
            yield f"`{name}` must have the values that no training changes, got others"
