"""A model with fresh weights, for tests that need one and not what it has learned."""

from collections.abc import Mapping

import torch

from tagger.config import (
    AnyHeadConfig,
    EmbeddingsConfig,
    EncoderConfig,
    HeadConfig,
    ReadingConfig,
    SentenceHeadConfig,
    TokensHeadConfig,
)
from tagger.corpus.synthetic import generate
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import Vectors, Vocabulary, build_vocabulary
from tagger.inference.torch_backend import TorchBackend
from tagger.model.config import OLDER, ModelConfig
from tagger.model.network import Network, TorchModel, build_network
from tagger.tagging import Tagger
from tagger.text.schemes import Scheme


def generated_vocabulary(number: int, *layers: str) -> Vocabulary:
    """The words of generated train sentences, and their labels in some layers."""
    schemes: dict[str, Scheme | None] = {"ner": "bioes", "upos": None, "sentiment": None}
    sentences = pack(list(generate(number, seed=1, split="train")))
    return build_vocabulary(sentences, layers={layer: schemes[layer] for layer in layers or schemes})


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
) -> TorchModel:
    """The model; the weights of its heads are multiplied by `loudness`, for its labels to change."""
    torch.manual_seed(seed)
    config = ModelConfig(
        format=OLDER,
        version="1",
        tokenizer=tokenizer,
        embeddings=embeddings,
        encoder=encoder,
        heads=dict(heads),
        vector_dimension=embeddings.dimension,
        schemes=dict(schemes or {}),
        reading=dict(reading or {}),
    )
    network = build_network(vocabulary, config).eval()
    for head in network.heads.values():
        for parameter in head.parameters():
            parameter.data *= loudness
    return TorchModel(config, vocabulary, None, network)


def network_of(
    vocabulary: Vocabulary,
    *,
    embeddings: EmbeddingsConfig,
    encoder: EncoderConfig,
    heads: Mapping[str, AnyHeadConfig],
    vectors: Vectors | None = None,
) -> Network:
    """A network with fresh weights; its configuration is not validated, so heads may be of any kind."""
    dimension = vectors.dimension if vectors else embeddings.dimension
    config = ModelConfig.model_construct(
        embeddings=embeddings, encoder=encoder, heads=dict(heads), vector_dimension=dimension
    )
    return build_network(vocabulary, config, vectors=vectors)


def torch_tagger(model: TorchModel, *, cache: bool = True) -> Tagger:
    """The model as it is loaded: run by torch."""
    return Tagger(TorchBackend(model, cache=cache))


def backend_of(network: Network, *, cache: bool = True) -> TorchBackend:
    """A backend that runs a network and knows nothing else of a model."""
    return TorchBackend(TorchModel(None, None, None, network), cache=cache)


def config_of(heads: Mapping[str, HeadConfig], schemes: Mapping[str, Scheme | None] | None = None) -> ModelConfig:
    """The configuration of a model with these heads; for backends that get their network ready-made."""
    return ModelConfig(
        format=OLDER,
        version="1",
        tokenizer="none",
        embeddings=EmbeddingsConfig(),
        encoder=EncoderConfig(),
        heads=dict(heads),
        vector_dimension=1,
        schemes=dict(schemes or {}),
        reading={},
    )


def loud_model() -> TorchModel:
    """A model of entities and sentiment that finds many entities."""
    return untrained_model(
        generated_vocabulary(100, "ner", "sentiment"),
        {"ner": TokensHeadConfig(kind="tokens"), "sentiment": SentenceHeadConfig(kind="sentence")},
        embeddings=EmbeddingsConfig(dimension=10),
        encoder=EncoderConfig(hidden_size=12),
        schemes={"ner": "iob2"},
        reading={"data": ReadingConfig(format="jsonl")},
        loudness=5,
    )
