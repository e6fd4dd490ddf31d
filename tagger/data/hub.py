"""Sentences of a Hugging Face dataset, by id or from a folder, through `datasets.load_dataset`.

Token and tag columns are found by feature type and name, or named by the user. Integer tags are decoded through their
`ClassLabel`. Downloading and caching are the business of `datasets`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagger.config import DataConfig
from tagger.data.sentence import Label, Sentence, TagLayer
from tagger.data.tokenization import sentence_from_text
from tagger.errors import DataError

if TYPE_CHECKING:
    import datasets

SPLIT_NAMES = {"train": ("train",), "dev": ("validation", "dev", "valid"), "test": ("test",)}
TOKEN_COLUMNS = ("tokens", "words")
TEXT_COLUMNS = ("text", "sentence")


def read_dataset(config: DataConfig) -> dict[str, list[Sentence]]:
    """The sentences of each split of a dataset; a split that it does not have is not there.

    Raises:
        DataError: The dataset cannot be loaded, has no train split, or its columns do not fit.
    """
    loaded = _load(config)
    splits = {}
    for split, names in SPLIT_NAMES.items():
        name = next((name for name in names if name in loaded), None)
        if name is not None:
            where = f"{config.dataset} ({name})"
            splits[split] = list(_sentences(loaded[name], config, where))
    if "train" not in splits:
        raise DataError(f"{config.dataset}: must have a split `train`, got {', '.join(map(str, loaded))}")
    return splits


def _load(config: DataConfig) -> "Mapping[str, datasets.Dataset]":
    import datasets  # imported here: loading it takes seconds, and only this function needs it

    advice = "to use files of your own, name `format` and `train` in the recipe and pass --data"
    try:
        if config.dataset and (Path(config.dataset) / "dataset_dict.json").is_file():
            return dict(datasets.load_from_disk(config.dataset))
        return dict(datasets.load_dataset(config.dataset, config.name, revision=config.revision))
    except RuntimeError as error:
        raise DataError(
            f"{config.dataset}: datasets with a loading script no longer load ({error}); "
            f'try revision = "refs/convert/parquet" or a mirror of the dataset; {advice}'
        ) from None
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{config.dataset}: the dataset cannot be loaded: {reason}; {advice}") from None


def _sentences(dataset: "datasets.Dataset", config: DataConfig, where: str) -> Iterator[Sentence]:
    columns = list(dataset.features)
    layers = config.layers if config.layers is not None else _detect_layers(dataset.features)
    absent = [column for column in layers.values() if column not in columns]
    if absent or not layers:
        raise DataError(
            f"{where}: `layers` must name columns of the dataset, "
            f"got {', '.join(absent) or 'none that could be detected'}; it has {', '.join(columns)}"
        )
    tokens = next((column for column in TOKEN_COLUMNS if column in columns), None)
    text = next((column for column in TEXT_COLUMNS if column in columns), None)
    if tokens is None and text is None:
        raise DataError(f"{where}: must have a column {' or '.join(TOKEN_COLUMNS + TEXT_COLUMNS)}, got {columns}")
    decoders = {layer: _class_names(dataset.features[column]) for layer, column in layers.items()}
    for i, row in enumerate(dataset):
        place = f"{where}, row {i}"
        if tokens is not None and not row[tokens]:
            raise DataError(f"{place}: a sentence must have a token, got an empty list")
        sentence = (
            Sentence.from_tokens(row[tokens]) if tokens is not None else sentence_from_text(row[text], config.tokenize)
        )
        found = {layer: _layer(row[column], decoders[layer]) for layer, column in layers.items()}
        for layer, value in found.items():
            if isinstance(value, TagLayer) and len(value.tags) != len(sentence):
                raise DataError(f"{place}: `{layer}` must have {len(sentence)} tags, got {len(value.tags)}")
        yield Sentence(sentence.tokens, sentence.text, sentence.offsets, found)


def _detect_layers(features: "Mapping[str, Any]") -> dict[str, str]:
    """Layer → column: `ner_tags` gives `ner`; classes of the whole sentence keep their column's name."""
    layers = {}
    for column, feature in features.items():
        if column in TOKEN_COLUMNS + TEXT_COLUMNS:
            continue
        inner = getattr(feature, "feature", None)
        if _class_names(feature) is not None or (inner is not None and getattr(inner, "dtype", "") == "string"):
            layers[re.sub(r"_(tags?|labels?)$", "", column)] = column
    return layers


def _class_names(feature: Any) -> list[str] | None:
    """The names behind integer classes, for a column of classes or of lists of classes."""
    names: list[str] | None = getattr(getattr(feature, "feature", feature), "names", None)
    return names


def _layer(value: Any, names: list[str] | None) -> TagLayer | Label:
    if isinstance(value, list):
        return TagLayer(tuple(names[v] if names and isinstance(v, int) else str(v) for v in value))
    return Label(names[value] if names and isinstance(value, int) else str(value))
