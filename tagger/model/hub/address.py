"""The address of a model on the hub: `hf://owner/name`, or `hf://owner/name@revision`."""

import re
from pathlib import Path, PurePath
from typing import NamedTuple

from tagger.errors import ModelError
from tagger.wording import shorten

START = "hf:/"  # a path has one slash where the address has two
_ADDRESS = re.compile(r"hf:/{1,2}(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./+-]+))?")
_CACHED = "models--"  # how the cache of `huggingface_hub` names the folder of a repository


class Address(NamedTuple):
    """A repository of the hub, and a branch, tag or commit of it; None for its main branch."""

    repo: str
    revision: str | None

    def __str__(self) -> str:
        return f"hf://{self.repo}" + (f"@{self.revision}" if self.revision else "")


def address_of(name: str | Path) -> Address | None:
    """Return the address that a name of a model is; None if it is a path.

    Raises:
        ModelError: It begins as an address, but is none.
    """
    text = name.as_posix() if isinstance(name, PurePath) else name
    if not text.startswith(START):
        return None
    found = _ADDRESS.fullmatch(text)
    if found is None or ".." in text:
        raise ModelError(
            f"a model of the Hugging Face hub must be hf://owner/name or hf://owner/name@revision, got {shorten(text)}"
        )
    return Address(found["repo"], found["revision"])


def name_of(folder: Path) -> str:
    """Return the name of a model by its folder: that of its run, of its repository on the hub, or of the folder."""
    repository = folder.parent.parent.name
    if folder.parent.name == "snapshots" and repository.startswith(_CACHED):
        return repository.removeprefix(_CACHED).replace("--", "/", 1)
    return folder.parent.name if folder.name == "model" else folder.name
