"""An exported folder: what is in it, which models and folders are refused, and that damage is noticed."""

import json
import re
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from onnx_graphs import run
from onnxruntime import InferenceSession, SessionOptions
from untrained import untrained_model

from tagger.config import EmbeddingsConfig, EncoderConfig, SentenceHeadConfig, TokensHeadConfig, ValuesHeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import MissingExtraError, ModelError
from tagger.export.folder import export_onnx
from tagger.model.folder.files import read_exported
from tagger.model.folder.opening import GRAPH, HEADS, is_exported
from tagger.model.folder.torch_model import save_model
from tagger.text.schemes import tags_of_types

FEEDS = {
    "word_ids": np.array([1, 2, 0], np.int32),
    "char_ids": np.array([[2, 3, 4], [2, 0, 0], [1, 2, 0]], np.int32),
    "type_ids": np.array([[0, 1, 2], [1, 0, 0]], np.int32),
    "lengths": np.array([3, 1], np.int32),
}


def saved(folder: Path, cell: str = "lstm") -> Path:
    vocabulary = Vocabulary(["a", "b"], list("abc"), {"ner": tags_of_types(["X"], "bioes"), "mood": ["-", "+"]}, 3)
    heads = {"ner": TokensHeadConfig(kind="tokens"), "mood": SentenceHeadConfig(kind="sentence")}
    encoder, embeddings = EncoderConfig(cell=cell, hidden_size=8), EmbeddingsConfig(chars="lstm", dimension=5)
    save_model(untrained_model(vocabulary, heads, embeddings=embeddings, encoder=encoder), folder, card="# Card\n")
    return folder


def session(path: Path) -> InferenceSession:
    options = SessionOptions()
    options.log_severity_level = 3
    return InferenceSession(path, options)


def test_the_folder_holds_the_graph_and_the_small_files_around_it(tmp_path: Path) -> None:
    sizes = export_onnx(saved(tmp_path / "run"), tmp_path / "new" / "out")
    out = tmp_path / "new" / "out"
    assert {path.name: path.stat().st_size for path in out.iterdir()} == sizes
    assert is_exported(out)
    assert not is_exported(tmp_path / "run")
    hashes = json.loads((out / "config.json").read_text())["sha256"]
    assert hashes.keys() == {"config.json", "vocabulary.json", "tokenizer.json", GRAPH, HEADS}
    assert hashes[GRAPH] == sha256((out / GRAPH).read_bytes()).hexdigest()
    card = (out / "README.md").read_text()
    assert card.startswith("# Card\n")
    assert "| `tags:ner` | int32 | (batch, tokens) |" in card
    assert "| `char_ids` | int32 | (types, chars) |" in card
    found = read_exported(out)
    assert found.graph == (out / GRAPH).read_bytes()
    assert found.weights.array("head:ner.crf.transitions").shape == (5, 5)


def test_the_card_describes_each_input_and_output(tmp_path: Path) -> None:
    labels = {"ner": tags_of_types(["X"], "bioes"), "mood": ["-", "+"], "load": ["0"]}
    heads = {
        "ner": TokensHeadConfig(kind="tokens"),
        "mood": SentenceHeadConfig(kind="sentence"),
        "load": ValuesHeadConfig(kind="values"),
    }
    encoder, embeddings = EncoderConfig(hidden_size=8), EmbeddingsConfig(dimension=5)
    vocabulary = Vocabulary(["a"], ["a"], labels, 2)
    model = untrained_model(vocabulary, heads, embeddings=embeddings, encoder=encoder)
    save_model(model, tmp_path / "run", card="")
    export_onnx(tmp_path / "run", tmp_path / "out")
    rows = [line for line in (tmp_path / "out" / "README.md").read_text().splitlines() if line.startswith("| `")]
    assert {"| `tags:ner`", "| `attention:mood`", "| `high:load`"} <= {row[: row.index(" | ")] for row in rows}
    assert [row for row in rows if row.endswith("|  |")] == []


def test_int8_is_close_to_float32_in_a_smaller_file(tmp_path: Path) -> None:
    saved(tmp_path / "run")
    exact, rounded = (tmp_path / name for name in ("float32", "int8"))
    export_onnx(tmp_path / "run", exact)
    export_onnx(tmp_path / "run", rounded, precision="int8")
    wanted, found = (run(session(folder / GRAPH), FEEDS) for folder in (exact, rounded))
    np.testing.assert_allclose(found["marginals:ner"], wanted["marginals:ner"], atol=0.05)
    assert not np.array_equal(found["marginals:ner"], wanted["marginals:ner"])
    assert np.array_equal(found["type_vectors"], wanted["type_vectors"])  # characters stay float32


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_int8_is_for_lstm_encoders(tmp_path: Path, cell: str) -> None:
    saved(tmp_path / "run", cell)
    message = f'run: precision "int8" needs an encoder of the cell "lstm", got "{cell}"; export it with precision'
    with pytest.raises(ModelError, match=message):
        export_onnx(tmp_path / "run", tmp_path / "out", precision="int8")
    assert not (tmp_path / "out").exists()
    export_onnx(tmp_path / "run", tmp_path / "out")


def test_an_exported_model_is_replaced_only_if_asked(tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_onnx(saved(tmp_path / "run"), out)
    with pytest.raises(ModelError, match="already holds an exported model; use another one, or replace it with --over"):
        export_onnx(tmp_path / "run", out)
    export_onnx(tmp_path / "run", out, precision="int8", overwrite=True)
    assert session(out / GRAPH).get_modelmeta().custom_metadata_map["precision"] == "int8"


def test_a_trained_model_is_never_replaced(tmp_path: Path) -> None:
    saved(tmp_path / "run" / "model")
    for place, held in ((tmp_path / "run", "a run"), (tmp_path / "run" / "model", "a model")):
        with pytest.raises(ModelError, match=f"must be for an exported model, but holds {held}; use another one"):
            export_onnx(tmp_path / "run", place, overwrite=True)
    (tmp_path / "other" / "model").mkdir(parents=True)
    with pytest.raises(ModelError, match="but holds a trained one; use another"):
        export_onnx(tmp_path / "run", tmp_path / "other")
    export_onnx(tmp_path / "run", tmp_path / "run" / "onnx")
    with pytest.raises(ModelError, match="expected a trained model, got one that was exported"):
        export_onnx(tmp_path / "run" / "onnx", tmp_path / "again")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        MissingExtraError, match=re.escape('needs onnx, which is not installed; run pip install "tagger')
    ):
        export_onnx(saved(tmp_path / "run"), tmp_path / "out")


@pytest.mark.parametrize("name", [GRAPH, HEADS, "vocabulary.json", "tokenizer.json", "config.json"])
def test_damage_is_noticed(tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    export_onnx(saved(tmp_path / "run"), out)
    (out / name).write_bytes((out / name).read_bytes() + b" ")
    with pytest.raises(ModelError, match=f"^{re.escape(str(out / name))}: the file must have the SHA-256"):
        read_exported(out)
    (out / name).unlink()
    if name != GRAPH:  # without it the folder is no exported one
        with pytest.raises(ModelError, match=f"must hold config.json, vocabulary.json and model.onnx, got no {name}"):
            read_exported(out)


def test_an_exported_folder_without_hashes_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_onnx(saved(tmp_path / "run"), out)
    config = json.loads((out / "config.json").read_text())
    del config["sha256"]
    (out / "config.json").write_text(json.dumps(config | {"format": 1}))
    with pytest.raises(ModelError, match="model format 1, this version reads 3"):
        read_exported(out)
