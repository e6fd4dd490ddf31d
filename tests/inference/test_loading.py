"""The choice of a backend: by what a folder holds, what is installed and what is asked for."""

from pathlib import Path

import pytest

from tagger.errors import MissingExtraError, ModelError
from tagger.inference import loading
from tagger.inference.loading import backends_of, chosen_backend, fast_backend
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


HOLDS = "the folder holds model.onnx; use the backend onnx"
HOLDS_NO = "the folder holds no model.onnx; export the model with tagger export first"
NO_TORCH = "torch is not installed; run pip install torch"
NO_ONNX = 'onnxruntime is not installed; run pip install "tagger-bilstm[onnx]"'


@pytest.mark.parametrize(
    ("holds_graph", "missing", "obstacles"),
    [
        (False, [], {"torch": None, "numpy": None, "onnx": HOLDS_NO}),
        (True, [], {"torch": HOLDS, "numpy": HOLDS, "onnx": None}),
        (False, ["torch"], {"torch": NO_TORCH, "numpy": None, "onnx": HOLDS_NO}),
        (True, ["onnxruntime"], {"torch": HOLDS, "numpy": HOLDS, "onnx": NO_ONNX}),
    ],
)
def test_what_keeps_a_backend_from_running_a_model_is_said(
    holds_graph: bool,
    missing: list[str],
    obstacles: dict[str, str | None],
    exported: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loading, "find_spec", lambda name: name not in missing or None)
    folder = exported if holds_graph else tmp_path
    assert backends_of(folder) == {name: f"no, {why}" if why else "yes" for name, why in obstacles.items()}
    for name, why in obstacles.items():
        if why is None:
            assert chosen_backend(folder, name) == name
            continue
        with pytest.raises(MissingExtraError if "not installed" in why else ModelError) as caught:
            load(folder, backend=name)
        assert str(caught.value) == f'{folder}: the backend "{name}" cannot run the model: {why}'


def test_an_unknown_backend_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="backend must be one of auto, torch, numpy, onnx, got 'jax'"):
        load(tmp_path, backend="jax")


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


@pytest.mark.parametrize("backend", ["auto", "onnx"])
def test_a_folder_that_is_missing_is_said_to_be(backend: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model folder; give the folder that training wrote"):
        load(tmp_path / "missing", backend=backend)


def test_the_model_inside_a_folder_decides(exported: Path) -> None:
    exported.rename(exported.with_name("model"))
    assert chosen_backend(exported.parent, "auto") == "onnx"
    (exported.with_name("model") / "model.onnx").rename(exported.parent / "model.onnx")  # beside the model of a run
    assert chosen_backend(exported.parent, "numpy") == "numpy"


def test_threads_below_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        load(tmp_path, threads=0)


def test_a_text_is_tagged_soonest_without_torch(exported: Path, tmp_path: Path) -> None:
    assert fast_backend(exported) == "onnx"
    assert fast_backend(tmp_path) == "numpy"
    (tmp_path / "config.json").write_text('{"features": {"chars": {"kind": "charlm"}, "shape": {"kind": "shape"}}}')
    assert fast_backend(tmp_path) == "torch"
