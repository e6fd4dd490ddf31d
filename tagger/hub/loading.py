"""Sentences of a Hugging Face dataset, by id or from a folder, through `datasets.load_dataset`.

Finds its splits and says what to do where it cannot be loaded. What a row means is the business of `rows.py`,
downloading and caching that of `datasets`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tagger.config import DataConfig, parse_section
from tagger.errors import DataError
from tagger.hub.from_rows import reader
from tagger.text.sentence import Sentence

if TYPE_CHECKING:
    import datasets

BUILDERS = ("parquet", "json", "csv", "arrow", "text")  # a `dataset` of these names only says how to read `data_files`
SPLIT_NAMES = {"train": ("train",), "dev": ("validation", "dev", "valid"), "test": ("test",)}
ROWS = 1000  # that are read at once
ADVICE = "to use files of your own, name `format` and `train` in the recipe and pass --data"
SCRIPTS = (
    'name the parquet files that the hub made of it with revision = "refs/convert/parquet", '
    "or a mirror without a script, as lhoestq/conll2003 is of conll2003"
)


def load_chosen(config: DataConfig, dataset: str) -> tuple[dict[str, tuple[Any, str]], list[str]]:
    """Train, dev and test of a dataset, as far as it has them, each with its place, and the splits that are not read.

    Raises:
        DataError: The dataset cannot be loaded or has no train split.
    """
    loaded = load_splits(config, dataset)
    names = choose_splits(loaded)
    if "train" not in names:
        raise DataError(f"{dataset}: must have a split `train`, got {', '.join(map(str, loaded))}")
    chosen = {split: (loaded[name], f"{dataset} ({name})") for split, name in names.items()}
    return chosen, [f"split `{name}` of {dataset} is not read" for name in loaded if name not in names.values()]


def choose_splits(loaded: Iterable[str]) -> dict[str, str]:
    """For train, dev and test the name that a dataset has for it, if it has one."""
    found = {split: [name for name in names if name in loaded] for split, names in SPLIT_NAMES.items()}
    return {split: names[0] for split, names in found.items() if names}


def load_splits(config: DataConfig, dataset: str) -> "Mapping[str, datasets.Dataset | datasets.IterableDataset]":
    """The splits of a dataset by its own names, nothing of them read yet.

    Raises:
        DataError: It cannot be loaded; says what else to do.
    """
    import datasets  # imported here: loading it takes seconds, and only this function needs it

    try:
        if (kind := _saved(Path(dataset))) is not None:
            _refuse_choices(config, dataset)
            saved = datasets.load_from_disk(dataset)
            return dict(saved) if kind == "splits" else {"train": saved}
        files = _plain_files(config.data_files)
        options = {"revision": config.revision, "data_files": files, "streaming": config.streaming}
        return dict(datasets.load_dataset(_safe_source(dataset), config.name, **options))
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise DataError(f"{dataset}: {_if_absent(dataset, error)}{_why(error)}; {ADVICE}") from None


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


def _if_absent(dataset: str, error: Exception) -> str:
    """What is to be said first where a dataset is neither a folder nor found on the hub."""
    import datasets  # imported here, for it takes seconds

    unfound = (ConnectionError, datasets.exceptions.DatasetNotFoundError)
    return "there is no such folder, and " if isinstance(error, unfound) and not Path(dataset).exists() else ""


def _saved(folder: Path) -> Literal["splits", "split"] | None:
    """Whether `save_to_disk` wrote the folder, and of what."""
    if (folder / "dataset_dict.json").is_file():
        return "splits"
    return "split" if all((folder / name).is_file() for name in ("dataset_info.json", "state.json")) else None


def _refuse_choices(config: DataConfig, dataset: str) -> None:
    for key in ("name", "revision", "data_files"):
        if (value := getattr(config, key)) is not None:
            raise DataError(
                f"{dataset}: a folder written by `save_to_disk` has nothing to choose from by `{key}`, got {value!r}; "
                f"leave out `{key}`"
            )


def _plain_files(files: Any) -> Any:
    """`data_files` with lists in place of tuples, as `datasets` wants them."""
    if isinstance(files, dict):
        return {split: list(paths) for split, paths in files.items()}
    return list(files) if files is not None else None


def _why(error: Exception) -> str:
    """Why a dataset could not be loaded, and what to do about it."""
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
        return f"the dataset has several configurations, say which: `name` must be one of {listed[1]}"
    return f"the dataset cannot be loaded: {reason}"


def sentences_of(
    dataset: "datasets.Dataset | datasets.IterableDataset", config: DataConfig, where: str, *, gold: bool = True
) -> Iterator[Sentence]:
    """The sentences of the rows of a dataset, in order, as they are read; without layers if no `gold` is wanted.

    Raises:
        DataError: The columns do not fit, or (behind the last row) some rows do not.
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
    """The features of a dataset; a stream without a card has them from its first rows."""
    if dataset.features is not None:
        return dict(dataset.features)
    with _told(where):
        return dict(dataset._resolve_features().features or {})


@contextmanager
def _told(where: str) -> Iterator[None]:
    """Tell an error in reading rows in one sentence."""
    from datasets.exceptions import DatasetsError

    try:
        yield
    except (OSError, ValueError, DatasetsError) as error:
        raise DataError(f"{where}: {_why(error)}; {ADVICE}") from None


def read_rows(dataset: Any, columns: list[str], where: str) -> Iterator[dict[str, Any]]:
    """The rows of a dataset, some of its columns only."""
    with _told(where):
        for batch in dataset.select_columns(columns).iter(ROWS):
            for values in zip(*(batch[column] for column in columns), strict=True):
                yield dict(zip(columns, values, strict=True))


def stream_dataset(
    dataset: "str | Path | datasets.Dataset", *, split: str = "train", **settings: Any
) -> Iterator[Sentence]:
    """The sentences of a dataset without gold layers, to be tagged, as they are read: memory does not grow with it.

    For example `model.predict(tagger.stream_dataset("data/news", split="test"))`.

    Args:
        dataset: Its id or folder, or a dataset that is loaded already.
        split: Which of its splits, by its own name.
        settings: As for `load_dataset`; `streaming=True` keeps no copy of the dataset on disk.

    Raises:
        RecipeError: A setting is unknown or has a wrong value.
        DataError: The dataset cannot be loaded or has no tokens or text, or (behind the last row) some rows have none.
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
