"""The choice of a backend: by what a folder holds, what is installed and what is asked for."""

from pathlib import Path

import pytest

from tagger.errors import ModelError
from tagger.inference import loading
from tagger.inference.loading import chosen_backend
from tagger.tagging import load


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    (tmp_path / "exported").mkdir()
    (tmp_path / "exported" / "model.onnx").write_bytes(b"")
    return tmp_path / "exported"


@pytest.mark.parametrize(("installed", "wanted"), [(True, "torch"), (False, "numpy")])
def test_auto_takes_what_runs_the_folder(
    installed: bool, wanted: str, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "find_spec", lambda name: installed or None)
    assert chosen_backend(exported, "auto") == "onnx"
    assert chosen_backend(tmp_path, "auto") == wanted


def test_a_backend_that_cannot_run_a_folder_is_refused(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path, backend, problem in (
        (exported, "torch", r'holds model\.onnx, so the backend "torch" cannot run it; use backend="onnx"'),
        (exported, "numpy", r'holds model\.onnx, so the backend "numpy" cannot run it; use backend="onnx"'),
        (tmp_path, "onnx", r'holds no model\.onnx, so the backend "onnx" cannot run it; export the model'),
        (tmp_path, "jax", "backend must be one of auto, torch, numpy, onnx, got 'jax'"),
    ):
        with pytest.raises(ModelError, match=problem):
            load(path, backend=backend)
    monkeypatch.setattr(loading, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match='"torch" needs torch, which is not installed; pip install torch, or use "nu'):
        load(tmp_path, backend="torch")


@pytest.mark.parametrize("settings", [{"device": "cuda"}, {"precision": "bfloat16"}])
def test_a_backend_that_cannot_do_what_is_asked_says_so(settings: dict[str, str], tmp_path: Path) -> None:
    (name, value), *_ = settings.items()
    only = {"device": "cpu", "precision": "float32"}[name]
    with pytest.raises(ModelError) as caught:
        load(tmp_path, backend="numpy", **settings)
    assert str(caught.value) == (
        f'{tmp_path}: the backend "numpy" has only {name} "{only}", got "{value}"; use {name}="{only}", or '
        'backend="torch" with the folder that training wrote'
    )


def test_threads_below_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        load(tmp_path, threads=0)
