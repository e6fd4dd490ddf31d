"""The features of a model in its folder: sections of `config.json`, and the file `feature.NAME.SUFFIX` of some."""

import json
from collections.abc import Collection, Mapping
from hashlib import file_digest
from pathlib import Path
from typing import Any

from tagger.errors import ModelError
from tagger.extensions import Cell, Extension, Head, find, running
from tagger.features.feature import Feature
from tagger.features.table import class_of, only_in_torch
from tagger.files.hashes import CONFIG, CONFIG_BYTES, HASHES
from tagger.model.config import ModelConfig
from tagger.model.folder.opening import (
    AGAIN,
    Hashes,
    check_digest,
    model_folder,
    opened,
    parse,
    read_file,
    read_hashed,
    stamp,
)
from tagger.wording import shorten

FEATURE_BYTES = 2**33  # that the file of a feature may have at most
PREFIX = "feature."  # of their names


def feature_files(config: ModelConfig) -> dict[str, str]:
    """Return the name of the file of each feature that keeps one."""
    kinds = {name: class_of(feature) for name, feature in config.features.items()}
    return {name: f"{PREFIX}{name}.{kind.suffix}" for name, kind in kinds.items() if kind.suffix}


def torch_parts(folder: Path) -> list[str]:
    """Return the parts of a model that only torch can run, in words; none if the folder holds no model.

    Raises:
        ModelError: The configuration cannot be read.
    """
    path = model_folder(folder) / CONFIG
    if stamp(path) is None:
        return []
    config = parse(path, read_file(path, CONFIG_BYTES))
    features, heads, encoder = (_sections(config.get(key)) for key in ("features", "heads", "encoder"))
    found = [f"feature `{name}`" for name, section in features.items() if only_in_torch(_sections(section).get("kind"))]
    found += [f"head `{name}`" for name, section in heads.items() if _is_own(Head, _sections(section).get("kind"))]
    return found + ([f"cell `{encoder['cell']}`"] if _is_own(Cell, encoder.get("cell")) else [])


def _sections(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_own(kind: type[Extension], name: object) -> bool:
    """Whether a name is that of an extension; an unknown one is another's error."""
    return isinstance(name, str) and name not in kind.built_in and find(kind, name) is not None


def read_features(folder: Path, config: ModelConfig, hashes: Hashes) -> dict[str, Feature[Any]]:
    """Return the features of a model, each with the content of its file.

    Raises:
        ModelError: A file is missing or damaged, or a feature has another width than the configuration says.
    """
    files, features = feature_files(config), {}
    for name, section in config.features.items():
        content = read_hashed(folder / files[name], FEATURE_BYTES, hashes) if name in files else b""
        with running(f"features.{name}: the feature `{section.kind}`", ModelError):
            features[name] = class_of(section).restore(name, section, content)
    if (widths := {name: feature.width for name, feature in features.items()}) != config.feature_widths:
        raise ModelError(
            f"{folder / CONFIG}: `feature_widths` must be {shorten(json.dumps(widths))}, got "
            f"{shorten(json.dumps(config.feature_widths))}; {AGAIN}"
        )
    return features


def check_feature_files(folder: Path, config: ModelConfig, hashes: Hashes) -> None:
    """Compare the files of features with their hashes alone; restoring a feature may take seconds and a package.

    Raises:
        ModelError: A file is missing or damaged.
    """
    for name in feature_files(config).values():
        digest = opened(folder / name, FEATURE_BYTES, lambda stream, size: file_digest(stream, "sha256"))
        check_digest(folder / name, digest.hexdigest(), hashes)


def check_named(path: Path, config: ModelConfig, hashes: Mapping[str, object]) -> None:
    """Refuse the hashes of a `config.json` that lack the file of a feature, or have one of an unknown feature.

    Raises:
        ModelError: They are refused.
    """
    if odd := {name for name in hashes if name.startswith(PREFIX)} ^ set(feature_files(config).values()):
        raise ModelError(
            f"{path}: `{HASHES}` must have the file of each feature, missing or unknown: "
            f"{shorten(', '.join(sorted(odd)))}; {AGAIN}"
        )


def remove_features(folder: Path, *, but: Collection[str]) -> None:
    """Delete the files of the features of an earlier model from a folder, apart from those with these names."""
    for path in folder.glob(f"{PREFIX}*"):
        if path.name not in but:
            path.unlink()
