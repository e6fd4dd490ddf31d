"""The faster precision is measured once for each machine, and a cache that does not work changes nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from untrained import untrained_model

import tagger
from tagger.config import EmbeddingsConfig, EncoderConfig, TokensHeadConfig
from tagger.encoding.vocabulary import Vocabulary
from tagger.inference import fastest_precision as module
from tagger.model.folder.torch_model import save_model


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, float]]:
    """Fake measurements, the last of the list first, and an empty cache."""
    values = [{"float32": 1.0, "bfloat16": 2.0}, {"float32": 2.0, "bfloat16": 1.0}]
    monkeypatch.setattr(module, "measure", values.pop)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    monkeypatch.setenv("TAGGER_CACHE", str(tmp_path / "cache" / "tagger"))
    return values


def test_machine_is_measured_once(measured: list[dict[str, float]]) -> None:
    assert [module.fastest_precision() for _ in range(3)] == ["bfloat16"] * 3
    assert len(measured) == 1


def test_another_torch_is_measured_again(measured: list[dict[str, float]], monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.fastest_precision() == "bfloat16"
    monkeypatch.setattr(torch, "__version__", "99.0")
    assert module.fastest_precision() == "float32"


@pytest.mark.parametrize("content", [b"", b"float16\n", b"\xff\xfe", b"[]"])
def test_file_that_is_no_choice_is_measured_and_written_again(
    content: bytes, measured: list[dict[str, float]], tmp_path: Path
) -> None:
    module.fastest_precision()
    (path,) = (tmp_path / "cache" / "tagger").iterdir()
    path.write_bytes(content)
    assert module.fastest_precision() == "float32"
    assert path.read_text() == "float32\n"
    assert list(path.parent.iterdir()) == [path]  # no temporary file is left


def test_cache_that_cannot_be_written_is_measured_again(
    measured: list[dict[str, float]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert [module.fastest_precision() for _ in range(2)] == ["bfloat16", "float32"]
    assert not measured


def test_user_without_a_home_is_measured_again(
    measured: list[dict[str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("TAGGER_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert [module.fastest_precision() for _ in range(2)] == ["bfloat16", "float32"]


def test_processor_without_bfloat16_is_not_measured(
    measured: list[dict[str, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    assert module.fastest_precision() == "float32"
    assert len(measured) == 2


def test_measurements_at_once_leave_one_whole_file(
    measured: list[dict[str, float]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    both = threading.Barrier(2)

    def measure() -> dict[str, float]:
        both.wait(60)  # until the other has not found a file either
        return measured.pop()

    monkeypatch.setattr(module, "measure", measure)
    with ThreadPoolExecutor(2) as pool:
        answers = {f"{answer}\n" for answer in pool.map(lambda _: module.fastest_precision(), range(2))}
    assert answers == {"float32\n", "bfloat16\n"}
    (path,) = (tmp_path / "cache" / "tagger").iterdir()
    assert path.read_text() in answers


def test_measurement_draws_no_random_numbers() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        assert all(seconds > 0 for seconds in module.measure().values())
    assert torch.equal(torch.rand(2), expected)


def test_auto_loads_the_faster_precision(measured: list[dict[str, float]], tmp_path: Path) -> None:
    vocabulary = Vocabulary(["Ada"], list("ad"), {"pos": ["X", "Y"]}, 2)
    heads = {"pos": TokensHeadConfig(kind="tokens", scheme="none")}
    sizes = {"embeddings": EmbeddingsConfig(dimension=4), "encoder": EncoderConfig(hidden_size=3)}
    save_model(untrained_model(vocabulary, heads, **sizes), tmp_path / "model", card="")
    loaded = tagger.load(tmp_path / "model", backend="torch", precision="auto")
    assert loaded.network.encoder.dtype == torch.bfloat16
    assert tagger.load(tmp_path / "model", backend="torch").network.encoder.dtype == torch.float32  # the default
    assert tagger.load(tmp_path / "model", backend="numpy", precision="auto").tag_tokens(["Ada"]).tags("pos")
