"""A model: a network, the names its ids stand for, and how its sentences were read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tagger.config import HeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.model.config import ModelConfig
from tagger.model.network import Network
from tagger.text.tokenization import Tokenize


class Source(NamedTuple):
    """The folder that a model was loaded from, and the SHA-256 of what it held."""

    folder: Path
    sha256: str


@dataclass(frozen=True)
class Model:
    """A network with everything that is needed to use it.

    Args:
        config: What `config.json` says.
        vocabulary: The names of ids.
        network: The network.
        source: Where the model was loaded from; None if it was trained in this process.
    """

    config: ModelConfig
    vocabulary: Vocabulary
    network: Network
    source: Source | None = None

    @property
    def heads(self) -> Mapping[str, HeadConfig]:
        """The heads by layer."""
        return self.config.heads

    @property
    def tokenize(self) -> Tokenize:
        """How raw text is split: at blanks alone if all corpora of training were, else into words."""
        modes = {reading.tokenize for reading in self.config.reading.values()}
        return "blanks" if modes == {"blanks"} else "words"
