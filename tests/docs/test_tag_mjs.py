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
from tagger.config import EmbeddingsConfig, EncoderConfig, SentenceHeadConfig, TokensHeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.export.folder import export_onnx
from tagger.model.folder import save_model
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
    save_model(model, tmp_path / "trained", card="")
    export_onnx(tmp_path / "trained", tmp_path / "exported")
    shutil.copy(PROGRAM, tmp_path)
    (tmp_path / "node_modules").symlink_to(packages)
    command = ["node", str(tmp_path / PROGRAM.name), str(tmp_path / "exported"), *SENTENCES]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    library = tagger.load(tmp_path / "exported")
    for line, sentence in zip(done.stdout.splitlines(), SENTENCES, strict=True):
        found, wanted = json.loads(line), library.tag_tokens(sentence.split(" "))
        assert found["words"] == list(wanted.tokens)
        assert found["ner"] == list(wanted.tag_layer("ner").tags)
        scores = wanted.label("mood").scores
        assert list(found["mood"]) == list(scores)
        np.testing.assert_allclose(list(found["mood"].values()), list(scores.values()), atol=1e-5)
