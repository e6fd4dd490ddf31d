"""A feature of word forms in training, in the model folder, and in every backend."""

from pathlib import Path

import numpy as np
import pytest

import tagger
from tagger.config import ShapeConfig
from tagger.features.shape import PROPERTIES, ShapeFeature
from tagger.text.sentence import Sentence, TagLayer


def feature() -> ShapeFeature:
    return ShapeFeature("shape", ShapeConfig(kind="shape", dimension=3))


def test_properties_of_words() -> None:
    words = ["the", "Ada", "NATO", "iPhone", "1999", "B2B", "#tag", "well-known", "...", ""]
    ids = feature().ids(words)
    assert ids.shape == (len(words), len(PROPERTIES))
    assert ids.tolist() == [
        [0, 2, 4],
        [1, 2, 4],
        [2, 2, 4],
        [4, 2, 4],
        [5, 0, 4],
        [1, 1, 4],
        [0, 2, 1],
        [0, 2, 2],
        [5, 2, 0],
        [5, 2, 4],
    ]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that learns tags which only the casing of unknown words tells."""
    sentences = [
        Sentence.from_tokens([word, "is"], {"case": TagLayer(("low" if word.islower() else "up", "is"))})
        for word in (f"{'wW'[i % 2]}{chr(97 + i % 26)}{chr(97 + i % 23)}x" for i in range(60))
    ]
    corpus = tagger.Corpus(train=sentences[:40], dev=sentences[40:], test=())
    recipe = tagger.Recipe(
        features={"shape": {"kind": "shape"}},
        embeddings={"dimension": 4, "chars": "none"},
        encoder={"hidden_size": 8},
        heads={"case": {"kind": "tokens", "scheme": "none"}},
        training={"epochs": 15, "learning_rate": 0.02},
    )
    output = tmp_path_factory.mktemp("runs") / "shape"
    assert tagger.train(recipe, corpus=corpus, output=output).outcome.best.selected == 1.0
    return output


def test_every_backend_gives_the_same(run: Path, tmp_path: Path) -> None:
    from tagger.export.folder import export_onnx

    export_onnx(run, tmp_path / "onnx")
    models = [tagger.load(run), tagger.load(run, backend="numpy"), tagger.load(tmp_path / "onnx")]
    texts = [["Zebra", "is"], ["zebra", "is", "W1", "..."]]
    results = [[(s.tags("case"), s.tag_scores("case")) for s in model.stream(texts)] for model in models]
    assert results[0][0][0] == ("up", "is")
    for others in results[1:]:
        for (tags, scores), (tags_, scores_) in zip(results[0], others, strict=True):
            assert tags == tags_
            np.testing.assert_allclose(scores, scores_, atol=1e-4)
