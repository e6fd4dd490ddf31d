"""Backends in a pickle: the folder of the model, or its files if it was not loaded from a folder."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from tagger.errors import ModelError
from tagger.model.model import Source

B = TypeVar("B", bound=Any)


def reloaded(content: Source | Mapping[str, bytes], load: Callable[[Path], B]) -> B:
    """Return the backend that was pickled.

    Args:
        content: The folder that the model was loaded from, or the files of a folder.
        load: Loads the model of a folder; the model was trusted before, if that was needed.

    Raises:
        ModelError: The folder of the model cannot be read, or holds another model now.
    """
    if isinstance(content, Source):
        backend = load(content.folder)
        if backend.model.source != content:
            raise ModelError(
                f"{content.folder}: must hold the model that was pickled, but holds another one now; load this model "
                f"and pickle that"
            )
        return backend
    with TemporaryDirectory(prefix="tagger-") as folder:
        for name, file in content.items():
            Path(folder, name).write_bytes(file)
        backend = load(Path(folder))
    backend.model = replace(backend.model, source=None)
    return backend
