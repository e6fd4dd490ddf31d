"""Features of word forms and lists of names: learned, and the same in every backend and in the model folder."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tagger
from tagger.errors import ModelError
from tagger.export.folder import export_onnx
from tagger.text.sentence import TagLayer

BACKENDS = ("torch", "numpy", "onnx")
FEATURES = {
    "shape": {"kind": "shape", "dimension": 3, "buckets": 20},
    "affixes": {"kind": "affixes", "lengths": [1, 3], "dimension": 4, "buckets": 3000},
    "lists": {"kind": "gazetteer", "files": {"X": "list.txt"}},
    "place": {"kind": "position", "waves": 2, "longest": 10},
}
TEXTS = [
    ["Zebra", "is"],
    ["zebra", "was", "W1", "...", "made", "up", "of"],
    ["北京"],
    ["\U0001f600" * 40, "made", "up"],
]


def sentences() -> Iterator[tagger.Sentence]:
    """Sentences whose tags tell case, ending and list of words that mostly occur once."""
    for i in range(90):
        up, ing, known = i % 2 == 0, i % 3 == 0, i % 5 < 2
        word = f"{'W' if up else 'w'}{i}{'ing' if ing else 'end'}"
        tokens = [word, "made", "up" if known else "down"]
        lists = ["O", "B", "I"] if known else ["O", "O", "O"]
        yield tagger.Sentence.from_tokens(
            tokens,
            {
                "form": TagLayer(("up" if up else "low", "verb", "no")),
                "ending": TagLayer(("ing" if ing else "end", "verb", "no")),
                "lists": TagLayer(tuple(lists)),
                "number": TagLayer(("first", "second", "third")),
            },
        )


def train(folder: Path, features: dict[str, dict[str, object]], *, bidirectional: bool = True) -> Path:
    """Train a network that has no vector of an unknown word, and return its folder."""
    found = list(sentences())
    (folder / "list.txt").write_text("made up\n", encoding="utf-8")
    heads = {"shape": "form", "affixes": "ending", "lists": "lists", "place": "number"}
    recipe = tagger.Recipe(
        features=features,
        embeddings={"dimension": 4, "chars": "none", "dropout": 0.1, "word_dropout": 0.5},
        encoder={"hidden_size": 10, "bidirectional": bidirectional, "dropout": 0.1},
        heads={heads[name]: {"kind": "tokens", "scheme": "none"} for name in features},
        training={"epochs": 12, "learning_rate": 0.03},
    )
    corpus = tagger.Corpus(train=found[:60], dev=found[60:], test=())
    run = tagger.train(recipe, corpus=corpus, base=folder, output=folder / "run")
    assert run.outcome.best is not None
    assert run.outcome.best.selected > 0.95
    return folder / "run"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("both"), FEATURES)


def test_every_backend_gives_the_same_without_the_lists(run: Path, tmp_path: Path) -> None:
    (run.parent / "list.txt").unlink()  # the model folder keeps the entries
    export_onnx(run, tmp_path / "onnx")
    models = [tagger.load(run), tagger.load(run, backend="numpy"), tagger.load(tmp_path / "onnx")]
    assert [type(model.backend).__name__[:-7].lower() for model in models] == list(BACKENDS)
    wanted, *others = (list(model.stream(TEXTS)) for model in models)
    for found in others:
        for own, other in zip(found, wanted, strict=True):
            for layer in ("form", "ending", "lists", "number"):
                assert own.tags(layer) == other.tags(layer)
                np.testing.assert_allclose(own.layers[layer].scores, other.layers[layer].scores, atol=1e-4)


def test_a_model_with_a_list_cannot_tag_token_by_token(tmp_path: Path) -> None:
    path = train(tmp_path, {"lists": FEATURES["lists"]}, bidirectional=False)
    with pytest.raises(ModelError, match="incremental tagging needs features of single words, got `lists`"):
        tagger.load(path).incremental()


def test_shape_and_affixes_are_read_token_by_token(tmp_path: Path) -> None:
    features = {name: FEATURES[name] for name in ("shape", "affixes")}
    path = train(tmp_path, features, bidirectional=False)
    export_onnx(path, tmp_path / "onnx")
    for model in (tagger.load(path), tagger.load(path, backend="numpy"), tagger.load(tmp_path / "onnx")):
        incremental = model.incremental()
        steps = [incremental.feed(token) for token in ("Qx77ing", "made", "up")]
        whole = model.tag_tokens(["Qx77ing", "made", "up"])
        assert [step.tags["form"] for step in steps] == list(whole.tags("form")) == ["up", "verb", "no"]
        assert [step.tags["ending"] for step in steps] == list(whole.tags("ending")) == ["ing", "verb", "no"]
