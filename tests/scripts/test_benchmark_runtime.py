"""The measurements of run time: what is counted, and what is refused."""

import sys
from pathlib import Path

import benchmark_runtime as script
import pytest
import torch

from tagger import Sentence, TaggerError
from tagger.model.network import Network
from tagger.nn.embeddings import CharCNN, WordVectors
from tagger.nn.encoder import RecurrentEncoder
from tagger.nn.heads import TokensHead


def test_operations_are_those_of_the_products_of_encoder_characters_and_heads() -> None:
    network = Network(
        words=WordVectors(torch.zeros(3, 5), torch.zeros(0, 5, dtype=torch.float16)),
        chars=CharCNN(num_chars=9, dimension=2, hidden_size=4, width=3),
        encoder=RecurrentEncoder(input_size=9, hidden_size=6),
        heads={"ner": TokensHead(input_size=12, num_tags=7)},
        dropout=0.0,
        word_dropout=0.0,
        state_dropout=0.0,
    )
    encoder, head, chars = 2 * 2 * 24 * (9 + 6), 2 * 12 * 7, 2 * 3 * (2 * 3 * 4)  # 3 characters per token
    found = script.operations(network, [Sentence.from_tokens(["abcd", "ab"])])
    assert found == encoder + head + chars


def test_size_of_an_environment_has_neither_pip_nor_links(tmp_path: Path) -> None:
    for name, size in (("numpy/a.py", 2**20), ("pip/b.py", 2**22), ("setuptools-70.dist-info/RECORD", 2**22)):
        path = tmp_path / "site-packages" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(range(256)) * (size // 256))
    (tmp_path / "link").symlink_to(tmp_path / "site-packages/numpy/a.py")
    (row,) = script.environment_rows(tmp_path)
    assert row.figure == pytest.approx(1, abs=0.1)
    assert row.goal == 120


def test_cold_start_of_a_model_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TaggerError, match="expected to tag a sentence, got an error"):
        list(script.cold_rows(tmp_path, sys.executable, 1))


def test_parts_with_models_need_data(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        script.parse_arguments(["--only", "cold"])
    assert "need --data DIR" in capsys.readouterr().err
