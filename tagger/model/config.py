"""The configuration that a model folder holds, without torch."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from tagger.config import (
    EmbeddingsConfig,
    EncoderConfig,
    FeatureConfig,
    HeadConfig,
    Positive,
    ReadingConfig,
    Section,
    Widths,
    widths_of,
)
from tagger.config.kinds import bound
from tagger.errors import ModelError
from tagger.extensions import Cell, Feature, Head
from tagger.text.schemes import Scheme
from tagger.text.tokenization import DEFAULT_RULES, TextRules

FORMAT = 4  # 1 has no `tokenizer.json`, 2 no hash of `config.json`, 3 neither features nor quantised vectors
OLDER = 3  # the format of a model with neither features nor quantised vectors
Temperature = Annotated[float, Field(ge=0.01, le=100.0)]


def shared_rules(corpora: Sequence[TextRules]) -> TextRules:
    """Return how a model splits raw text whose corpora were split in these ways.

    It is the first way that a corpus chose, apart from `blanks`; else the default; `blanks` if all corpora chose that.
    """
    chosen = [rules for rules in corpora if rules != DEFAULT_RULES]
    others = [rules for rules in chosen if rules.tokenize != "blanks"]
    return (others or (chosen if len(chosen) == len(corpora) else []) or [DEFAULT_RULES])[0]


class ModelConfig(Section):
    """The content of `config.json` in a model folder.

    Args:
        format: Number of the folder's format.
        version: Version of the library that wrote it.
        tokenizer: Name and version of the tokeniser that raw text went through.
        embeddings: The recipe's section.
        encoder: The recipe's section.
        heads: The recipe's heads by layer.
        vector_dimension: Width of a word vector; 0 if words have none.
        schemes: Scheme of the training files for each tag layer.
        reading: How each corpus was read, by its name.
        features: The recipe's features by name.
        feature_widths: Number of features of a token that each of them gives the encoder.
        temperatures: What the class scores of a layer are divided by, where dev has calibrated it.
    """

    format: int
    version: str
    tokenizer: str
    embeddings: EmbeddingsConfig
    encoder: EncoderConfig
    heads: dict[str, HeadConfig]
    vector_dimension: Annotated[int, Field(ge=0, le=10**9)]
    schemes: dict[str, Scheme | None]
    reading: dict[str, ReadingConfig]
    features: dict[str, FeatureConfig] = Field(default_factory=dict)
    feature_widths: dict[str, Positive] = Field(default_factory=dict)
    temperatures: dict[str, Temperature] = Field(default_factory=dict)

    def model_post_init(self, context: object, /) -> None:
        """Keep the extensions that are known now: those of a model that is loaded later do not change this one."""
        keep = self.__dict__  # the section is frozen
        keep["encoder"] = bound(self.encoder, self.encoder.cell, Cell)
        keep["heads"] = {layer: bound(head, head.kind, Head) for layer, head in self.heads.items()}
        keep["features"] = {name: bound(each, each.kind, Feature) for name, each in self.features.items()}

    @property
    def widths(self) -> Widths:
        """Return the widths of the network."""
        return widths_of(self.embeddings, self.encoder, self.vector_dimension, sum(self.feature_widths.values()))

    @property
    def text_rules(self) -> TextRules:
        """Return how the corpora of training were split; see `shared_rules`."""
        return shared_rules([reading.text_rules for reading in self.reading.values()])

    def check_cell(self, backend: str) -> None:
        """Refuse a cell that is an extension, which a backend other than torch does not have.

        Raises:
            ModelError: It is one.
        """
        if self.encoder.cell not in Cell.built_in:
            raise ModelError(
                f'the cell `{self.encoder.cell}` needs the backend "torch", got "{backend}"; load the folder that '
                "training wrote on a machine with torch"
            )
