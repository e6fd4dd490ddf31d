"""A recipe: one TOML file that says everything about a training run, read into frozen sections.

Sections are closed: an unknown key, a wrong type or a value out of range is an error, and all errors of a file are
reported at once. This package defines what a recipe may say. What a section does is defined by the modules that take it
as an argument.
"""

from tagger.config.data.corpus import CorpusConfig, DataConfig, SplitConfig
from tagger.config.data.numbers import AudioReading, FramesReading
from tagger.config.data.reading import ClassRange, ReadingConfig
from tagger.config.features import (
    AffixesConfig,
    AnyFeatureConfig,
    AnyTokenFeatureConfig,
    CharLMConfig,
    FeatureConfig,
    FramesConfig,
    GazetteerConfig,
    PositionConfig,
    ShapeConfig,
    TransformerConfig,
)
from tagger.config.heads import (
    OF_TEACHERS,
    OF_TRAINING,
    AnyHeadConfig,
    HeadConfig,
    SentenceHeadConfig,
    TokensHeadConfig,
    ValuesHeadConfig,
)
from tagger.config.network import HOW_TO_TRAIN, EmbeddingsConfig, EncoderConfig, Widths, widths_of
from tagger.config.reading import dump_recipe, form_settings, load_recipe, parse_recipe, parse_section
from tagger.config.recipe import Recipe
from tagger.config.section import Positive, Section, Weight
from tagger.config.training import Sampling, TrainingConfig
from tagger.config.tuning import SearchConfig

__all__ = [
    "HOW_TO_TRAIN",
    "OF_TEACHERS",
    "OF_TRAINING",
    "AffixesConfig",
    "AnyFeatureConfig",
    "AnyHeadConfig",
    "AnyTokenFeatureConfig",
    "AudioReading",
    "CharLMConfig",
    "ClassRange",
    "CorpusConfig",
    "DataConfig",
    "EmbeddingsConfig",
    "EncoderConfig",
    "FeatureConfig",
    "FramesConfig",
    "FramesReading",
    "GazetteerConfig",
    "HeadConfig",
    "PositionConfig",
    "Positive",
    "ReadingConfig",
    "Recipe",
    "Sampling",
    "SearchConfig",
    "Section",
    "SentenceHeadConfig",
    "ShapeConfig",
    "SplitConfig",
    "TokensHeadConfig",
    "TrainingConfig",
    "TransformerConfig",
    "ValuesHeadConfig",
    "Weight",
    "Widths",
    "dump_recipe",
    "form_settings",
    "load_recipe",
    "parse_recipe",
    "parse_section",
    "widths_of",
]
