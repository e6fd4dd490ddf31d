"""Ranking: whether the probability of a class is higher where it is right, for layers with two classes.

Unlike accuracy it does not depend on a threshold of one half.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tagger.metrics.layer import ClassLayer, ScoredLayer
from tagger.metrics.section import Curve, Section, Table
from tagger.text.sentence import Label

NOTE = (
    "ROC AUC is the chance that a sentence of one class gets a higher probability of it than a sentence of the other "
    "class, ties counted half; it is the same for both classes and 0.5 by chance (Hanley and McNeil 1982). Average "
    "precision is the mean precision at each sentence of the positive class, the most probable first; by chance it is "
    "the share of the class. The positive class is the rarer one in gold, or the last by name where both are equally "
    "frequent."
)


def ranking(layer: ScoredLayer) -> Section | None:
    """Return ROC AUC and average precision of a label layer with two classes; None for other layers.

    Source:
        Computed by scikit-learn. Compared with all pairs of sentences and with the Mann-Whitney statistic of SciPy in
        tests/analysis/test_ranking.py.
    """
    if not isinstance(layer, ClassLayer):
        return None
    labels = [sentence.label(layer.name) for sentence in layer.predicted]
    gold = [sentence.label(layer.name).value for sentence in layer.gold]
    classes = sorted({*gold, *(name for label in labels for name in (label.value, *(label.scores or {})))})
    if len(classes) > 2:
        return None
    if why := _undefined(gold, labels):
        return Section("ranking", "Ranking", f"Not defined: {why}. {NOTE}", None, (f"ROC AUC: {why}",))
    numbers = Counter(gold)
    return _section(sorted(classes, key=lambda name: (-numbers[name], name)), gold, labels)


def _undefined(gold: Sequence[str], labels: Sequence[Label]) -> str:
    """Return why there is no ranking; nothing if there is one."""
    if len(set(gold)) < 2:
        return f"gold has only the class `{gold[0]}`" if gold else "there is no sentence"
    return "the predictions have no probabilities" if any(label.score is None for label in labels) else ""


def _section(classes: Sequence[str], gold: Sequence[str], labels: Sequence[Label]) -> Section:
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

    positive = classes[-1]
    shares = {name: [_probability(label, name) for label in labels] for name in classes}
    truth = {name: [value == name for value in gold] for name in classes}
    area = float(roc_auc_score(truth[positive], shares[positive]))
    averages = {name: float(average_precision_score(truth[name], shares[name])) for name in classes}
    chance = {name: gold.count(name) / len(gold) for name in classes}
    false, found, _ = roc_curve(truth[positive], shares[positive])
    precision, recall, _ = precision_recall_curve(truth[positive], shares[positive], drop_intermediate=True)
    return Section(
        key="ranking",
        title="Ranking",
        note=NOTE,
        data={"positive": positive, "roc_auc": area, "average_precision": averages[positive], "by_class": averages},
        brief=(f"ROC AUC {area:.4f}, average precision {averages[positive]:.4f} of `{positive}`",),
        tables=(
            Table(
                ("positive class", "share in gold", "average precision", "ROC AUC"),
                tuple((name, chance[name], averages[name], area) for name in reversed(classes)),
            ),
        ),
        curves=(
            Curve(
                "ROC curve",
                "false positive rate",
                "true positive rate",
                {positive: _points(false, found)},
                diagonal=True,
            ),
            Curve("Precision and recall", "recall", "precision", {positive: _points(recall, precision)}),
        ),
    )


def _probability(label: Label, name: str) -> float:
    """Return the probability of one of two classes, also where only that of the predicted class is known."""
    if label.scores is not None and name in label.scores:
        return label.scores[name]
    sure = label.score or 0.0
    return sure if label.value == name else 1 - sure


def _points(x: Any, y: Any) -> tuple[tuple[float, float], ...]:
    return tuple(zip(x.tolist(), y.tolist(), strict=True))
