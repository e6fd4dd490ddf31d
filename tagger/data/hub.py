"""Sentences of a Hugging Face dataset, by id or from a folder, through `datasets.load_dataset`.

Token and tag columns are found by feature type and name, or named by the user through `layers`, where `token` stands
for the column of tokens or text and is no layer. Integer tags are decoded through their `ClassLabel`. Downloading and
caching are the business of `datasets`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.config import DataConfig
from tagger.data.columns import shorten
from tagger.data.sentence import Label, Sentence, TagLayer
from tagger.data.tokenization import sentence_from_text
from tagger.errors import DataError

if TYPE_CHECKING:
    import datasets

SPLIT_NAMES = {"train": ("train",), "dev": ("validation", "dev", "valid"), "test": ("test",)}
TOKEN_COLUMNS = ("tokens", "words")
TEXT_COLUMNS = ("text", "sentence")


def read_dataset(config: DataConfig, dataset: str) -> dict[str, list[Sentence]]:
    """The sentences of each split of a dataset; a split that it does not have is not there.

    Args:
        config: How to read it.
        dataset: Its id or folder.

    Raises:
        DataError: The dataset cannot be loaded, has no train split, or its columns do not fit.
    """
    loaded = _load(config, dataset)
    splits = {}
    for split, names in SPLIT_NAMES.items():
        name = next((name for name in names if name in loaded), None)
        if name is not None:
            where = f"{dataset} ({name})"
            splits[split] = list(_sentences(loaded[name], config, where))
    if "train" not in splits:
        raise DataError(f"{dataset}: must have a split `train`, got {', '.join(map(str, loaded))}")
    return splits


def _load(config: DataConfig, dataset: str) -> "Mapping[str, datasets.Dataset]":
    import datasets  # imported here: loading it takes seconds, and only this function needs it

    advice = "to use files of your own, name `format` and `train` in the recipe and pass --data"
    try:
        if (Path(dataset) / "dataset_dict.json").is_file():
            return dict(datasets.load_from_disk(dataset))
        if all((Path(dataset) / name).is_file() for name in ("dataset_info.json", "state.json")):  # of one split
            return {"train": datasets.load_from_disk(dataset)}
        return dict(datasets.load_dataset(dataset, config.name, revision=config.revision))
    except RuntimeError as error:
        if "script" not in str(error):
            raise DataError(f"{dataset}: the dataset cannot be loaded: {_first_line(error)}; {advice}") from None
        raise DataError(
            f"{dataset}: datasets with a loading script no longer load ({error}); "
            f'try revision = "refs/convert/parquet" or a mirror of the dataset; {advice}'
        ) from None
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        reason = _first_line(error.__cause__ or error)
        raise DataError(f"{dataset}: the dataset cannot be loaded: {reason}; {advice}") from None


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _sentences(dataset: "datasets.Dataset", config: DataConfig, where: str) -> Iterator[Sentence]:
    columns = list(dataset.features)
    named = dict(config.layers or {})
    token = named.pop("token", None)
    others = {column: feature for column, feature in dataset.features.items() if column != token}
    layers = _detect_layers(others) if config.layers is None or (token and not named) else named
    absent = [column for column in (token, *layers.values()) if column is not None and column not in columns]
    if absent or not layers:
        raise DataError(
            f"{where}: `layers` must name columns of the dataset, "
            f"got {', '.join(absent) or 'none that could be detected'}; it has {', '.join(columns)}"
        )
    tokens = next((column for column in TOKEN_COLUMNS if column in columns), None)
    text = next((column for column in TEXT_COLUMNS if column in columns), None)
    if token is not None:
        tokens, text = (token, None) if hasattr(dataset.features[token], "feature") else (None, token)
    if tokens is None and text is None:
        raise DataError(
            f"{where}: must have a column {' or '.join(TOKEN_COLUMNS + TEXT_COLUMNS)}, got {columns}; "
            'name the column as `token` in `layers`, such as {token = "' + columns[0] + '"}'
        )
    decoders = {layer: _class_names(dataset.features[column]) for layer, column in layers.items()}
    problems = []
    for i, row in enumerate(dataset):
        try:
            sentence = _of_tokens(row[tokens]) if tokens is not None else _of_text(row[text], config)
            values = {layer: _layer(layer, row[column], decoders[layer]) for layer, column in layers.items()}
            found = {layer: value for layer, value in values.items() if value is not None}
            for layer, value in found.items():
                if isinstance(value, TagLayer) and len(value.tags) != len(sentence):
                    raise DataError(f"`{layer}` must have {len(sentence)} tags, got {len(value.tags)}")
        except DataError as error:
            problems.append(f"{where}, row {i}: {error}")
        else:
            yield replace(sentence, layers=found)
    if problems:
        raise DataError.of(problems)


def _of_tokens(tokens: Any) -> Sentence:
    if not isinstance(tokens, list) or not tokens:
        raise DataError(f"a sentence must have a list of tokens, got {shorten(repr(tokens))}")
    wrong = [i for i, token in enumerate(tokens) if not isinstance(token, str)]
    if wrong:
        raise DataError(f"token {wrong[0] + 1} must be a word, got {tokens[wrong[0]]!r}")
    return Sentence.from_tokens(tokens)


def _of_text(text: Any, config: DataConfig) -> Sentence:
    if not isinstance(text, str):
        raise DataError(f"a sentence must have a text, got {shorten(repr(text))}")
    return sentence_from_text(text, config.tokenize)


def _detect_layers(features: "Mapping[str, Any]") -> dict[str, str]:
    """Layer → column: `ner_tags` gives `ner`; classes of the whole sentence keep their column's name."""
    layers = {}
    for column, feature in features.items():
        if column in TOKEN_COLUMNS + TEXT_COLUMNS:
            continue
        inner = getattr(getattr(feature, "feature", None), "dtype", "")
        if _class_names(feature) is not None or inner in ("string", "large_string"):
            name = re.sub(r"_(tags?|labels?)$", "", column)
            layers[column if name in layers else name] = column
    return layers


def _class_names(feature: Any) -> list[str] | None:
    """The names behind integer classes, for a column of classes or of lists of classes."""
    names: list[str] | None = getattr(getattr(feature, "feature", feature), "names", None)
    return names


def _layer(layer: str, value: Any, names: list[str] | None) -> TagLayer | Label | None:
    """The layer of a row; None where it has none, which for classes is also written as -1."""
    if isinstance(value, list):
        return TagLayer(tuple(_name(layer, v, names) for v in value))
    return None if value is None or (names and value == -1) else Label(_name(layer, value, names))


def _name(layer: str, value: Any, names: list[str] | None) -> str:
    if names and isinstance(value, int):
        if not 0 <= value < len(names):
            raise DataError(f"`{layer}` must have classes from 0 to {len(names) - 1}, got {value}")
        return names[value]
    if not isinstance(value, (str, int)) or value == "":
        raise DataError(f"`{layer}` must have names or numbers of classes, got {shorten(repr(value))}")
    return str(value)
