"""Describe a trained model from its files alone; the network is not built."""

import json
from math import prod
from pathlib import Path
from typing import Any

from tagger.config import OF_TEACHERS
from tagger.errors import ModelError
from tagger.files.writing import newest
from tagger.heads.table import heads_of
from tagger.inference.loading import backends_of
from tagger.model.folder.files import DescribedFiles, read_described, read_exported
from tagger.model.folder.opening import is_exported, model_folder, read_of_one_save
from tagger.model.shapes import forms_of

REPORT = "report.json"


def describe_model(path: str | Path) -> dict[str, Any]:
    """Return what a model predicts and how it was made, what can run it, and its scores on test if its run has some.

    The values are those of JSON.

    Raises:
        ModelError: The folder cannot be read.
    """
    folder = model_folder(Path(path))
    return read_of_one_save(folder, lambda: _describe(folder))


def _describe(folder: Path) -> dict[str, Any]:
    config, vocabulary, rules, num_weights = _read_exported(folder) if is_exported(folder) else read_described(folder)
    labels = vocabulary.labels
    frozen = (len(vocabulary.words) + 1 - vocabulary.num_trainable) * config.vector_dimension
    frozen += sum(head.num_frozen(len(labels[layer])) for layer, head in heads_of(config.heads).items())
    facts = {
        "format": config.format,
        "version": config.version,
        "backends": backends_of(folder),
        "tokenizer": config.tokenizer if rules.uses_table else rules.name,
        "splitting": {
            "tokenize": rules.tokenize,
            **({"language": rules.language} if rules.uses_table else {}),
            **({"split_on": rules.split_on} if rules.split_on else {}),
            "segment": rules.segments_at,
        },
        "layers": {
            layer: {**head.model_dump(exclude={"layer", "weight", *OF_TEACHERS}), "labels": list(labels[layer])}
            for layer, head in config.heads.items()
        },
        "reading": {name: r.model_dump(mode="json", exclude_defaults=True) for name, r in config.reading.items()},
        "embeddings": config.embeddings.model_dump(mode="json"),
        "features": {name: feature.model_dump(mode="json") for name, feature in config.features.items()},
        "encoder": config.encoder.model_dump(mode="json"),
        "words": len(vocabulary.words),
        "characters": len(vocabulary.chars),
        "trained_parameters": num_weights - frozen,
        "trained_vectors": vocabulary.num_trainable * config.vector_dimension,
    }
    report = folder.parent / REPORT
    kept = _from_report(report) if newest(report).is_file() else {}
    return facts | {name: value for name, value in kept.items() if name in ("scores", "calibrated")}


def _read_exported(folder: Path) -> DescribedFiles:
    """Read an exported model, whose weights are in a graph; its features are those that need no other package."""
    config, vocabulary, rules, features, *_ = read_exported(folder)
    forms = forms_of(config, vocabulary, features)
    return DescribedFiles(config, vocabulary, rules, sum(prod(form.shape) for form in forms.values()))


def train_files_of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each training file of a model, by path; nothing if its folder is not that of a run.

    Args:
        folder: The folder of the model inside that of its run.

    Raises:
        ModelError: The report of the run is damaged.
    """
    report = folder.parent / REPORT
    return _from_report(report).get("train_files", {}) if newest(report).is_file() else {}


def seed_of(folder: Path, sha256: str) -> int | None:
    """Return the seed of a model's training; None if its folder is not that of a run whose report is of this model.

    Args:
        folder: The folder of the model inside that of its run.
        sha256: SHA-256 of the model.

    Raises:
        ModelError: The report of the run is damaged.
    """
    report = folder.parent / REPORT
    signature = _from_report(report).get("signature", {}) if newest(report).is_file() else {}
    seed = signature.get("seed") if signature.get("model_sha256") == sha256 else None
    return seed if isinstance(seed, int) else None


def _from_report(path: Path) -> dict[str, Any]:
    """Return what a report has of: scores of each layer, how heads were calibrated, training files, signature."""
    names = ("f1", "precision", "recall", "accuracy")
    try:
        report = json.loads(newest(path).read_text(encoding="utf-8"))
        scores = {layer: {k: v[k] for k in names if k in v} for layer, v in report["scores"].items()}
        calibrated = {layer: dict(found) for layer, found in report.get("calibrated", {}).items()}
        files = dict(report.get("train_files", {}))
        signature = dict(report.get("signature", {}))
        found = {"scores": scores, "calibrated": calibrated, "train_files": files, "signature": signature}
        return {name: value for name, value in found.items() if value}
    except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise ModelError(
            f"{path}: the report is damaged or cannot be read; delete it or copy the folder again"
        ) from None
