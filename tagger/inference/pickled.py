"""Backends in a pickle: the folder of the model, or its files if it was not loaded from a folder."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from tagger.errors import ModelError
from tagger.files.hashes import CONFIG
from tagger.model.folder.opening import stamp
from tagger.model.model import Source
from tagger.text.tokenization import TextRules

B = TypeVar("B", bound=Any)


def reloaded(
    content: Source | Mapping[str, bytes], load: Callable[..., B], *, rules: TextRules | None, **settings: Any
) -> B:
    """Return the backend that was pickled.

    A process keeps the backend of a folder that it returned last, for a pool may pickle a tagger with each of its
    tasks.

    Args:
        content: The folder that the model was loaded from, or the files of a folder.
        load: Loads the model of a folder; the model was trusted before, if that was needed.
        rules: How to split raw text. Default: as the model says.
        settings: Keyword arguments of `load`.

    Raises:
        ModelError: The folder of the model cannot be read, or holds another model now.
    """
    if isinstance(content, Source):
        backend = _kept(load, content.folder, stamp(content.folder / CONFIG), **settings)
        if backend.model.source != content:
            raise ModelError(
                f"{content.folder}: must hold the model that was pickled, but holds another one now; load this model "
                f"and pickle that"
            )
    else:
        with TemporaryDirectory(prefix="tagger-") as folder:
            for name, file in content.items():
                Path(folder, name).write_bytes(file)
            backend = load(Path(folder), **settings)
        backend.model = replace(backend.model, source=None)
    found: B = backend if rules is None else backend.with_rules(rules)
    return found


@lru_cache(maxsize=1)
def _kept(load: Callable[..., B], folder: Path, saved: object, **settings: Any) -> B:
    """Return the backend with the model of a folder, where `saved` differs when another model is saved there."""
    return load(folder, **settings)
