"""What the tests of pictures are made of: tagged sentences, an untrained tagger, and text that attacks."""

from collections.abc import Mapping, Sequence

import torch

from tagger.config import EmbeddingsConfig, EncoderConfig, HeadConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.data.sentence import Label, Sentence, TagLayer
from tagger.data.vocabulary import Vocabulary
from tagger.model.model import FORMAT, Model, ModelConfig
from tagger.model.network import build_network
from tagger.tagging import Tagger

ATTACK = "<script>alert(1)</script>&\"'"
CONTROL = "a\x00b\x1b[31m\x7f\x85"
ARABIC = ["مرحبا", "بالعالم", "قالت", "ليلى", "في", "برلين"]
EMOJI = ["I", "❤️", "Łódź", "👩‍👩‍👧‍👦", "and", "🇩🇪", "!"]
HEADS: dict[str, HeadConfig] = {
    "ner": TokensHeadConfig(kind="tokens"),
    "upos": TokensHeadConfig(kind="tokens", scheme="none", decoder="softmax"),
    "sentiment": SentenceHeadConfig(kind="sentence"),
}


def labelled(tokens: Sequence[str], value: str = "positive", layer: str = "sentiment") -> Sentence:
    """A sentence with a label whose attention grows from word to word."""
    total = len(tokens) * (len(tokens) + 1) / 2
    weights = tuple((i + 1) / total for i in range(len(tokens)))
    return Sentence.from_tokens(tokens, {layer: Label(value, 0.75, {value: 0.75, "other": 0.25}, weights)})


def with_entities(tokens: Sequence[str], tags: Sequence[str], scores: Sequence[float] | None = None) -> Sentence:
    """A sentence with entities."""
    layer = TagLayer(tuple(tags), "iob2", "iob2", span_scores=None if scores is None else tuple(scores))
    return Sentence.from_tokens(tokens, {"ner": layer})


def make_tagger(types: Sequence[str] = ("PER", "LOC"), heads: Mapping[str, HeadConfig] = HEADS) -> Tagger:
    """A tagger with fresh weights whose entities have these types."""
    torch.manual_seed(1)
    tags = [f"{prefix}-{type_}" for type_ in types for prefix in "BIES"]
    labels = {"ner": ("O", *tags), "upos": ("NOUN", "VERB"), "sentiment": ("negative", "positive")}
    named = {layer: labels[layer] for layer in heads}
    vocabulary = Vocabulary(["film", "Oslo"], sorted("film Oslo"), named, num_trainable=3)
    embeddings, encoder = EmbeddingsConfig(dimension=10), EncoderConfig(hidden_size=12)
    network = build_network(vocabulary, embeddings=embeddings, encoder=encoder, heads=heads).eval()
    for head in network.heads.values():
        for parameter in head.parameters():
            parameter.data *= 5
    config = ModelConfig(
        format=FORMAT,
        version="1",
        tokenizer="none",
        embeddings=embeddings,
        encoder=encoder,
        heads=dict(heads),
        vector_dimension=10,
        schemes={"ner": "iob2"},
        reading={},
    )
    return Tagger(Model(config, vocabulary, network))
