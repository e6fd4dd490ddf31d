"""Read what `tagger check` is given: files that may be invalid, folders, and datasets.

The split of a file is given or follows from its name. Format and columns are detected once, in the first file, because
a corpus has one format.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tagger.config import DataConfig, ReadingConfig, parse_section
from tagger.corpus.splitting import SPLITS
from tagger.doctor.findings import Findings
from tagger.doctor.lines import Text, scan_text
from tagger.doctor.spans import brat_sources, without_annotations
from tagger.errors import DataError
from tagger.formats.detection import Reading, detect_reading, split_of
from tagger.formats.source import Source
from tagger.formats.standoff.annotation_tools import holds_spans
from tagger.formats.standoff.brat import is_brat
from tagger.formats.table import read_file
from tagger.formats.tally import Tally
from tagger.hub.lazy import read_dataset
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, Origin, Sentence
from tagger.text.tokenization import Tokenize

NO_DATA = ("licen", "readme", "copying", "acknowledg", "changelog", "notice", ".")
NO_TEXT = {".md", ".py", ".zip", ".pdf", ".png", ".vec", ".html"}
DATASET_FILES = ("dataset_dict.json", "dataset_info.json", "*.parquet", "*/*.parquet", "*.arrow")
MAX_LABELS = 100

Paths = str | Path | Sequence[str | Path]


@dataclass(slots=True)
class Material:
    """The sentences to check, and what is known from reading them."""

    splits: dict[str, Sequence[Sentence]] = field(default_factory=dict)
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    reading: Reading | None = None
    schemes: Mapping[str, Scheme | None] = field(default_factory=dict)
    errors: Findings = field(default_factory=Findings)
    notes: list[str] = field(default_factory=list)


def as_list(paths: Paths) -> list[str | Path]:
    """Return one path or several as a list."""
    return [paths] if isinstance(paths, (str, Path)) else list(paths)


def find_sources(source: Paths | Mapping[str, Paths], *, brat: bool = True) -> dict[str, list[Path]] | str:
    """Return the files of each split, or the id or folder of a dataset; a `brat` folder counts as one file.

    Raises:
        DataError: There is no file, a folder contains no data files, a split has an unknown name, or a file is given
            twice in one split.
    """
    _refuse_no_files(source)
    if isinstance(source, Mapping):
        if unknown := ", ".join(split for split in source if split not in SPLITS):
            raise DataError(f"splits must be named {', '.join(SPLITS)}, got {unknown}")
        return {split: _paths(_once(as_list(source[split])), brat) for split in SPLITS if source.get(split)}
    paths = as_list(source)
    if not paths:
        raise DataError("expected a file to check, got none; pass one")
    if len(paths) == 1 and _is_dataset(Path(paths[0])):
        return str(paths[0])
    files = _once([file for path in _paths(_once(paths), brat) for file in _files_of(path, brat)])
    splits: dict[str, list[Path]] = {name: [] for name in SPLITS}
    for file in files:
        splits[split_of(file) or "train"].append(file)
    return {name: found for name, found in splits.items() if found}


def _refuse_no_files(source: Paths | Mapping[str, Paths]) -> None:
    """Raise for paths that are not files: the empty one, which would mean this folder, and `-`."""
    named = source.values() if isinstance(source, Mapping) else [source]
    given = [path for paths in named for path in as_list(paths)]
    if "" in given:
        raise DataError("a file must have a name, got an empty one; pass the file, or . for this folder")
    if "-" in map(str, given):
        raise DataError(
            "-: expected a file, because it is read more than once; write standard input to a file and pass that"
        )


def _once(paths: Sequence[str | Path]) -> list[Path]:
    """Return the paths, after checking that no two lead to the same file: its sentences would count twice."""
    counts = Counter(map(os.path.realpath, paths))  # a link to itself stays as it is
    if twice := [str(path) for path in paths if counts[os.path.realpath(path)] > 1]:
        raise DataError(f"{twice[0]}: must be given once, got it {len(twice)} times; remove the others")
    return [Path(path) for path in paths]


def _paths(paths: Sequence[str | Path], brat: bool) -> list[Path]:
    found = [Path(path) for path in paths]
    return without_annotations(found) if brat else found


def _files_of(path: Path, brat: bool) -> list[Path]:
    """Return the files of a path, or the brat folders."""
    if not path.is_dir():
        return [path]
    return brat_sources(path) if brat and is_brat(path) else _files_in(path)


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


def left_aside(source: Paths | Mapping[str, Paths], *, brat: bool) -> Iterator[str]:
    """Yield a note on each folder in which files were not read, except hidden ones and brat folders."""
    named = source.values() if isinstance(source, Mapping) else [source]
    for folder in dict.fromkeys(Path(path) for paths in named for path in as_list(paths)):
        if folder.is_dir() and not (brat and is_brat(folder)):
            read = _files_in(folder)
            others = [path for path in sorted(folder.iterdir()) if path not in read and path.name[0] != "."]
            shown = ", ".join(f"{path.name}/" if path.is_dir() else path.name for path in others)
            if others:
                yield f"not read in {folder}: {shown}; pass them if they are data"


def read_material(
    sources: Mapping[str, Sequence[Path]],
    reading: Reading | None,
    *,
    layer: str,
    tokenize: Tokenize,
    scheme: Scheme | None = None,
) -> Material:
    """Return the sentences of files, and all errors in their lines.

    Raises:
        DataError: A file cannot be read at all, or its format is unknown; the message names all such files.
    """
    material = Material()
    first = next((path for paths in sources.values() for path in paths), None)
    if reading is None and first is not None and is_brat(first):
        reading = Reading("brat")
        material.notes.append(f"detected format brat in {first}")
    brat = reading is not None and reading.format == "brat"
    texts = {} if brat else _read_texts(sources, material.errors)
    if reading is None or (reading.format == "conll" and reading.columns is None):
        filled = [(path, text) for path, text in texts.items() if any(map(str.strip, text.lines))]
        for path, text in filled[:1]:
            reading = detect_reading(text.lines, where=str(path), format=reading.format if reading else None)
            columns = f" with columns {', '.join(reading.columns)}" if reading.columns else ""
            spans = " with character spans" if reading.format == "jsonl" and holds_spans(text.lines) else ""
            material.notes.append(f"detected format {reading.format}{columns}{spans} in {path}")
    material.reading = reading
    config = ReadingConfig.model_construct(
        format=reading.format if reading else "conll",
        columns=reading.columns if reading else ("token",),  # if no file has a line to detect it from
        layer=layer if reading and reading.format == "labelled" else None,
        scheme=scheme,
        tokenize=tokenize,
    )
    tally = Tally()
    for split, paths in sources.items():
        material.files[split] = {str(path): texts[path].encoding if path in texts else "UTF-8" for path in paths}
        material.splits[split] = [
            sentence for path in paths for sentence in _read(path, texts.get(path), config, tally, material.errors)
        ]
    material.notes += tally.notes()
    _add_labels(material)
    return material


def _read(path: Path, text: Text | None, config: ReadingConfig, tally: Tally, errors: Findings) -> list[Sentence]:
    """Return the sentences of a file, and add its errors; for brat, `text` is None."""
    lines = text.lines if text else []
    if text and text.encoding == "UTF-16":  # reported already
        return []
    if text and not any(line.strip() for line in lines):
        errors.add("form", f"{path}:1", "the file must not be empty, got only blank lines; check the path")
        return []
    before = tally.unread.copy()
    sentences = read_file(str(config.format), Source(str(path), lambda: lines, path), config, tally, errors)
    unread = tally.unread - before
    if config.format == "jsonl" and unread and sentences and not any(sentence.layers for sentence in sentences):
        names = ", ".join(f"`{key}`" for key in unread)
        errors.add(
            "layers",
            f"{path}:1",
            f"expected tags or labels, got none, and keys that are ignored ({names}); write tags as "
            '"tags": {"ner": [...]} or "ner_tags": [...], one string per token',
        )
    return sentences


def _read_texts(sources: Mapping[str, Sequence[Path]], errors: Findings) -> dict[Path, Text]:
    texts, problems = {}, []
    for path in (path for paths in sources.values() for path in paths):
        try:
            texts[path] = scan_text(path, errors)
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError.of(problems)
    return texts


def _add_labels(material: Material) -> None:
    """Make a layer of each comment of column files that looks like a label: on most sentences, with few values."""
    if material.reading is None or material.reading.format != "conll":
        return
    everything = [sentence for part in material.splits.values() for sentence in part]
    for key in _label_keys(everything):
        material.notes.append(f"the comment `# {key}` is read as a label of the sentence")
        for split, part in material.splits.items():
            material.splits[split] = [_with_label(sentence, key) for sentence in part]


def _label_keys(sentences: Sequence[Sentence]) -> Iterator[str]:
    """Yield the comments that most sentences have, with few values, each of which occurs often."""
    for key in sentences[0].meta if sentences else ():
        values = [sentence.meta[key] for sentence in sentences if sentence.meta.get(key)]
        distinct = len(set(values))
        if len(values) * 10 >= len(sentences) * 9 and 1 < distinct <= min(MAX_LABELS, len(values) // 5):
            yield key


def _with_label(sentence: Sentence, key: str) -> Sentence:
    value = sentence.meta.get(key)
    return replace(sentence, layers={**sentence.layers, key: Label(value)}) if value else sentence


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
