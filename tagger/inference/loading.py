"""The choice of the backend that runs a model. Only the module of the chosen one is imported."""

from importlib.util import find_spec
from pathlib import Path
from typing import get_args

from tagger.errors import MissingExtraError, ModelError
from tagger.inference.predict import Backend
from tagger.model.folder.feature_files import torch_parts
from tagger.model.folder.opening import GRAPH, is_exported
from tagger.text.choices import BackendName, Precision

PACKAGES = {  # what a backend needs, and how to install it
    "torch": ("torch", "pip install torch"),
    "onnx": ("onnxruntime", 'pip install "tagger-bilstm[onnx]"'),
}


def load_backend(
    path: str | Path,
    backend: BackendName = "auto",
    *,
    device: str = "cpu",
    precision: Precision = "float32",
    threads: int | None = None,
    trusted: bool = False,
) -> Backend:
    """Return the backend with the model of a folder; the arguments are those of `tagger.load`.

    Raises:
        ModelError: The folder cannot be read, or the backend cannot run it, or has no such device or precision.
        MissingExtraError: The backend needs a package that is not installed.
    """
    name = chosen_backend(path, backend)
    if precision not in get_args(Precision):
        raise ModelError(f'precision must be "float32", "bfloat16" or "auto", got {precision!r}')
    if name == "torch":
        from tagger.inference.torch_backend import load_torch

        return load_torch(path, device=device, precision=precision, threads=threads, trusted=trusted)
    precision = "float32" if precision == "auto" else precision  # these backends have no other
    for setting, value, only in (("device", device, "cpu"), ("precision", precision, "float32")):
        if value != only:
            raise ModelError(
                f'{path}: the backend "{name}" has only {setting} "{only}", got "{value}"; use {setting}="{only}", or '
                'backend="torch" with the folder that training wrote'
            )
    if name == "numpy":
        from tagger.inference.numpy_backend import load_numpy

        return load_numpy(path, threads=threads, trusted=trusted)
    from tagger.inference.onnx_backend import load_onnx

    return load_onnx(path, threads=threads, trusted=trusted)


def chosen_backend(path: str | Path, backend: BackendName) -> BackendName:
    """Return the backend that runs the model of a folder: the one that is asked for, or the best one for `auto`.

    Raises:
        ModelError: There is no such backend, or it needs a folder of another kind.
        MissingExtraError: The backend needs a package that is not installed.
    """
    if backend not in get_args(BackendName):
        raise ModelError(f"backend must be one of {', '.join(get_args(BackendName))}, got {backend!r}")
    exported = is_exported(Path(path))
    if backend == "auto":
        return "onnx" if exported else "torch" if find_spec("torch") else "numpy"
    for kind, obstacle in ((ModelError, _unfit(backend, Path(path), exported)), (MissingExtraError, _missing(backend))):
        if obstacle:
            raise kind(f'{path}: the backend "{backend}" cannot run the model: {obstacle}')
    return backend


def fast_backend(path: Path) -> BackendName:
    """Return the backend that tags a text soonest on a CPU: torch takes seconds to load, so another if one can."""
    exported = is_exported(path)
    return "onnx" if exported else "torch" if _unfit("numpy", path, exported) else "numpy"


def backends_of(folder: Path) -> dict[str, str]:
    """Return for each backend whether it can run the model of a folder: `yes`, or why not."""
    exported = is_exported(folder)
    names: list[BackendName] = [name for name in get_args(BackendName) if name != "auto"]
    obstacles = {name: _unfit(name, folder, exported) or _missing(name) for name in names}
    return {name: f"no, {obstacle}" if obstacle else "yes" for name, obstacle in obstacles.items()}


def _unfit(backend: BackendName, folder: Path, exported: bool) -> str | None:
    """Return why a backend cannot run a model wherever it is installed, and what to do; None if it can."""
    if backend != "torch" and not exported and (parts := torch_parts(folder)):
        return f"its {parts[0]} needs torch; use the backend torch"
    if exported != (backend == "onnx"):
        advice = "use the backend onnx" if exported else "export the model with tagger export first"
        return f"the folder holds {'' if exported else 'no '}{GRAPH}; {advice}"
    return None


def _missing(backend: BackendName) -> str | None:
    """Return which package a backend lacks, and what to do; None if it has all."""
    package, command = PACKAGES.get(backend, ("numpy", ""))
    return None if find_spec(package) else f"{package} is not installed; run {command}"
