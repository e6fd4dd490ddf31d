"""The configuration that a model folder holds, without torch."""

from typing import Annotated

from pydantic import Field

from tagger.config import EmbeddingsConfig, EncoderConfig, HeadConfig, Positive, ReadingConfig, Section
from tagger.text.schemes import Scheme
from tagger.text.tokenization import Tokenize

FORMAT = 1
Temperature = Annotated[float, Field(ge=0.01, le=100.0)]


class ModelConfig(Section):
    """What `config.json` of a model folder says.

    Args:
        format: Number of the folder's format.
        version: Version of the library that wrote it.
        tokenizer: Name and version of the tokeniser that raw text went through.
        embeddings: The recipe's section.
        encoder: The recipe's section.
        heads: The recipe's heads by layer.
        vector_dimension: Width of a word vector.
        schemes: Scheme of the training files for each tag layer.
        reading: How each corpus was read, by its name.
        temperatures: What the class scores of a layer are divided by, where dev has calibrated it.
    """

    format: int
    version: str
    tokenizer: str
    embeddings: EmbeddingsConfig
    encoder: EncoderConfig
    heads: dict[str, HeadConfig]
    vector_dimension: Positive
    schemes: dict[str, Scheme | None]
    reading: dict[str, ReadingConfig]
    temperatures: dict[str, Temperature] = Field(default_factory=dict)

    @property
    def tokenize(self) -> Tokenize:
        """How raw text is split: at blanks if all training corpora were, otherwise into words."""
        modes = {reading.tokenize for reading in self.reading.values()}
        return "blanks" if modes == {"blanks"} else "words"
