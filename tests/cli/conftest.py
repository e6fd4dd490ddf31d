"""What tests of commands share: a command that is called as from a shell, and a model that was not trained."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from untrained import untrained_model

from tagger.cli.app import main
from tagger.config import EmbeddingsConfig, EncoderConfig, ReadingConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.corpus.synthetic import generate
from tagger.encoding.packed import pack
from tagger.encoding.vocabulary import build_vocabulary
from tagger.model.folder.torch_model import save_model


class Outcome(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Outcome]:
    def run(*arguments: object, text: str | bytes = b"") -> Outcome:
        data = text.encode() if isinstance(text, str) else text
        monkeypatch.setattr(sys, "argv", ["tagger", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capfdbinary.readouterr()
        return Outcome(int(stop.value.code or 0), out.decode(), err.decode())

    return run


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model with untrained weights, which finds many entities."""
    vocabulary = build_vocabulary(
        pack(list(generate(100, seed=1, split="train"))), layers={"ner": "bioes", "sentiment": None}
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
    folder = tmp_path_factory.mktemp("model")
    save_model(made, folder, card="")
    return folder
