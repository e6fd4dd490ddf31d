"""The backends that this installation has, and a model in a folder that each can load."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tagger.export.folder import export_onnx
from tagger.model.folder import save_model
from tagger.model.network import TorchModel

BACKENDS = ("torch", "numpy", "onnx")


def folder_for(backend: str, model: TorchModel, folder: Path) -> Path:
    """Write a model so that a backend can load it, and return its folder."""
    if backend != "onnx":
        save_model(model, folder, card="")
        return folder
    with TemporaryDirectory() as trained:
        save_model(model, Path(trained), card="")
        export_onnx(Path(trained), folder, overwrite=True)
    return folder
