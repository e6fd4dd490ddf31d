"""A model without its network: the configuration, and the names of its ids."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tagger.config import HeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.features.table import Features
from tagger.model.config import ModelConfig
from tagger.text.tokenization import TextRules


class Source(NamedTuple):
    """The folder that a model was loaded from, and the SHA-256 of what it held."""

    folder: Path
    sha256: str


@dataclass(frozen=True)
class Model:
    """What a backend and the sentences that it tags have in common.

    Args:
        config: The content of `config.json`.
        vocabulary: The names of words, characters and labels.
        source: Where the model was loaded from; None if it was trained in this process.
        rules: How to split raw text. Default: as its corpora.
        features: What else the network reads of words and sentences, by name.
    """

    config: ModelConfig
    vocabulary: Vocabulary
    source: Source | None
    rules: TextRules | None = field(default=None, kw_only=True)
    features: Features = field(default_factory=dict, kw_only=True)

    @property
    def heads(self) -> Mapping[str, HeadConfig]:
        """Return the configuration of each head by its layer."""
        return self.config.heads

    @property
    def text_rules(self) -> TextRules:
        """Return how to split raw text."""
        return self.rules or self.config.text_rules
