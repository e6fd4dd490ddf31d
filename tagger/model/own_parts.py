"""The parts of a network that are features and heads of a user's own, each checked once when the network is built.

Cells of the encoder are checked in `nn/own_cell.py`, whose checks of weights and states are used here too.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tagger import extensions
from tagger.config import Widths
from tagger.errors import RecipeError
from tagger.extensions import running
from tagger.features.cache import uncached
from tagger.features.feature import Feature, TypeFeature
from tagger.features.passages import Passage
from tagger.features.table import token_arrays, type_arrays
from tagger.heads.head import Head, named
from tagger.nn.encoder import RecurrentEncoder
from tagger.nn.heads import HeadNetwork
from tagger.nn.own_cell import TOLERANCE, changes_with, check_weights, form
from tagger.text.sentence import Label
from tagger.wording import shorten

SUFFIX = re.compile(r"[a-z0-9]*")  # of the name of a file
WORDS = ("a", "Ada", "2026", "Zürich", "東京", "...", "x" * 100)
KNOWN = 2000  # words of the vocabulary that a trial has too
ROWS, TOKENS = 3, 7


def feature_part(feature: Feature[Any], words: Sequence[str]) -> nn.Module:
    """Return the part of a network that reads a feature, with fresh weights.

    Args:
        feature: The feature.
        words: Words that a feature of the user's own is tried on.

    Raises:
        RecipeError: It is no part of the library, and is not what the feature says.
    """
    if feature.config.kind in extensions.Feature.built_in:
        return feature.build()
    where = f"features.{feature.name}: the feature `{feature.config.kind}`"
    feature = uncached({feature.name: feature})[feature.name]  # a trial is not worth keeping
    with running(where), torch.no_grad():
        part = feature.build()
        check_weights(where, part, feature.shapes(), own_file=bool(feature.suffix))
        if not SUFFIX.fullmatch(feature.suffix):
            raise RecipeError(f"{where} must have a `suffix` of letters and digits, got {feature.suffix!r}; change it")
        training = part.training
        part.eval()
        numbers = _numbers(where, feature, [*WORDS, *words[:KNOWN]]).to(_device(part))
        found, expected = part(numbers), (*numbers.shape[:-1], feature.width)
        if not isinstance(found, Tensor) or tuple(found.shape) != expected or not _is_float(found):
            raise RecipeError(
                f"{where} must return `width` = {feature.width} numbers per word, float32 of shape {expected}, got "
                f"{form(found)}; correct its `width`, or its part of the network"
            )
        if problem := changes_with(lambda rows: part(rows).float(), numbers):
            raise RecipeError(
                f"{where} must return numbers of each word that depend on it and the words before it alone, but they "
                f"depend on {problem}; let `arrays` read the sentence, and the part each of its rows"
            )
        part.train(training)
    return part


def head_part(head: Head[Any, Any, Any], labels: Sequence[str], encoder: RecurrentEncoder, widths: Widths) -> Any:
    """Return the network of a head with fresh weights, for the states of an encoder.

    Raises:
        RecipeError: It is no head of the library, and is not what the head says.
    """
    if head.config.kind in extensions.Head.built_in:
        return head.build(labels, encoder)
    where = f"heads.{head.layer}: the head `{head.config.kind}`"
    with running(where), torch.no_grad():
        part = head.build(labels, encoder)
        check_weights(where, part, head.shapes(len(labels), widths))
        if not isinstance(part, HeadNetwork):
            raise RecipeError(f"{where} must build a HeadNetwork of tagger.nn.heads, got {shorten(part)}; subclass it")
        training = part.training
        part.eval()
        if labels:
            _check_head(where, head, part, encoder.output_size)
        part.train(training)
    return part


def _numbers(where: str, feature: Feature[Any], words: Sequence[str]) -> Tensor:
    """Return what the part of a feature reads: (words, k), or (rows, tokens, k) of a feature of sentences."""

    def computed() -> np.ndarray[Any, Any]:
        if isinstance(feature, TypeFeature):
            return type_arrays({feature.name: feature}, words)[feature.name]
        passages = [Passage((*words[row : len(WORDS)], *words[:row])) for row in range(ROWS)]
        rows = token_arrays({feature.name: feature}, passages)[feature.name]
        return rows[np.arange(len(rows))].reshape(ROWS, len(WORDS), -1)

    first = computed()
    if not np.array_equal(first, computed()):
        raise RecipeError(f"{where} must return the same numbers for the same words, got others; remove what is random")
    return torch.from_numpy(first)


def _check_head(where: str, head: Head[Any, Any, Any], part: HeadNetwork, width: int) -> None:
    """Refuse a network whose loss is not one number, or whose results depend on padding."""
    generator, device = torch.Generator("cpu").manual_seed(1), _device(part)
    states = torch.randn(ROWS, TOKENS, width, generator=generator, device="cpu").to(device)
    mask = torch.arange(TOKENS, device=device) < torch.tensor([[TOKENS], [3], [1]], device=device)
    target = torch.zeros((ROWS,) if head.layer_type is Label else (ROWS, TOKENS), dtype=torch.long, device=device)

    def results(states: Tensor) -> dict[str, Tensor]:
        loss, output = part.loss(states, mask, target), part(states, mask)
        if not isinstance(loss, Tensor) or loss.dim() or not loss.is_floating_point() or bool(loss.isnan()):
            raise RecipeError(f"{where} must have a loss that is one number, got {form(loss)}, or NaN; correct it")
        if not hasattr(output, "_asdict"):
            raise RecipeError(f"{where} must return a named tuple of tensors, got {shorten(output)}; define one")
        return {"loss": loss, **dict(named(output))}

    expected, found = results(states), results(states.masked_fill(~mask.unsqueeze(2), 10.0))
    for name, tensor in expected.items():
        other = found[name]
        if tensor.shape != other.shape or not torch.allclose(tensor.float(), other.float(), atol=TOLERANCE, rtol=1e-3):
            raise RecipeError(f"{where} must not depend on padding, but its `{name}` does; use the mask")


def _device(part: nn.Module) -> torch.device | None:
    return next((weight.device for weight in part.parameters()), None)


def _is_float(numbers: Tensor) -> bool:
    """Whether numbers may stand beside word vectors, which then stay float32."""
    return numbers.is_floating_point() and torch.promote_types(numbers.dtype, torch.float32) == torch.float32
