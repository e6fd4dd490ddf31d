"""The kinds of feature: for each `kind` in a recipe, the class that is responsible for such features."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from tagger import extensions
from tagger.config import AnyFeatureConfig
from tagger.config.kinds import extension_of
from tagger.encoding.batches import Rows
from tagger.errors import DataError, ModelError, RecipeError, TaggerError
from tagger.extensions import find, running
from tagger.features.feature import Feature, Given, Ids, TokenFeature, TypeFeature
from tagger.features.passages import Passage, passages_of
from tagger.text.sentence import Sentence, place_of
from tagger.wording import shorten

# The class in the module that has the name of the kind.
KINDS = {
    "shape": "ShapeFeature",
    "affixes": "AffixesFeature",
    "gazetteer": "GazetteerFeature",
    "charlm": "CharLMFeature",
    "transformer": "TransformerFeature",
    "frames": "FramesFeature",
    "position": "PositionFeature",
}

Features = Mapping[str, Feature[Any]]


def class_of(config: AnyFeatureConfig) -> type[Feature[Any]]:
    """Return the class that is responsible for features of a kind; its module is imported now."""
    own = extension_of(config, config.kind, extensions.Feature) if config.kind not in KINDS else None
    return _class_of_kind(config.kind) if own is None else own.feature


def only_in_torch(kind: object) -> bool:
    """Whether no other backend than torch can read features of a kind; an unknown kind is another's error."""
    if not isinstance(kind, str) or (kind not in KINDS and find(extensions.Feature, kind) is None):
        return False
    return _class_of_kind(kind).build_numpy is Feature.build_numpy


def _class_of_kind(kind: str) -> type[Feature[Any]]:
    own = find(extensions.Feature, kind) if kind not in KINDS else None
    found: type[Feature[Any]] = (
        getattr(import_module(f"tagger.features.{kind}"), KINDS[kind]) if own is None else own.feature
    )
    return found


def prepare_features(configs: Mapping[str, AnyFeatureConfig], given: Given) -> dict[str, Feature[Any]]:
    """Return the features of a recipe at the start of a training.

    Raises:
        TaggerError: A section does not fit what it names; the message begins with `features.NAME`.
    """
    return {name: _prepared(name, config, given) for name, config in configs.items()}


def _prepared(name: str, config: AnyFeatureConfig, given: Given) -> Feature[Any]:
    try:
        if config.kind in KINDS:
            return class_of(config).prepare(name, config, given)
        with running(f"the feature `{config.kind}`"):
            feature = class_of(config).prepare(name, config, given)
            width, _ = feature.width, {name: tuple(shape) for name, shape in feature.shapes().items()}
        if type(width) is not int or width < 1:
            raise RecipeError(f"must have a width of 1 or more, got {shorten(width)}; change its section")
        return feature
    except TaggerError as error:
        where = ".".join(("features", name, *config.paths()))
        raise error if str(error).startswith(f"features.{name}.") else type(error)(f"{where}: {error}") from None


def read_alone(features: Features) -> list[str]:
    """Let prepared features read sentences without their neighbours; return the names of those that read them before.

    Their sections get `context = 0`, which the model keeps.
    """
    names = []
    for name, feature in features.items():
        if isinstance(feature, TokenFeature) and feature.context:
            feature.config = feature.config.model_copy(update={"context": 0})
            names.append(name)
    return names


def total_width(features: Features) -> int:
    """Return the number of features of a token that all parts return together."""
    return sum(feature.width for feature in features.values())


def reads_sentences(features: Features) -> bool:
    """Whether any of the features is one of sentences."""
    return any(isinstance(feature, TokenFeature) for feature in features.values())


def check_frames(features: Features, sentences: Iterable[Sentence]) -> None:
    """Refuse a sequence of numbers for a model that would read only the names of its steps.

    Raises:
        DataError: A sentence has frames, and no feature reads them.
    """
    if any(isinstance(feature, TokenFeature) and feature.reads_frames for feature in features.values()):
        return
    for sentence in sentences:
        if sentence.frames is not None:
            raise DataError(
                f"{place_of(sentence)}: frames need a feature that reads them, got a model without one; train with a "
                'section [features.NAME] with kind = "frames"'
            )


def longest_context(features: Features) -> int:
    """Return the number of neighbouring tokens that any of the features reads on each side."""
    return max((feature.context for feature in features.values() if isinstance(feature, TokenFeature)), default=0)


def passages_for(features: Features, sentences: Sequence[Sentence]) -> list[Passage]:
    """Return the sentences with their neighbours; none if there are no features that read them."""
    pairs = passages_of(sentences, longest_context(features)) if reads_sentences(features) else ()
    return [passage for _, passage in pairs]


def type_arrays(features: Features, words: Sequence[str]) -> dict[str, Ids]:
    """Return the ids of words for each feature of word forms, of shape (words, k)."""
    return {
        name: _checked(feature, feature.ids, words, len(words))
        for name, feature in features.items()
        if isinstance(feature, TypeFeature)
    }


def token_arrays(features: Features, passages: Sequence[Passage]) -> dict[str, Rows]:
    """Return the numbers of the tokens of passages for each feature of sentences, of shape (tokens, k)."""
    count = sum(len(passage.tokens) for passage in passages)
    return {
        name: _checked(feature, feature.arrays, [passage.within(feature.context) for passage in passages], count)
        for name, feature in features.items()
        if isinstance(feature, TokenFeature)
    }


def _checked(feature: Feature[Any], compute: Callable[[Any], Any], given: Sequence[Any], count: int) -> Any:
    """Return what a feature computes; if it is an extension, after a check that there are numbers of each item.

    Raises:
        ModelError: There are not.
    """
    if feature.config.kind in KINDS:
        return compute(given)
    where = f"features.{feature.name}: the feature `{feature.config.kind}`"
    with running(where, ModelError):
        found = compute(given)
    is_array = isinstance(found, np.ndarray)
    fits = is_array if isinstance(feature, TypeFeature) else hasattr(found, "dtype")
    fits = fits and len(found) == count and (not is_array or found.ndim == 2)
    if not fits or (isinstance(feature, TypeFeature) and found.dtype.kind not in "iu"):
        kind = "whole numbers" if isinstance(feature, TypeFeature) else "numbers"
        got = f"{found.dtype} of shape {found.shape}" if is_array else shorten(found)
        raise ModelError(
            f"{where} must return an array of {kind} of shape ({count}, k) from `{compute.__name__}`, got {got}; "
            "correct it"
        )
    return found
