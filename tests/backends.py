"""The backends that this installation has, and a model in a folder that each can load."""

from pathlib import Path

from tagger.model.folder import save_model
from tagger.model.network import TorchModel

BACKENDS = ("torch", "numpy")


def folder_for(backend: str, model: TorchModel, folder: Path) -> Path:
    """Write a model so that a backend can load it, and return its folder."""
    save_model(model, folder, card="")
    return folder
