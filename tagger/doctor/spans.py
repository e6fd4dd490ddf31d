"""Find the paths of a corpus that are brat folders, or brat texts and annotations."""

from collections.abc import Sequence
from pathlib import Path

from tagger.formats.detection import split_of
from tagger.formats.standoff.brat import is_brat


def brat_sources(path: Path) -> list[Path]:
    """Return the brat folders in a folder: subfolders that are named as splits, or the folder itself."""
    inside = [folder for folder in sorted(path.iterdir()) if folder.is_dir() and is_brat(folder)]
    named = any(map(split_of, inside)) and not any(path.glob("*.ann"))
    return inside if named else [path]


def without_annotations(paths: Sequence[Path]) -> list[Path]:
    """Return the paths, each once, with each brat annotation file replaced by its text."""
    texts = (path.with_suffix(".txt") if path.suffix == ".ann" else path for path in paths)
    return list(dict.fromkeys(text if is_brat(text) else path for text, path in zip(texts, paths, strict=True)))
