"""The folder of a run: its model, recipe, log and report."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from tagger.config import Recipe, dump_recipe
from tagger.errors import ModelError
from tagger.evaluation import Report
from tagger.model.card import model_card
from tagger.model.folder import save_model
from tagger.model.network import TorchModel
from tagger.running.run import Run
from tagger.running.teachers import keep_teachers, with_kept_teachers
from tagger.tagging import load

REPORT = "report.json"


def describe_model(path: str | Path) -> dict[str, Any]:
    """What a model predicts, how it was made, and how it scored on test if its run says so; values for JSON.

    Raises:
        ModelError: The folder cannot be read.
    """
    tagger = load(path)
    model, network = tagger.model, tagger.network
    parameters = sum(p.numel() for p in network.parameters() if p.requires_grad)
    facts = {
        "format": model.config.format,
        "version": model.config.version,
        "tokenizer": model.config.tokenizer if model.tokenize == "words" else "blanks",
        "layers": {
            layer: {**head.model_dump(exclude={"layer", "weight"}), "labels": list(model.vocabulary.labels[layer])}
            for layer, head in model.heads.items()
        },
        "reading": {name: r.model_dump(mode="json", exclude_defaults=True) for name, r in model.config.reading.items()},
        "embeddings": model.config.embeddings.model_dump(mode="json"),
        "encoder": model.config.encoder.model_dump(mode="json"),
        "words": len(model.vocabulary.words),
        "characters": len(model.vocabulary.chars),
        "trained_parameters": parameters,
        "trained_vectors": network.words.weight.numel(),
    }
    found = next((p for p in (Path(path) / "report.json", Path(path).parent / "report.json") if p.is_file()), None)
    if found is not None:
        facts |= _from_report(found)
    return facts


def _from_report(path: Path) -> dict[str, Any]:
    """The main scores of each layer in a report, and how its heads were calibrated; what there is of both."""
    names = ("f1", "precision", "recall", "accuracy")
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        scores = {layer: {k: v[k] for k in names if k in v} for layer, v in report["scores"].items()}
        calibrated = {layer: dict(found) for layer, found in report.get("calibrated", {}).items()}
        return {k: v for k, v in (("scores", scores), ("calibrated", calibrated)) if v}
    except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise ModelError(
            f"{path}: the report is damaged or cannot be read; delete it or copy the folder again"
        ) from None


def _remove_empty(*folders: Path | None) -> None:
    """Leave no folder in which nothing was kept."""
    for folder in folders:
        if folder is not None and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _make_folder(folder: Path) -> None:
    """Make the folder of a run before anything is read or trained.

    Raises:
        ModelError: It cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ModelError(
            f"{folder}: the run must be kept in a folder that can be written to: {error.strerror}"
        ) from None


def _licences(recipe: Recipe, folder: Path) -> dict[str, list[str]]:
    """For each file of data and vectors, the licence files that lie beside it."""
    files = [folder / path for path in recipe.embeddings.vectors]
    files += [folder / path for config in recipe.all_corpora().values() for path in config.files()]
    patterns = ("licen[cs]e*", "copying*", "acknowledg*")
    return {
        str(file): sorted(
            str(p) for p in file.parent.glob("*") if p.is_file() and any(fnmatch(p.name.lower(), x) for x in patterns)
        )
        for file in files
        if file.exists()
    }


def _keep(
    run: Run, model: TorchModel, recipe: Recipe, folder: Path, base: Path, licences: Mapping[str, list[str]]
) -> None:
    """Keep model, recipe and log of a run in its folder; a report of an earlier run there goes."""
    assert run.folder is not None
    (run.folder / REPORT).unlink(missing_ok=True)
    save_model(model, run.folder / "model", card=model_card(recipe, model, None, licences))
    keep_teachers(run.folder)
    again = f"# tagger train recipe.toml --data {folder.resolve()}\n\n"
    (run.folder / "recipe.toml").write_text(again + dump_recipe(with_kept_teachers(recipe, base)), encoding="utf-8")
    lines = "".join(json.dumps(asdict(epoch)) + "\n" for epoch in run.outcome.epochs)
    (run.folder / "log.jsonl").write_text(lines, encoding="utf-8")


def _keep_report(folder: Path, report: Report) -> None:
    """Keep the report of a run; one that was not scored on test says how it was made, and has no scores."""
    text = json.dumps(report.to_dict(), indent=2, ensure_ascii=False)
    (folder / REPORT).write_text(text + "\n", encoding="utf-8")
