"""A recipe: one TOML file that says everything about a training run, read into frozen sections.

Sections are closed: an unknown key, a wrong type or a value out of range is an error, and all errors of a file are
reported at once. This package knows what a recipe may say; what it means is the business of the modules that take a
section as their argument.
"""

from tagger.config.data import ClassRange, CorpusConfig, DataConfig, ReadingConfig, SplitConfig
from tagger.config.reading import dump_recipe, load_recipe, parse_recipe, parse_section
from tagger.config.recipe import (
    EmbeddingsConfig,
    EncoderConfig,
    HeadConfig,
    Recipe,
    Sampling,
    SentenceHeadConfig,
    TokensHeadConfig,
    TrainingConfig,
)
from tagger.config.section import Positive, Section, Weight

__all__ = [
    "ClassRange",
    "CorpusConfig",
    "DataConfig",
    "EmbeddingsConfig",
    "EncoderConfig",
    "HeadConfig",
    "Positive",
    "ReadingConfig",
    "Recipe",
    "Sampling",
    "Section",
    "SentenceHeadConfig",
    "SplitConfig",
    "TokensHeadConfig",
    "TrainingConfig",
    "Weight",
    "dump_recipe",
    "load_recipe",
    "parse_recipe",
    "parse_section",
]
