"""The [features.NAME] sections of a recipe: one class per kind of feature.

`tagger/features/feature.py` says how to add a kind. The docstring below each field is the meaning of that key in the
reference of recipes.
"""

from typing import Literal

from tagger.config.section import Section, Size


class AnyFeatureConfig(Section):
    """The keys that features of every kind have."""

    kind: str
    """What the feature says about a token."""


class ShapeConfig(AnyFeatureConfig):
    """Casing, digits and punctuation of a word."""

    kind: Literal["shape"]

    dimension: Size = 10
    """Number of features of each property of a word."""


FeatureConfig = ShapeConfig
