"""`docs/tag.mjs` tags in Node what the library tags, if Node and its onnxruntime are there or can be installed."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from untrained import untrained_model

import tagger
from tagger.config import EmbeddingsConfig, EncoderConfig, SentenceHeadConfig, ShapeConfig, TokensHeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.export.folder import export_onnx
from tagger.features.shape import ShapeFeature
from tagger.model.config import FORMAT
from tagger.model.folder.torch_model import save_model
from tagger.model.network import TorchModel, build_network
from tagger.text.schemes import tags_of_types

PACKAGE = "onnxruntime-node@1.30.0"
PROGRAM = Path(__file__).resolve().parents[2] / "docs" / "tag.mjs"
SENTENCES = ["Ada lives in OSLO .", "left", "x1 2024 9 😀 naïve İ unknown Ada Ada"]


@pytest.fixture(scope="module")
def packages() -> Path:
    """The folder of the packages of Node, which is kept from run to run in the user's cache."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs Node and npm, which are not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tagger-tests" / PACKAGE
    if not (cache / "complete").exists():
        cache.mkdir(parents=True, exist_ok=True)
        # Scripts of the package would fetch libraries for GPUs.
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", PACKAGE]
        try:
            subprocess.run(command, cwd=cache, check=True, capture_output=True, timeout=120)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"needs {PACKAGE}, which npm cannot install here: {error}")
        (cache / "complete").touch()
    return cache / "node_modules"


def run_in_node(model: TorchModel, packages: Path, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Export a model to the folder `exported`, and tag the sentences with it."""
    save_model(model, folder / "trained", card="")
    export_onnx(folder / "trained", folder / "exported")
    shutil.copy(PROGRAM, folder)
    (folder / "node_modules").symlink_to(packages)
    command = ["node", str(folder / PROGRAM.name), str(folder / "exported"), *SENTENCES]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)


@pytest.mark.parametrize("chars", ["cnn", "none"])
def test_node_tags_what_the_library_tags(chars: str, packages: Path, tmp_path: Path) -> None:
    words = ["ada", "lives", "oslo", "x0", "0000", "naïve", "."]
    labels = {"ner": tags_of_types(["LOC", "PER"], "bioes"), "mood": ["bad", "good"]}
    model = untrained_model(
        Vocabulary(words, sorted(set("".join(words)) | {"😀", "A"}), labels, num_trainable=len(words) + 1),
        {"ner": TokensHeadConfig(kind="tokens"), "mood": SentenceHeadConfig(kind="sentence")},
        embeddings=EmbeddingsConfig(chars=chars, dimension=8),
        encoder=EncoderConfig(hidden_size=8),
        loudness=5,
    )
    done = run_in_node(model, packages, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    library = tagger.load(tmp_path / "exported")
    for line, sentence in zip(done.stdout.splitlines(), SENTENCES, strict=True):
        found, wanted = json.loads(line), library.tag_tokens(sentence.split(" "))
        assert found["words"] == list(wanted.tokens)
        assert found["ner"] == list(wanted.tag_layer("ner").tags)
        scores = wanted.label("mood").scores
        assert list(found["mood"]) == list(scores)
        np.testing.assert_allclose(list(found["mood"].values()), list(scores.values()), atol=1e-5)


def test_node_names_the_features_that_it_does_not_compute(packages: Path, tmp_path: Path) -> None:
    shape = ShapeFeature("shape", ShapeConfig(kind="shape"))
    plain = untrained_model(
        Vocabulary(["ada"], ["a"], {"mood": ["bad", "good"]}, num_trainable=2),
        {"mood": SentenceHeadConfig(kind="sentence")},
        embeddings=EmbeddingsConfig(dimension=8),
        encoder=EncoderConfig(hidden_size=8),
    )
    known = {"format": FORMAT, "features": {"shape": shape.config}, "feature_widths": {"shape": shape.width}}
    config = plain.config.model_copy(update=known)
    network = build_network(plain.vocabulary, config, features={"shape": shape}).eval()
    model = TorchModel(config, plain.vocabulary, None, network, features={"shape": shape})
    done = run_in_node(model, packages, tmp_path)
    assert done.returncode != 0
    assert "the model reads feature:shape, which this program does not compute; see docs/onnx.md" in done.stderr
