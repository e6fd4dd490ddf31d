"""The folder in which the library keeps what can be made again, for all runs of a user."""

import os
from pathlib import Path


def user_cache() -> Path | None:
    """Return the absolute path of the user's cache folder, which may not exist yet; None if the user has no home.

    It is `$TAGGER_CACHE`, or else the folder `tagger` in `$XDG_CACHE_HOME`, in `%LOCALAPPDATA%` or in `~/.cache`.
    """
    if own := os.environ.get("TAGGER_CACHE"):
        return Path(own).absolute()
    named = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        return ((Path(named) if named else Path.home() / ".cache") / "tagger").absolute()
    except RuntimeError:
        return None
