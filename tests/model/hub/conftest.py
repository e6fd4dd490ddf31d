"""What tests of the hub share: a local stand-in of it, and a model to publish."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import Hub, reached
from untrained import untrained_model

from tagger.config import EmbeddingsConfig, EncoderConfig, ReadingConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.corpus.synthetic import generate
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import build_vocabulary
from tagger.model.folder.torch_model import save_model


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with reached(monkeypatch, tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model with untrained weights, which finds many entities."""
    vocabulary = build_vocabulary(
        pack(list(generate(50, seed=1, split="train"))), layers={"ner": "bioes", "sentiment": None}
    )
    made = untrained_model(
        vocabulary,
        {"ner": TokensHeadConfig(kind="tokens"), "sentiment": SentenceHeadConfig(kind="sentence")},
        embeddings=EmbeddingsConfig(dimension=10),
        encoder=EncoderConfig(hidden_size=12),
        schemes={"ner": "iob2"},
        reading={"data": ReadingConfig(format="jsonl")},
        loudness=5,
    )
    place = tmp_path_factory.mktemp("model")
    save_model(made, place, card='# A sequence tagger\n\n```python\nmodel = tagger.load("this folder")\n```\n')
    return place
