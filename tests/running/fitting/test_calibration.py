"""Calibration: a dev sentence has the neighbours that it has in dev, also those that are not calibrated on."""

from collections.abc import Sequence
from typing import Any

import pytest
from untrained import untrained_model

from tagger.config import EmbeddingsConfig, EncoderConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.features.passages import Passage
from tagger.inference.predict import encoded_for
from tagger.running.fitting.calibration import calibrate
from tagger.text.sentence import Sentence, TagLayer


def test_sentences_that_are_not_calibrated_on_are_context_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = {"ner": ["O", "S-A"], "mood": ["bad", "good"]}
    model = untrained_model(
        Vocabulary(("a",), ("a",), labels, 1),
        {
            "ner": TokensHeadConfig(kind="tokens", layer="ner", calibrate=True),
            "mood": SentenceHeadConfig(kind="sentence", layer="mood", calibrate=True),
        },
        embeddings=EmbeddingsConfig(dimension=4, char_hidden=4),
        encoder=EncoderConfig(hidden_size=4),
    )
    layers: list[dict[str, Any]] = [
        {"ner": TagLayer((tag,), "bioes"), "mood": mood} if tag else {}
        for tag, mood in (("S-A", "bad"), ("", ""), ("O", "good"))
    ]
    dev = [Sentence.from_tokens([f"w{i}"], found, document="d") for i, found in enumerate(layers)]
    read: list[list[Passage]] = []

    def watched(model: Any, packed: Any, passages: Sequence[Passage], *rest: Any) -> Any:
        read.append(list(passages))
        return encoded_for(model, packed, passages, *rest)

    for module in ("running.fitting.calibration", "inference.predict"):
        monkeypatch.setattr(f"tagger.{module}.encoded_for", watched)
        monkeypatch.setattr(f"tagger.{module}.longest_context", lambda _: 9)
    calibrate(model, dev, {"ner": 0.0, "mood": 0.0})
    usable = [(("w0",), (), ("w1", "w2")), (("w2",), ("w0", "w1"), ())]
    assert [[passage[:3] for passage in each] for each in read[:2]] == [usable, usable]
