"""What is to be audited, brought to sentences: files read tolerantly, folders, and datasets.

Which file is which split is told from its name unless it is said. Formats and columns are detected once, in the first
file, for a corpus has one format.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tagger.config import DataConfig, parse_section
from tagger.data.annotated import Tally
from tagger.data.audit_annotated import audit_brat
from tagger.data.audit_lines import Text, scan_sentences, scan_text
from tagger.data.brat import is_brat
from tagger.data.corpus import SPLITS
from tagger.data.detection import FileFormat, Reading, detect_reading, split_of
from tagger.data.findings import Findings
from tagger.data.labelled import Tokenize
from tagger.data.lazy import read_dataset
from tagger.data.schemes import Scheme
from tagger.data.sentence import Label, Origin, Sentence
from tagger.data.spanned import holds_spans
from tagger.errors import DataError

NO_DATA = ("licen", "readme", "copying", "acknowledg", "changelog", "notice", ".")
NO_TEXT = {".md", ".py", ".zip", ".pdf", ".png", ".vec", ".html"}
DATASET_FILES = ("dataset_dict.json", "dataset_info.json", "*.parquet", "*/*.parquet", "*.arrow")
MAX_LABELS = 100

Paths = str | Path | Sequence[str | Path]


@dataclass(slots=True)
class Material:
    """The sentences to be looked at, and what is known of them from their reading."""

    splits: dict[str, Sequence[Sentence]] = field(default_factory=dict)
    files: dict[str, dict[str, str]] = field(default_factory=dict)
    reading: Reading | None = None
    schemes: Mapping[str, Scheme | None] = field(default_factory=dict)
    errors: Findings = field(default_factory=Findings)
    notes: list[str] = field(default_factory=list)
    written: bool = False  # whether the tags were written by a reader, from entities as characters


def as_list(paths: Paths) -> list[str | Path]:
    """One path or several, as a list."""
    return [paths] if isinstance(paths, (str, Path)) else list(paths)


def find_sources(source: Paths | Mapping[str, Paths], format: FileFormat | None = None) -> dict[str, list[Path]] | str:
    """The files of each split, or the id or folder of a dataset; a folder of brat stands for its texts.

    Raises:
        DataError: There is no file, a folder has none that may be data, a split has another name than ours, or a file
            is named twice in one split.
    """
    if isinstance(source, Mapping):
        if unknown := ", ".join(split for split in source if split not in SPLITS):
            raise DataError(f"splits must be named {', '.join(SPLITS)}, got {unknown}")
        named = {split: _files_of(as_list(source[split]), format) for split in SPLITS if source.get(split)}
        return _once(named)
    paths = as_list(source)
    if not paths:
        raise DataError("there must be a file to check, got none; name one")
    if len(paths) == 1 and format is None and _is_dataset(Path(paths[0])):
        return str(paths[0])
    splits: dict[str, list[Path]] = {name: [] for name in SPLITS}
    for file in _files_of(paths, format):
        splits[split_of(file) or "train"].append(file)
    return _once({name: found for name, found in splits.items() if found})


def _once(splits: dict[str, list[Path]]) -> dict[str, list[Path]]:
    """The files of each split, none of which is named twice."""
    for split, files in splits.items():
        counts = Counter(file.resolve() for file in files)
        if twice := [file for file in files if counts[file.resolve()] > 1]:
            raise DataError(f"{twice[0]}: must be named once in {split}, got it {counts[twice[0].resolve()]} times")
    return splits


def _files_of(paths: Sequence[str | Path], format: FileFormat | None) -> list[Path]:
    """The files that paths stand for: those of a folder, and for an annotation of brat the text beside it."""
    files: list[Path] = []
    for path in map(Path, paths):
        if format in (None, "brat") and path.suffix == ".ann" and is_brat(path.with_suffix(".txt")):
            files += [] if path.with_suffix(".txt") in map(Path, paths) else [path.with_suffix(".txt")]
        elif not path.is_dir():
            files.append(path)
        elif format == "brat" or (format is None and is_brat(path)):
            files += _brat_in(path)
        else:
            files += _choose(path)[0]
    return files


def _brat_in(folder: Path) -> list[Path]:
    """The folders of a folder of brat whose names say a split, if all texts are in such; else the folder itself."""
    texts = {path.relative_to(folder).parts for path in folder.rglob("*.txt")}
    inner = sorted({parts[0] for parts in texts if len(parts) > 1})
    alone = any(len(parts) == 1 for parts in texts) or not inner or not all(map(split_of, inner))
    return [folder] if alone else [folder / name for name in inner]


def _is_dataset(path: Path) -> bool:
    """Whether a path is the folder of a dataset, or no path but what may be the id of one."""
    if path.is_dir():
        return any(any(path.glob(pattern)) for pattern in DATASET_FILES)
    if path.exists() or path.is_absolute() or path.suffix or len(path.parts) > 2:
        return False
    return len(path.parts) == 1 or not path.parent.exists()  # what is missing from a folder here is a file


def _choose(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files of a folder that may be data, and what else is in it but hidden files."""
    inside = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    files = [
        path
        for path in inside
        if path.is_file() and not path.name.lower().startswith(NO_DATA) and path.suffix.lower() not in NO_TEXT
    ]
    if not files:
        folders = ", ".join(path.name for path in inside if path.is_dir())
        advice = f"name one of its folders: {folders}" if folders else "check the path"
        raise DataError(f"{folder}: must hold data files, got none; {advice}")
    return files, [path for path in inside if path not in files]


def left_aside(source: Paths | Mapping[str, Paths], format: FileFormat | None) -> Iterator[str]:
    """A sentence on each folder of which something was not read."""
    paths = source.values() if isinstance(source, Mapping) else [source]
    for folder in dict.fromkeys(Path(path) for several in paths for path in as_list(several)):
        if not folder.is_dir() or format == "brat" or (format is None and is_brat(folder)):
            continue
        if others := [f"{path.name}/" if path.is_dir() else path.name for path in _choose(folder)[1]]:
            yield f"not read in {folder}: {', '.join(others)}; name them if they are data"


def read_material(
    sources: Mapping[str, Sequence[Path]], reading: Reading | None, *, layer: str, tokenize: Tokenize
) -> Material:
    """The sentences of files, and everything that is wrong with their lines.

    Raises:
        DataError: A file cannot be read at all, or is of no known format; names all such files.
    """
    if reading is None and any(is_brat(path) for paths in sources.values() for path in paths):
        reading = Reading("brat")
    if reading is not None and reading.format == "brat":
        return _read_brat(sources, tokenize=tokenize)
    material, tally = Material(), Tally()
    texts = _read_texts(sources, material.errors)
    if reading is None or (reading.format == "conll" and reading.columns is None):
        filled = [(path, text) for path, text in texts.items() if any(map(str.strip, text.lines))]
        for first, text in filled[:1]:
            reading = detect_reading(text.lines, where=str(first), format=reading.format if reading else None)
            columns = f" with columns {', '.join(reading.columns)}" if reading.columns else ""
            material.notes.append(f"detected format {reading.format}{columns} in {first}")
    material.reading = reading
    for split, paths in sources.items():
        material.files[split] = {str(path): texts[path].encoding for path in paths}
        material.splits[split] = [
            sentence
            for path in paths
            for sentence in _scan(path, texts[path], reading, material.errors, tally, layer, tokenize)
        ]
    material.written = reading is not None and reading.format == "jsonl" and any(map(_holds_spans, texts.values()))
    material.notes += tally.notes()
    _add_labels(material)
    return material


def _holds_spans(text: Text) -> bool:
    return holds_spans(text.lines)


def _read_brat(sources: Mapping[str, Sequence[Path]], *, tokenize: Tokenize) -> Material:
    """The sentences of texts and folders of brat."""
    material, tally = Material(reading=Reading("brat"), written=True), Tally()
    for split, paths in sources.items():
        material.files[split] = dict.fromkeys(map(str, paths), "brat")
        found = [audit_brat(path, material.errors, tally, tokenize) for path in paths]
        material.splits[split] = [sentence for sentences in found for sentence in sentences]
    material.notes += tally.notes()
    return material


def _scan(
    path: Path, text: Text, reading: Reading | None, errors: Findings, tally: Tally, layer: str, tokenize: Tokenize
) -> list[Sentence]:
    if text.encoding == "UTF-16":  # said already
        return []
    reading = reading or Reading("conll", ("token",))  # no file has a line that could tell
    return scan_sentences(text.lines, reading, errors, tally, where=str(path), layer=layer, tokenize=tokenize)


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
    """Make a layer of each comment of column files that looks like a label: over most sentences, with few values."""
    if material.reading is None or material.reading.format != "conll":
        return
    everything = [sentence for part in material.splits.values() for sentence in part]
    for key in _label_keys(everything):
        material.notes.append(f"the comment `# {key}` reads as a label of the sentence")
        for split, part in material.splits.items():
            material.splits[split] = [_with_label(sentence, key) for sentence in part]


def _label_keys(sentences: Sequence[Sentence]) -> Iterator[str]:
    """The comments that stand over most sentences with few values, each many times."""
    for key in sentences[0].meta if sentences else ():
        values = [sentence.meta[key] for sentence in sentences if sentence.meta.get(key)]
        distinct = len(set(values))
        if len(values) * 10 >= len(sentences) * 9 and 1 < distinct <= min(MAX_LABELS, len(values) // 5):
            yield key


def _with_label(sentence: Sentence, key: str) -> Sentence:
    value = sentence.meta.get(key)
    return replace(sentence, layers={**sentence.layers, key: Label(value)}) if value else sentence


def read_material_of_dataset(dataset: str) -> Material:
    """The sentences of a Hugging Face dataset; their places are its rows, from 1.

    Raises:
        DataError: There is neither such a file nor such a dataset, or its columns do not fit.
    """
    config = parse_section(DataConfig, {"dataset": dataset}, where="check")
    splits: dict[str, Sequence[Sentence]] = {}
    try:
        _, found, said = read_dataset(config, dataset)
    except DataError as error:
        if Path(dataset).exists():
            raise
        reason = str(error).removeprefix(f"{dataset}: ").partition("; ")[0]
        raise DataError(f"{dataset}: no such file or folder, and no dataset that can be loaded ({reason})") from None
    for split, sentences in found.items():
        where = f"{dataset} ({split})"
        splits[split] = [replace(s, origin=s.origin or Origin(where, (i,))) for i, s in enumerate(sentences, 1)]
    return Material(splits, notes=said)
