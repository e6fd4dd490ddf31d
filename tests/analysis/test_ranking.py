"""Ranking: ROC AUC and average precision against all pairs of sentences, and against SciPy."""

from collections.abc import Sequence
from statistics import fmean

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from tagger.analysis.ranking import ranking
from tagger.metrics.layer import ClassLayer
from tagger.text.sentence import Label, Sentence

ROWS = st.lists(st.tuples(st.sampled_from("ny"), st.integers(0, 20).map(lambda n: n / 20)), min_size=2, max_size=25)


def layer_of(rows: Sequence[tuple[str, float]], *, scores: bool = True) -> ClassLayer:
    """Sentences with a gold class and the probability of `y`; predictions have that of their class only if not."""
    gold = tuple(Sentence.from_tokens(["w"], {"class": Label(name)}) for name, _ in rows)
    labels = [
        Label("y", p, {"n": 1 - p, "y": p}) if p >= 0.5 else Label("n", 1 - p, {"n": 1 - p, "y": p}) for _, p in rows
    ]
    labels = labels if scores else [Label(label.value, label.score) for label in labels]
    return ClassLayer("class", gold, tuple(Sentence.from_tokens(["w"], {"class": label}) for label in labels))


def pairs_won(rows: Sequence[tuple[str, float]], positive: str) -> float:
    shares = [(name, p if positive == "y" else 1 - p) for name, p in rows]
    ones = [p for name, p in shares if name == positive]
    others = [p for name, p in shares if name != positive]
    return fmean((a > b + 1e-9) + 0.5 * (abs(a - b) < 1e-9) for a in ones for b in others)


def average_precision(rows: Sequence[tuple[str, float]], positive: str) -> float:
    """The sum of precision times growth of recall, over the distinct probabilities from the highest on."""
    shares = [(name == positive, round(p if positive == "y" else 1 - p, 9)) for name, p in rows]
    total, before = 0.0, 0.0
    for threshold in sorted({p for _, p in shares}, reverse=True):
        above = [right for right, p in shares if p >= threshold]
        recall = sum(above) / sum(right for right, _ in shares)
        total += (recall - before) * sum(above) / len(above)
        before = recall
    return total


@given(ROWS)
@settings(deadline=None)
def test_figures_equal_those_of_all_pairs_and_of_scipy(rows) -> None:
    assume(len({name for name, _ in rows}) == 2)
    section = ranking(layer_of(rows))
    assert section
    positive = "y" if sum(name == "y" for name, _ in rows) * 2 <= len(rows) else "n"
    assert section.data["positive"] == positive
    assert section.data["roc_auc"] == pytest.approx(pairs_won(rows, positive))
    assert section.data["average_precision"] == pytest.approx(average_precision(rows, positive))
    for name in "ny":
        assert section.data["by_class"][name] == pytest.approx(average_precision(rows, name))
    ones, others = ([p for name, p in rows if name == side] for side in "yn")
    statistic = mannwhitneyu(ones, others).statistic
    assert section.data["roc_auc"] == pytest.approx(statistic / len(ones) / len(others))


def test_by_hand() -> None:
    """Of two times two pairs three are in order; precision is 1 at the first `y` and 2/3 at the second."""
    section = ranking(layer_of([("y", 0.9), ("n", 0.7), ("y", 0.6), ("n", 0.1)]))
    assert section
    assert section.data["roc_auc"] == 0.75
    assert section.data["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert section.brief == ("ROC AUC 0.7500, average precision 0.8333 of `y`",)
    roc, precision = section.curves
    assert roc.diagonal
    assert roc.lines["y"] == ((0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0))
    assert (1.0, 2 / 3) in precision.lines["y"]


def test_the_probability_of_the_predicted_class_is_enough() -> None:
    rows = [("y", 0.9), ("n", 0.7), ("y", 0.6), ("n", 0.1), ("n", 0.3)]
    assert ranking(layer_of(rows, scores=False)) == ranking(layer_of(rows))


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (layer_of([("y", 0.9), ("y", 0.2)]), "gold has only the class `y`"),
        (layer_of([("n", 0.9)]), "gold has only the class `n`"),
        (layer_of([]), "there is no sentence"),
    ],
)
def test_one_class_has_no_ranking(layer: ClassLayer, said: str) -> None:
    section = ranking(layer)
    assert section
    assert section.data is None
    assert section.brief == (f"ROC AUC: {said}",)
    assert section.note.startswith(f"Not defined: {said}. ROC AUC is")


def test_no_probabilities_and_more_than_two_classes() -> None:
    sides = [(Label(g), Label(p)) for g, p in (("a", "a"), ("b", "a"))]
    gold, predicted = (tuple(Sentence.from_tokens(["w"], {"class": side[i]}) for side in sides) for i in (0, 1))
    section = ranking(ClassLayer("class", gold, predicted))
    assert section
    assert section.brief == ("ROC AUC: the predictions have no probabilities",)
    three = tuple(Sentence.from_tokens(["w"], {"class": Label("c", 0.5)}) for _ in gold)
    assert ranking(ClassLayer("class", gold, three)) is None
