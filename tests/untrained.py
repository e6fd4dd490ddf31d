"""A model with fresh weights, for tests that need one and not what it has learned."""

from collections.abc import Mapping

import torch

from tagger.config import EmbeddingsConfig, EncoderConfig, HeadConfig, ReadingConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.model.config import FORMAT, ModelConfig
from tagger.model.model import Model
from tagger.model.network import build_network
from tagger.text.schemes import Scheme


def untrained_model(
    vocabulary: Vocabulary,
    heads: Mapping[str, HeadConfig],
    *,
    embeddings: EmbeddingsConfig,
    encoder: EncoderConfig,
    schemes: Mapping[str, Scheme | None] | None = None,
    reading: Mapping[str, ReadingConfig] | None = None,
    tokenizer: str = "none",
    loudness: float = 1.0,
    seed: int = 1,
) -> Model:
    """The model; the weights of its heads are multiplied by `loudness`, for its labels to change."""
    torch.manual_seed(seed)
    network = build_network(vocabulary, embeddings=embeddings, encoder=encoder, heads=heads).eval()
    for head in network.heads.values():
        for parameter in head.parameters():
            parameter.data *= loudness
    config = ModelConfig(
        format=FORMAT,
        version="1",
        tokenizer=tokenizer,
        embeddings=embeddings,
        encoder=encoder,
        heads=dict(heads),
        vector_dimension=embeddings.dimension,
        schemes=dict(schemes or {}),
        reading=dict(reading or {}),
    )
    return Model(config, vocabulary, network)
