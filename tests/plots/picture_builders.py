"""Builders for the tests of pictures: tagged sentences, an untrained tagger, and hostile text."""

from collections.abc import Mapping, Sequence

from untrained import torch_tagger, untrained_model

from tagger.config import EmbeddingsConfig, EncoderConfig, HeadConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.tagging import Tagger
from tagger.text.schemes import Scheme, tags_to_spans
from tagger.text.sentence import Label, Sentence, TagLayer

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
    """Return a sentence with a label whose attention grows from word to word."""
    total = len(tokens) * (len(tokens) + 1) / 2
    weights = tuple((i + 1) / total for i in range(len(tokens)))
    return Sentence.from_tokens(tokens, {layer: Label(value, 0.75, {value: 0.75, "other": 0.25}, weights)})


def with_entities(tokens: Sequence[str], tags: Sequence[str], scores: Sequence[float] | None = None) -> Sentence:
    """Return a sentence with entities."""
    spans = tags_to_spans(tags, "iob2")
    scored = None if scores is None else tuple(zip(spans, scores, strict=True))
    layer = TagLayer(tuple(tags), "iob2", "iob2", scored_spans=scored)
    return Sentence.from_tokens(tokens, {"ner": layer})


def make_tagger(types: Sequence[str] = ("PER", "LOC"), heads: Mapping[str, HeadConfig] = HEADS) -> Tagger:
    """Return an untrained tagger whose entities have these types."""
    tags = [f"{prefix}-{type_}" for type_ in types for prefix in "BIES"]
    labels = {"ner": ("O", *tags), "upos": ("NOUN", "VERB"), "sentiment": ("negative", "positive")}
    named = {layer: labels[layer] for layer in heads}
    vocabulary = Vocabulary(["film", "Oslo"], sorted("film Oslo"), named, num_trainable=3)
    embeddings, encoder = EmbeddingsConfig(dimension=10), EncoderConfig(hidden_size=12)
    schemes: dict[str, Scheme | None] = {"ner": "iob2"}
    return torch_tagger(
        untrained_model(vocabulary, heads, embeddings=embeddings, encoder=encoder, schemes=schemes, loudness=5)
    )
