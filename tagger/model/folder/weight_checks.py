"""Whether the weights of a file are those that a model needs."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from math import prod
from pathlib import Path

from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import ModelError
from tagger.features.table import Features
from tagger.heads.table import heads_of
from tagger.model.config import ModelConfig
from tagger.model.folder.weights import Weights
from tagger.model.shapes import GATES, LARGEST_NUMBER, LARGEST_WEIGHT, Form, encoder_shapes, forms_of, module_name
from tagger.wording import shorten

SHOWN = 3  # tensors that an error names


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
    measured = {f"{module_name('head', layer)}.{name}" for layer, head in heads for name in head.measured()}
    forms = forms_of(config, vocabulary, features or {}).items()
    expected = {name: form for name, form in forms if name.startswith(part)}
    if features is None:
        kept = {name: form for name, form in weights.forms.items() if not name.startswith(module_name("feature", ""))}
        weights = replace(weights, forms=kept)
    if problems := sorted(_problems(expected, weights, fixed, measured)):
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
    if config.embeddings.quantize:  # a number has half of the bits that all others have at least
        total //= 2
    total += config.embeddings.char_dimension * (chars + len(vocabulary.chars)) if chars else 0
    if config.encoder.cell in GATES:
        total += sum(states * (size + config.encoder.hidden_size) for size in inputs)
    else:
        total += sum(prod(shape) for shape in encoder_shapes(config.encoder, config.widths).values())
    total += sum(prod(shape) for feature in features.values() for shape in feature.shapes().values())
    heads = heads_of(config.heads).items()
    return total + sum(head.num_weights(len(vocabulary.labels[layer]), output) for layer, head in heads)


def _problems(
    expected: Mapping[str, Form], weights: Weights, fixed: Collection[str], measured: Collection[str]
) -> Iterator[str]:
    """Yield what is wrong with the tensors of a file.

    `fixed` are those that no training changes from 0, and `measured` those that may have any size.
    """
    yield from (f"{shorten(name)} is missing" for name in expected.keys() - weights.forms.keys())
    for name, form in weights.forms.items():
        if name not in expected:
            yield f"{shorten(name)} is unknown"
        elif form != expected[name]:
            yield f"`{name}` must be {expected[name]}, got {form}"
        elif not weights.largest.get(name, 0.0) <= (most := LARGEST_NUMBER if name in measured else LARGEST_WEIGHT):
            yield f"`{name}` must have finite values of at most {most:,.0f}, got others"
        elif name in fixed and weights.largest[name]:
            yield f"`{name}` must have the values that no training changes, got others"
