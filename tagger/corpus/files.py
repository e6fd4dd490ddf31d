"""The sentences of files: those of a split, and those that are no corpus, such as files to be scored."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

from tagger.config import ReadingConfig, parse_section
from tagger.corpus.checking import finish
from tagger.corpus.splitting import joined
from tagger.errors import DataError, RecipeError, gather
from tagger.files.patterns import matching
from tagger.formats.faults import Faults
from tagger.formats.source import Source, source_of
from tagger.formats.table import FORMATS, read_file
from tagger.formats.tally import UNFIT, Tally
from tagger.formats.texts.labelled import read_classes
from tagger.text.choices import FileFormat
from tagger.text.sentence import Sentence
from tagger.wording import quoted


def read_split(
    split: str, paths: tuple[str, ...] | dict[str, str], config: ReadingConfig, folder: Path, tally: Tally
) -> list[list[Sentence]]:
    """Return the sentences of each file of a split; in dev and test, entities that do not fit the tokens are missed."""
    if split != "train":
        tally = replace(tally, missed=UNFIT)
    if isinstance(paths, dict):
        if config.format != "labelled" or config.layer is None:
            raise DataError(f'a table class = path needs `format = "labelled"`, got "{config.format}"')
        named = {label: folder / path for label, path in paths.items()}
        return read_classes(named, config, tally)
    found = read_files(paths, config, folder, tally)
    if config.format == "text":  # blank lines
        return [[sentence for sentence in file if sentence.tokens] for file in found]
    return found


def read_files(
    paths: Sequence[str | Path],
    config: ReadingConfig,
    folder: Path,
    tally: Tally,
    *,
    opened: Callable[[Path, str | None], Source] = source_of,
) -> list[list[Sentence]]:
    """Return the sentences of each file; with several files, their documents get the number of the file: `2.1`.

    Args:
        paths: The files, patterns and folders of files.
        config: How to read them.
        folder: The folder for relative paths.
        tally: Counts what is done and ignored.
        opened: Returns the source that a path in an encoding is.

    Raises:
        DataError: A file cannot be read.
    """
    named = [file for path in paths for found in matching(folder / path) for file in _files_of(found, config.format)]
    files = gather(partial(_read_file, path, config, tally, opened) for path in named)
    if len(files) == 1:
        return files
    return [
        [s if s.document is None else replace(s, document=f"{number}.{s.document}") for s in file]
        for number, file in enumerate(files, 1)
    ]


def _files_of(path: Path, format: str | None) -> list[Path]:
    """Return the files of a folder with a suffix of the format or `.txt`; a path that is no folder or read as a whole.

    If the folder has no such file, the path itself is returned.
    """
    if not path.is_dir() or any(row.is_path is not None and row.is_path(path) for row in FORMATS.values()):
        return [path]
    row = FORMATS.get(format or "")
    suffixes = {".txt", *(row.suffixes if row is not None else ())}
    return sorted(file for file in path.iterdir() if file.suffix.lower() in suffixes) or [path]


def _read_file(
    path: Path, config: ReadingConfig, tally: Tally, opened: Callable[[Path, str | None], Source]
) -> list[Sentence]:
    if config.format in (None, "synthetic"):
        raise DataError(f"{path}: needs a format to be read from files; name `format` in the recipe")
    return read_file(config.format, opened(path, config.encoding), config, tally, Faults())


def read_sentences(
    paths: Sequence[str | Path], config: ReadingConfig, *, scheme_given: bool = True, chosen: Collection[str] = ()
) -> tuple[list[Sentence], tuple[str, ...]]:
    """Return the sentences of files that are not a corpus, such as those to be scored, and notes about them.

    Args:
        paths: The files.
        config: How to read them.
        scheme_given: Whether the scheme was chosen for these files; that of training, if it is IO, is ignored for
            other tags.
        chosen: Which of `misaligned` and `nested` were chosen for these files. In place of the others, those of
            training, an entity that tags cannot express counts as missed.

    Raises:
        DataError: A file is missing or broken.
    """
    tally = Tally(options=True, missed=UNFIT - {*chosen})
    sentences = joined(read_files(paths, config, Path(), tally))
    finished = finish(
        {"train": [], "dev": [], "test": sentences}, config, tally.notes(), whole=False, scheme_given=scheme_given
    )
    return list(finished.splits["test"]), finished.notes


def change_reading(trained: Sequence[ReadingConfig], given: Mapping[str, Any]) -> ReadingConfig:
    """Return how to read files: as in training, apart from what is given.

    Args:
        trained: How the corpora of training were read; those without files and of other formats than a given one are
            ignored, and so is what differs between the rest.
        given: Keys of a recipe's [data] section; None for a key that is not given.

    Raises:
        RecipeError: A key is unknown or has a wrong value, or one that is needed is neither given nor the same in all
            corpora of training.
    """
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in given.items() if v is not None}
    dumped = [config.model_dump(mode="json", exclude_none=True) for config in trained if config.of_files]
    alike = [config for config in dumped if plain.get("format", config["format"]) == config["format"]]
    shared = {k: v for k, v in alike[0].items() if all(other.get(k) == v for other in alike)} if alike else {}
    config = {**shared, **plain}
    for key in ("format", "columns", "layer"):
        found = [other[key] for other in alike if key in other]
        if key not in config and found:
            shown = dict.fromkeys(value if isinstance(value, str) else ",".join(value) for value in found)
            raise RecipeError(f"--{key} must be given, because the files of training differ in it: {quoted(shown)}")
    if "format" not in config:
        *names, last = get_args(FileFormat)
        raise RecipeError(f"say the format of the files with --format ({', '.join(names)} or {last})")
    return parse_section(ReadingConfig, config, where="evaluate")
