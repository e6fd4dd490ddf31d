"""A model: a network, the names its ids stand for, and how its sentences were read."""

from collections.abc import Mapping
from dataclasses import dataclass

from tagger.config import HeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.model.config import ModelConfig
from tagger.model.network import Network
from tagger.text.tokenization import Tokenize


@dataclass(frozen=True)
class Model:
    """A network with everything that is needed to use it."""

    config: ModelConfig
    vocabulary: Vocabulary
    network: Network

    @property
    def heads(self) -> Mapping[str, HeadConfig]:
        """The heads by layer."""
        return self.config.heads

    @property
    def tokenize(self) -> Tokenize:
        """How raw text is split: at blanks alone if all corpora of training were, else into words."""
        modes = {reading.tokenize for reading in self.config.reading.values()}
        return "blanks" if modes == {"blanks"} else "words"
