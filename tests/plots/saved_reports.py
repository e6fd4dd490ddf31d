"""Reports of small runs, as training saves them."""

from pathlib import Path

from scored_layers import entity_layer

from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ScoredLayer
from tagger.reporting.report import Report, signature_of

GOLD = "B-A O B-B O"
PREDICTED = ("B-A O B-B O", "B-A B-B O O", "O O B-B B-A", "B-B O O O")


def layer_of(found: int) -> EntityLayer:
    """A layer of four sentences, of which `found` are predicted without error."""
    sides = [(GOLD, PREDICTED[0] if i < found else PREDICTED[1 + i % 3]) for i in range(4)]
    spans = [sum(tag.startswith("B") for tag in predicted.split()) for _, predicted in sides]
    return entity_layer(
        *sides, probabilities=[[0.95 - 0.2 * i - 0.1 * j for j in range(n)] for i, n in enumerate(spans)]
    )


def report_of(layer: ScoredLayer, seed: int | None = None, size: int | None = None, settings: str = "a") -> Report:
    """A report; with a size, that of a run."""
    recipe = {"recipe": {"settings": settings, "whole": f"{settings} {size}"}, "train_sentences": size} if size else {}
    return Report({layer.name: layer}, signature_of({layer.name: layer}, seed=seed), recipe)


def save(folder: Path, name: str, *args, **options) -> Path:
    """Save a report as a file, and return its path."""
    report_of(*args, **options).save(folder / f"{name}.json")
    return folder / f"{name}.json"
