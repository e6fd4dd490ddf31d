"""Load a Hugging Face dataset, by id or from a folder, with `datasets.load_dataset`.

This module finds the splits, and explains what to do if the dataset cannot be loaded. `from_rows.py` makes sentences of
the rows; `datasets` downloads and caches.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tagger.config import DataConfig, parse_section
from tagger.errors import DataError
from tagger.hub.from_rows import reader
from tagger.text.sentence import Sentence

if TYPE_CHECKING:
    import datasets

BUILDERS = ("parquet", "json", "csv", "arrow", "text")  # as `dataset`, these only define how to read `data_files`
SPLIT_NAMES = {"train": ("train",), "dev": ("validation", "dev", "valid"), "test": ("test",)}
ROWS = 1000  # rows per read
ADVICE = "to use files of your own, set `format` and `train` in the recipe and pass --data"
SCRIPTS = (
    'use the parquet files that the hub made of it with revision = "refs/convert/parquet", '
    "or a copy without a script, such as lhoestq/conll2003 for conll2003"
)


def load_chosen(config: DataConfig, dataset: str) -> tuple[dict[str, tuple[Any, str]], list[str]]:
    """Return train, dev and test of a dataset, if it has them, each with its name for messages, and notes.

    The notes name the splits that are not read.

    Raises:
        DataError: The dataset cannot be loaded or has no train split.
    """
    loaded = load_splits(config, dataset)
    found = {split: [name for name in names if name in loaded] for split, names in SPLIT_NAMES.items()}
    names = {split: known[0] for split, known in found.items() if known}
    if "train" not in names:
        raise DataError(f"{dataset}: must have a split `train`, got {', '.join(map(str, loaded))}")
    chosen = {split: (loaded[name], f"{dataset} ({name})") for split, name in names.items()}
    return chosen, [f"split `{name}` of {dataset} is not read" for name in loaded if name not in names.values()]


def load_splits(config: DataConfig, dataset: str) -> "Mapping[str, datasets.Dataset | datasets.IterableDataset]":
    """Return the splits of a dataset under its own names; no row is read yet.

    Raises:
        DataError: It cannot be loaded; the message says what to do.
    """
    import datasets  # imported here: loading it takes seconds, and only this function needs it
    import pyarrow

    try:
        if (kind := _saved(Path(dataset))) is not None:
            _refuse_choices(config, dataset)
            saved = datasets.load_from_disk(dataset)
            return dict(saved) if kind == "splits" else {"train": saved}
        files = config.model_dump(mode="json")["data_files"]  # with lists, as `datasets` requires, instead of tuples
        options = {"revision": config.revision, "data_files": files, "streaming": config.streaming}
        loaded = datasets.load_dataset(_safe_source(dataset), config.name, **options)
        pyarrow.default_memory_pool().release_unused()  # what the conversion of a file to Arrow took and gave back
        return dict(loaded)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        unfound = isinstance(error, (ConnectionError, datasets.exceptions.DatasetNotFoundError))
        absent = "there is no such folder, and " if unfound and not Path(dataset).exists() else ""
        raise DataError(f"{dataset}: {absent}{_why(error)}; {ADVICE}") from None


def _safe_source(dataset: str) -> str:
    """Return the dataset as `load_dataset` takes it: a folder by its whole path, so that its name is no builder's.

    Raises:
        DataError: It is the name of a builder that may run code from its files, as `pandas` does with a pickle.
    """
    from datasets.packaged_modules import _PACKAGED_DATASETS_MODULES

    if Path(dataset).is_dir():
        return str(Path(dataset).resolve())
    if dataset in _PACKAGED_DATASETS_MODULES and dataset not in BUILDERS:
        raise DataError(
            f"{dataset}: `dataset` must be an id of the hub, a folder or one of {', '.join(BUILDERS)}, got "
            "another builder of `datasets`, which may run code from its files; convert the data to one of these formats"
        )
    return dataset


def _saved(folder: Path) -> Literal["splits", "split"] | None:
    """Return what `save_to_disk` wrote to the folder: several splits, one split, or None for any other folder."""
    if (folder / "dataset_dict.json").is_file():
        return "splits"
    return "split" if all((folder / name).is_file() for name in ("dataset_info.json", "state.json")) else None


def _refuse_choices(config: DataConfig, dataset: str) -> None:
    for key in ("name", "revision", "data_files"):
        if (value := getattr(config, key)) is not None:
            raise DataError(
                f"{dataset}: a folder written by `save_to_disk` does not support `{key}`, got {value!r}; remove `{key}`"
            )


def _why(error: Exception) -> str:
    """Return why a dataset could not be loaded, and what to do about it."""
    whole, cause = str(error), error.__cause__ or error
    reason = next(iter(str(cause).splitlines()), "") or type(cause).__name__
    if isinstance(error, RuntimeError) and "script" in whole:
        return f"datasets with a loading script no longer load since `datasets` 4 ({reason}); {SCRIPTS}"
    if isinstance(error, ConnectionError):
        return (
            f"the Hugging Face hub cannot be reached ({reason}); try again with a connection, or give the folder of a "
            f"copy of the dataset. If the dataset has a loading script, {SCRIPTS}"
        )
    if "Config name is missing" in whole and (listed := re.search(r"\[(.*?)\]", whole)):
        return f"the dataset has several configurations; set `name` to one of {listed[1]}"
    return f"the dataset cannot be loaded: {reason}"


def sentences_of(
    dataset: "datasets.Dataset | datasets.IterableDataset", config: DataConfig, where: str, *, gold: bool = True
) -> Iterator[Sentence]:
    """Yield the sentences of the rows of a dataset as they are read; without layers if `gold` is false.

    Raises:
        DataError: The columns are not suitable, or (after the last row) some rows are invalid.
    """
    read = reader(features_of(dataset, where), config, where, gold=gold)
    problems = []
    for i, row in enumerate(read_rows(dataset, read.columns, where)):
        try:
            sentence = read(row)
        except DataError as error:
            problems.append(f"{where}, row {i}: {error}")
        else:
            yield sentence
    if problems:
        raise DataError.of(problems)


def features_of(dataset: Any, where: str) -> Mapping[str, Any]:
    """Return the features of a dataset; a stream without a dataset card infers them from its first rows."""
    if dataset.features is not None:
        return dict(dataset.features)
    with _explained_errors(where):
        return dict(dataset._resolve_features().features or {})


@contextmanager
def _explained_errors(where: str) -> Iterator[None]:
    """Turn an error of `datasets` while reading rows into one sentence."""
    from datasets.exceptions import DatasetsError

    try:
        yield
    except (OSError, ValueError, DatasetsError) as error:
        raise DataError(f"{where}: {_why(error)}; {ADVICE}") from None


def read_rows(dataset: Any, columns: list[str], where: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a dataset with these columns only."""
    with _explained_errors(where):
        for batch in dataset.select_columns(columns).iter(ROWS):
            for values in zip(*(batch[column] for column in columns), strict=True):
                yield dict(zip(columns, values, strict=True))


def stream_dataset(
    dataset: "str | Path | datasets.Dataset", *, split: str = "train", **settings: Any
) -> Iterator[Sentence]:
    """Yield the sentences of a dataset without gold layers, to be tagged, in bounded memory.

    For example `model.predict(tagger.stream_dataset("data/news", split="test"))`.

    Args:
        dataset: Its id or folder, or a loaded dataset.
        split: The split, under the name that the dataset uses.
        settings: As for `load_dataset`; `streaming=True` keeps no copy of the dataset on disk.

    Raises:
        RecipeError: A setting is unknown or has a wrong value.
        DataError: The dataset cannot be loaded, has no such split or no tokens or text, or (after the last row) some
            rows have none.
    """
    given = isinstance(dataset, (str, Path))
    config = parse_section(
        DataConfig, {"dataset": str(dataset) if given else "dataset", **settings}, where="stream_dataset"
    )
    if not given:
        return sentences_of(dataset, config, "dataset", gold=False)
    loaded = load_splits(config, str(dataset))
    if split not in loaded:
        raise DataError(f"{dataset}: must have the split `{split}`, got {', '.join(map(str, loaded))}")
    return sentences_of(loaded[split], config, f"{dataset} ({split})", gold=False)
