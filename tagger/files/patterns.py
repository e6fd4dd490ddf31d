"""Paths that are patterns, such as `recordings/*_[0-4].wav`, for many files of one split."""

import glob
from pathlib import Path


def matching(path: Path) -> list[Path]:
    """Return the files and folders that match a pattern, in the order of their names; a path that is none unchanged.

    A path that exists is no pattern, whatever its name.
    """
    name = str(path)
    if not glob.has_magic(name) or path.exists():
        return [path]
    return [Path(found) for found in sorted(glob.glob(name, recursive=True))]  # noqa: PTH207
