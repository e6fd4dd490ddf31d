"""Reliability: how far the probabilities of predicted entities, tags and labels can be trusted.

The figures are computed in `metrics/calibration.py`.
"""

from collections.abc import Mapping, Set

import numpy as np

from tagger.metrics.calibration import brier_score, brier_score_of_classes, calibration_error, reliability
from tagger.metrics.layer import ScoredLayer
from tagger.metrics.section import Curve, Section, Table
from tagger.text.sentence import Label

NOTE = (
    "Predictions in bins of equal width of their probability: calibrated ones are right as often as their probability "
    "says. ECE is the mean distance from that, weighted by predictions (Guo et al. 2017). The Brier score is the mean "
)
BRIER = "squared difference between probability and outcome (1 if right, else 0), from 0 to 1."
BRIER_OF_CLASSES = (
    "over sentences of the squared differences between probability and outcome, summed over the classes, from 0 to 2 "
    "(Brier 1950)."
)


def calibration(layer: ScoredLayer) -> Section:
    """Return how far the probabilities of predicted entities, tags or labels can be trusted.

    Entities that were missed have no probability and do not count.
    """
    note = NOTE + (BRIER_OF_CLASSES if layer.kind == "labels" else BRIER)
    if not layer.hits:
        why = missing_probabilities(layer)
        return Section("calibration", "Calibration", f"Not defined: {why}. {note}", None, (f"calibration: {why}",))
    sure, right = zip(*layer.hits, strict=True)
    table, error, brier = reliability(sure, right), calibration_error(sure, right), _brier(layer)
    mean, share = float(np.mean(sure)), float(np.mean(right))
    shown = "undefined: not all classes have a probability" if brier is None else f"{brier:.4f}"
    shown += " (from 0 to 2)" if layer.kind == "labels" and brier is not None else ""
    rows = tuple((f"{each.low:.1f} to {each.high:.1f}", *each[2:]) for each in table)
    points = tuple((x, y) for *_, x, y in table if x is not None and y is not None)
    return Section(
        key="calibration",
        title="Calibration",
        note=note,
        data={
            "ece": error,
            "brier": brier,
            "predictions": len(sure),
            "probability": mean,
            "right": share,
            "bins": [each._asdict() for each in table],
        },
        brief=(f"probabilities: mean {mean:.4f}, right {share:.4f} of {len(sure)}; Brier score {shown}",),
        tables=(Table(("probability", "predictions", "mean probability", "right"), rows),),
        curves=(Curve("Reliability", "mean probability", "share right", {layer.name: points}, diagonal=True),),
    )


def _brier(layer: ScoredLayer) -> float | None:
    """Return the Brier score; None for labels where a sentence lacks the probability of a class."""
    if layer.kind != "labels":
        return brier_score(*zip(*layer.hits, strict=True))
    labels = [sentence.label(layer.name) for sentence in layer.predicted]
    gold = [sentence.label(layer.name).value for sentence in layer.gold]
    classes = {*gold, *(name for label in labels for name in (label.value, *(label.scores or {})))}
    shares = [_shares(label, classes) for label in labels]
    known = [each for each in shares if each is not None]
    return brier_score_of_classes(known, gold) if len(known) == len(gold) else None


def _shares(label: Label, classes: Set[str]) -> Mapping[str, float] | None:
    """Return the probability of each class: as predicted, or of two classes what follows from that of one of them."""
    if label.scores is not None or label.score is None or len(classes) != 2:
        return label.scores
    (other,) = classes - {label.value}
    return {label.value: label.score, other: 1 - label.score}


def missing_probabilities(layer: ScoredLayer) -> str:
    """Return the sentence that says why a layer has no prediction with a probability."""
    what = {"entities": "entity", "tags": "tag", "labels": "label"}.get(layer.kind, "prediction")
    predicted = int(layer.counts[:, 1].sum())
    return "the predictions have no probabilities" if predicted else f"no {what} was predicted that can be compared"
