"""Runs that are already in their folders: whether they are finished, and whether they are of the recipe at hand."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tagger.config import Recipe, load_recipe
from tagger.errors import DataError, RecipeError
from tagger.files.writing import newest
from tagger.running.description import describe_model
from tagger.running.folder import RECIPE, REPORT
from tagger.training.loop import STOPPED

MOST = 5  # number of differences in an error message
ADVICE = "use another folder, or replace the run with --overwrite (overwrite=True in Python)"


def is_finished(folder: Path, wanted: Recipe, name: str) -> bool:
    """Whether a folder has a finished run of a recipe. A run that was stopped is not finished; data are not compared.

    Args:
        folder: The folder of the run, which need not exist.
        wanted: The recipe, with its models as they are kept in a run.
        name: What to call the recipe.

    Raises:
        DataError: The folder has a run of another recipe, or a damaged one.
        ModelError: The run is finished, but its model cannot be read.
    """
    has_report = newest(folder / REPORT).is_file()
    if not (folder / RECIPE).is_file() and not has_report:
        return False
    try:
        kept = load_recipe(folder / RECIPE)
    except RecipeError as error:
        raise DataError(f"{folder}: the recipe of the run cannot be read: {error}; {ADVICE}") from None
    if found := differences(settings(kept), settings(wanted)):
        more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
        raise DataError(f"{folder}: expected a run of {name}, but it has {', '.join(found[:MOST])}{more}; {ADVICE}")
    if not has_report or read_report(folder)["ended"] == STOPPED:
        return False
    describe_model(folder)
    return True


def read_report(folder: Path) -> dict[str, Any]:
    """Return the report of a run as JSON values.

    Raises:
        DataError: The folder has no report of a run.
    """
    path = folder / REPORT
    try:
        found: dict[str, Any] = json.loads(newest(path).read_text("utf-8"))
        layers, dev = found["scores"].values(), found["dev_scores"].values()
        if found["ended"] and all(isinstance(value, float) for value in (*dev, *map(main_score, layers))):
            return found
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise DataError(f"{path}: expected the scores of a run, but some are missing; {ADVICE}")


def main_score(scores: Mapping[str, Any]) -> Any:
    """Return the headline of a layer of a report as JSON values."""
    return scores["f1"] if "f1" in scores else scores["accuracy"]


def settings(recipe: Recipe) -> dict[str, Any]:
    """Return all keys of a recipe; models in it as the names of their folders, because runs may have been moved."""
    found = recipe.model_dump()
    found["start"] = recipe.start and Path(recipe.start).name
    for head in found["heads"].values():
        head["teacher"] = head["teacher"] and ", ".join(Path(teacher).name for teacher in head["teacher"])
    return found


def differences(found: Mapping[str, Any], wanted: Mapping[str, Any], place: str = "") -> list[str]:
    """Return how one recipe differs from another: keys with both values, and sections that only one of them has."""
    texts = []
    for key in {**wanted, **found}:
        one, other, where = found.get(key), wanted.get(key), f"{place}{key}"
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            texts += differences(one, other, f"{where}.")
        elif isinstance(one, Mapping) or isinstance(other, Mapping):
            texts.append(f"another `{where}`")
        elif one != other:
            texts.append(f"`{where}` {one!r} instead of {other!r}")
    return texts
