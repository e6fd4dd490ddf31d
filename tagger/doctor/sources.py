"""Read what `tagger check` is given: files that may be invalid, folders, and datasets.

The split of a file is given or follows from its name. Format and columns are detected once, in the first file, because
a corpus has one format.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path

from tagger.config import DataConfig, ReadingConfig, parse_section
from tagger.corpus.detecting import detected, label_comments, said_of_comment, with_labels
from tagger.corpus.splitting import SPLITS
from tagger.doctor.findings import Findings
from tagger.doctor.lines import scan_text
from tagger.errors import DataError, gather
from tagger.formats.detection import split_of
from tagger.formats.source import Source
from tagger.formats.table import FORMATS, read_file
from tagger.formats.tally import Tally
from tagger.formats.tools.items import json_items
from tagger.hub.lazy import read_dataset
from tagger.text.choices import WITHOUT_LINES
from tagger.text.schemes import Scheme
from tagger.text.sentence import Origin, Sentence
from tagger.wording import quoted

NO_DATA = (
    "licen",
    "readme",
    "attribution",
    "labels.",
    "categories.",
    "copying",
    "acknowledg",
    "changelog",
    "notice",
    ".",
)
NO_TEXT = {".md", ".py", ".zip", ".pdf", ".png", ".vec", ".html"}
DATASET_FILES = ("dataset_dict.json", "dataset_info.json", "*.parquet", "*/*.parquet", "*.arrow")

Paths = str | Path | Sequence[str | Path]


@dataclass(slots=True)
class Material:
    """The sentences to check, and what is known from reading them."""

    splits: dict[str, Sequence[Sentence]] = field(default_factory=dict)
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    format: str | None = None
    columns: tuple[str, ...] | None = None
    schemes: Mapping[str, Scheme | None] = field(default_factory=dict)
    errors: Findings = field(default_factory=Findings)
    notes: list[str] = field(default_factory=list)


def as_list(paths: Paths) -> list[str | Path]:
    """Return one path or several as a list."""
    return [paths] if isinstance(paths, (str, Path)) else list(paths)


def _given(source: Paths | Mapping[str, Paths]) -> list[str | Path]:
    """Return the paths of all splits as a list."""
    named = source.values() if isinstance(source, Mapping) else [source]
    return [path for paths in named for path in as_list(paths)]


def find_sources(source: Paths | Mapping[str, Paths], *, brat: bool = True) -> dict[str, list[Path]] | str:
    """Return the files of each split, or the id or folder of a dataset; a `brat` folder counts as one file.

    Raises:
        DataError: There is no file, a folder contains no data files, a split has an unknown name, or a file is given
            twice in one split.
    """
    given = _given(source)
    if "" in given:
        raise DataError("a file must have a name, got an empty one; pass the file, or . for this folder")
    if "-" in map(str, given):
        raise DataError(
            "-: expected a file, because it is read more than once; write standard input to a file and pass that"
        )
    if isinstance(source, Mapping):
        if unknown := ", ".join(split for split in source if split not in SPLITS):
            raise DataError(f"splits must be named {', '.join(SPLITS)}, got {unknown}")
        return {split: _paths(as_list(source[split]), brat) for split in SPLITS if source.get(split)}
    if not given:
        raise DataError("expected a file to check, got none; pass one")
    if len(given) == 1 and _is_dataset(Path(given[0])):
        return str(given[0])
    splits: dict[str, list[Path]] = {name: [] for name in SPLITS}
    for file in _once([file for path in _paths(given, brat) for file in _files_of(path, brat)]):
        splits[split_of(file) or "train"].append(file)
    return {name: found for name, found in splits.items() if found}


def _once(paths: Sequence[str | Path]) -> list[Path]:
    """Return the paths, after checking that no two lead to the same file: its sentences would count twice."""
    counts = Counter(map(os.path.realpath, paths))  # a link to itself stays as it is
    if twice := [str(path) for path in paths if counts[os.path.realpath(path)] > 1]:
        raise DataError(f"{twice[0]}: must be given once, got it {len(twice)} times; remove the others")
    return [Path(path) for path in paths]


def _paths(paths: Sequence[str | Path], brat: bool) -> list[Path]:
    """Return the paths; with `brat`, each brat annotation file is replaced by its text."""
    found = _once(paths)
    if not brat:
        return found
    texts = (path.with_suffix(".txt") if path.suffix == ".ann" else path for path in found)
    return list(dict.fromkeys(text if _whole_format(text) else path for text, path in zip(texts, found, strict=True)))


def _files_of(path: Path, brat: bool) -> list[Path]:
    """Return the files of a path; with `brat`, its subfolders named as splits or the path itself if it is brat."""
    if not path.is_dir():
        return [path]
    inside = [folder for folder in sorted(path.iterdir()) if folder.is_dir() and _whole_format(folder)]
    if brat and any(map(split_of, inside)) and not any(path.glob("*.ann")):
        return inside
    return [path] if brat and _whole_format(path) else _files_in(path)


def _whole_format(path: Path) -> str | None:
    """Return the format of a path that is read as a whole, such as a folder of brat files; None if it is none."""
    return next((name for name, row in FORMATS.items() if row.is_path is not None and row.is_path(path)), None)


def _is_dataset(path: Path) -> bool:
    """Whether a path is the folder of a dataset, or may be the id of one instead of a path."""
    if path.is_dir():
        return any(any(path.glob(pattern)) for pattern in DATASET_FILES)
    if path.exists() or path.is_absolute() or path.suffix or len(path.parts) > 2:
        return False
    return len(path.parts) == 1 or not path.parent.exists()  # a path in an existing folder is a missing file


def _files_in(folder: Path) -> list[Path]:
    """Return the files of a folder that may be data."""
    files = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.lower().startswith(NO_DATA) and path.suffix.lower() not in NO_TEXT
    ]
    if not files:
        folders = ", ".join(sorted(path.name for path in folder.iterdir() if path.is_dir()))
        advice = f"pass one of its folders: {folders}" if folders else "check the path"
        raise DataError(f"{folder}: expected data files, got none; {advice}")
    return files


def notes_on_unread(source: Paths | Mapping[str, Paths], *, brat: bool) -> Iterator[str]:
    """Yield a note on each folder in which files were not read, except hidden ones and brat folders."""
    for folder in dict.fromkeys(map(Path, _given(source))):
        if folder.is_dir() and not (brat and any(map(_whole_format, (folder, *folder.iterdir())))):
            read = _files_in(folder)
            others = [path for path in sorted(folder.iterdir()) if path not in read and path.name[0] != "."]
            shown = ", ".join(f"{path.name}/" if path.is_dir() else path.name for path in others)
            if others:
                yield f"not read in {folder}: {shown}; pass them if they are data"


def read_material(sources: Mapping[str, Sequence[Path]], reading: ReadingConfig) -> Material:
    """Return the sentences of files, and all errors in their lines; what `reading` does not say is detected.

    Raises:
        DataError: A file cannot be read at all, or its format is unknown; the message names all such files.
    """
    material = Material(format=reading.format, columns=reading.columns)
    files = list(chain.from_iterable(sources.values()))
    if reading.format is None and files and (whole := _whole_format(files[0])):
        material.format = whole
        material.notes.append(f"detected format {whole} in {files[0]}")
    read = (
        [] if material.format in WITHOUT_LINES else [path for path in files if not path.is_dir()]
    )  # others are read whole
    texts = dict(
        zip(read, gather(partial(scan_text, path, material.errors, reading.encoding) for path in read), strict=True)
    )
    filled = [path for path, (lines, _) in texts.items() if any(map(str.strip, lines))]
    if filled and (material.format is None or (material.format == "conll" and material.columns is None)):
        lines, path = texts[filled[0]][0], str(filled[0])
        material.format, material.columns, note = detected(lines, path, material.format, reading)
        material.notes.append(note)
    config = reading.model_copy(
        update={
            "format": material.format or "conll",
            "columns": material.columns if material.format else ("token",),  # if no file has a line to detect it from
            "layer": reading.layer if material.format == "labelled" else None,
        }
    )
    tally = Tally()
    for split, paths in sources.items():
        found = {path: texts.get(path, ([], "UTF-8")) for path in paths}
        material.files[split] = {str(path): encoding for path, (_, encoding) in found.items()}
        material.splits[split] = [
            sentence
            for path, (lines, _) in found.items()
            for sentence in _read(path, lines, config, tally, material.errors)
        ]
    material.notes += tally.notes()
    if material.format == "conll":
        _add_labels(material)
    return material


def _read(path: Path, lines: list[str], config: ReadingConfig, tally: Tally, errors: Findings) -> list[Sentence]:
    """Return the sentences of a file, and add its errors; what is read as a whole needs no `lines`."""
    if config.format not in WITHOUT_LINES and not path.is_dir() and not any(map(str.strip, lines)):
        got = "blank lines only" if lines else "no bytes"
        errors.add("form", f"{path}:1", f"the file must not be empty, got {got}; check the path")
        return []
    sentences = read_file(str(config.format), Source(str(path), lambda: lines, path), config, tally, errors)
    if config.format == "jsonl" and sentences and not any(sentence.layers for sentence in sentences):
        _refuse_no_layer(path, lines, errors)
    return sentences


def _refuse_no_layer(path: Path, lines: Sequence[str], errors: Findings) -> None:
    """Report a file of JSON without a layer, with the keys of its objects."""
    rows = (item.value for item in json_items(lines, str(path)) if isinstance(item.value, dict))
    keys = dict.fromkeys(key for row in rows for key in row)
    message = (
        f"expected tags, spans or labels, got the keys {quoted(keys)}, none of which is a layer; write tags as "
        '"ner_tags": [...], one string per token, spans as "label": [[start, end, type]], and the label of a text as '
        '"label": "good"'
    )
    errors.add("layers", f"{path}:1", message)


def _add_labels(material: Material) -> None:
    """Make a layer of each comment that looks like a label."""
    keys = list(label_comments(list(chain.from_iterable(material.splits.values()))))
    material.notes += map(said_of_comment, keys)
    for split, part in material.splits.items() if keys else ():
        material.splits[split] = [with_labels(sentence, keys) for sentence in part]


def read_material_of_dataset(dataset: str) -> Material:
    """Return the sentences of a Hugging Face dataset; their positions are its rows, counted from 1.

    Raises:
        DataError: There is no such file or dataset, or its columns are not suitable.
    """
    config = parse_section(DataConfig, {"dataset": dataset}, where="check")
    splits: dict[str, Sequence[Sentence]] = {}
    try:
        _, found, notes = read_dataset(config, dataset)
    except DataError as error:
        if Path(dataset).exists():
            raise
        reason = str(error).removeprefix(f"{dataset}: ").partition("; ")[0]
        raise DataError(f"{dataset}: no such file or folder, and no dataset that can be loaded ({reason})") from None
    for split, sentences in found.items():
        where = f"{dataset} ({split})"
        splits[split] = [replace(s, origin=s.origin or Origin(where, (i,))) for i, s in enumerate(sentences, 1)]
    return Material(splits, notes=notes)
