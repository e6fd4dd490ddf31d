"""The backends, and a model in a folder that each can load."""

from pathlib import Path

from tagger.export.folder import export_onnx
from tagger.model.folder.torch_model import save_model
from tagger.model.network import TorchModel

BACKENDS = ("torch", "numpy", "onnx")


def folder_for(backend: str, model: TorchModel, folder: Path) -> Path:
    """Write a model so that a backend can load it, and return its folder."""
    if backend != "onnx":
        save_model(model, folder, card="")
        return folder
    source = folder.with_name(f"{folder.name}-trained")
    save_model(model, source, card="")
    export_onnx(source, folder, overwrite=True)
    return folder
