"""Thresholds: counted anew for each, and the same as `tagger tag --min-score`."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scored_layers import class_layer, entity_layer, token_layer

from tagger.analysis.thresholds import SHOWN, Kept, Thresholds, thresholds
from tagger.text.document import Document, without_unsure
from tagger.text.sentence import Unaligned

HITS = st.lists(st.tuples(st.integers(0, 100).map(lambda n: n / 100), st.booleans()), max_size=30)
LAYER = entity_layer(
    ("B-A O B-B B-A", "B-A B-A B-B O"),
    ("? B-A O", "B-A B-B O"),
    ("O B-C", "O B-C"),
    probabilities=[[0.95, 0.3, 0.62], [0.99, 0.41], [0.7]],
)


def counted(hits: list[tuple[float, bool]], gold: int, threshold: float) -> Kept:
    kept = [right for score, right in hits if score >= threshold]
    precision, recall = sum(kept) / len(kept) if kept else None, sum(kept) / gold if gold else None
    f1 = 0.0 if gold or kept else None
    if precision and recall:
        f1 = 2 * precision * recall / (precision + recall)
    return Kept(threshold, len(kept), precision, recall, f1)


@given(HITS, st.integers(0, 5), st.integers(0, 100).map(lambda n: n / 100))
@settings(deadline=None)
def test_each_threshold_is_counted_anew(hits, missed: int, threshold: float) -> None:
    gold = sum(right for _, right in hits) + missed
    expected = counted(hits, gold, threshold)
    assert Thresholds(hits, gold).at(threshold) == pytest.approx(expected)


@given(HITS.filter(bool), st.integers(0, 5), st.sampled_from([0.0, 0.5, 0.8, 1.0]))
@settings(deadline=None)
def test_no_other_threshold_is_better(hits, missed: int, wanted: float) -> None:
    gold = sum(right for _, right in hits) + missed
    found, grid = Thresholds(hits, gold), [counted(hits, gold, n / 1000) for n in range(1001)]
    best, reached = found.best(), found.reaching(wanted)
    if gold:
        assert best
        assert best.f1 == pytest.approx(max(row.f1 for row in grid))
    else:
        assert best is None
    enough = [row for row in grid if row.precision is not None and row.precision >= wanted]
    assert (reached and reached.kept) == (max(row.kept for row in enough) if enough else None)
    if reached:
        assert reached == pytest.approx(counted(hits, gold, reached.threshold))


def test_thresholds_have_few_decimals_and_drop_exactly_what_is_below() -> None:
    hits = [(0.123456, False), (0.6187654, True), (0.6187655, False), (0.98765, True), (0.99, True)]
    found = Thresholds(hits, 3)
    assert found.reaching(0.6) == pytest.approx(Kept(0.0, 5, 3 / 5, 1, 2 * 3 / 8))
    assert found.reaching(0.7) == pytest.approx(Kept(0.6, 4, 3 / 4, 1, 6 / 7))
    assert found.reaching(1.0) == pytest.approx(Kept(0.9, 2, 1, 2 / 3, 4 / 5))
    assert Thresholds([*hits, (0.61876545, False)], 3).reaching(0.7) is not None
    assert Thresholds(hits[:1], 1).reaching(0.5) is None


def test_the_rates_are_those_of_the_sentences_that_min_score_leaves() -> None:
    for threshold in (*SHOWN, 0.62, 0.621):
        row = Thresholds(LAYER.hits, int(LAYER.counts[:, -1].sum())).at(threshold)
        left = without_unsure(Document("", LAYER.predicted), threshold).sentences
        scores = replace(LAYER, predicted=tuple(left)).scores
        assert row.kept == scores.predicted_entities
        assert (row.precision or 0.0, row.recall, row.f1) == pytest.approx(
            (scores.micro.precision, scores.micro.recall, scores.micro.f1)
        )


def test_threshold_0_has_the_rates_of_the_report_also_with_entities_that_tokens_cannot_express() -> None:
    unaligned = [Unaligned("A", 0, 1), Unaligned("B", 0, 2)]  # the second is predicted all the same
    layer = entity_layer(("O B-A", "B-B B-A"), probabilities=[[0.9, 0.5]], unaligned=unaligned)
    row = thresholds(layer).data["table"][0]
    micro = layer.scores.micro
    assert (row["precision"], row["recall"], row["f1"]) == pytest.approx((micro.precision, micro.recall, micro.f1))
    assert micro.recall == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("layer", "recall"),
    [
        (token_layer(("A B ?", "A C C"), ("B", "B"), scores=[[0.9, 0.4, 0.8], [0.7]]), 2 / 3),
        (class_layer(("a", "a"), ("b", "a"), ("b", "b"), scores=[0.9, 0.4, 0.7]), 2 / 3),
    ],
)
def test_of_tags_and_labels_recall_is_of_all_that_have_gold(layer, recall: float) -> None:
    data = thresholds(layer, [0.99]).data
    assert data["table"][0] == {"threshold": 0.0, "kept": 3, "precision": 2 / 3, "recall": recall, "f1": 2 / 3}
    assert data["wanted_precision"] == {
        "0.99": {"threshold": 0.7, "kept": 2, "precision": 1.0, "recall": 2 / 3, "f1": 0.8}
    }
    assert data["best_f1"] == data["wanted_precision"]["0.99"]


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (entity_layer(("B-A", "B-A")), "the predictions have no probabilities"),
        (entity_layer(("B-A O", "O O"), probabilities=[[]]), "no entity was predicted that can be compared"),
        (entity_layer(("O", "O"), probabilities=[[]]), "no entity was predicted that can be compared"),
        (entity_layer(("?", "B-A"), probabilities=[[0.5]]), "no entity was predicted that can be compared"),
        (token_layer(("?", "A"), scores=[[0.5]]), "no tag was predicted that can be compared"),
        (class_layer(("a", "a")), "the predictions have no probabilities"),
    ],
)
def test_what_is_undefined_says_why(layer, said: str) -> None:
    section = thresholds(layer)
    assert section.data is None
    assert section.brief == (f"thresholds: {said}",)
    assert section.note.startswith(f"Not defined: {said}. What is left if")


def test_without_gold_entities_nothing_is_best_and_no_precision_is_reached() -> None:
    section = thresholds(entity_layer(("O O", "B-A O"), probabilities=[[0.5]]))
    assert section.data["best_f1"] is None
    assert section.data["table"][0] == {"threshold": 0.0, "kept": 1, "precision": 0.0, "recall": None, "f1": 0.0}
    assert section.brief[0] == "no gold, so no best threshold"
    assert section.brief[1].startswith("lowest threshold for precision 0.8: none, 0.9: none")


def test_the_curve_and_the_tables_have_the_same_rates() -> None:
    section = thresholds(LAYER)
    (curve,), (table, best, wanted) = section.curves, section.tables
    assert dict(curve.lines["recall"])[0.5] == table.rows[SHOWN.index(0.5)][3]
    assert max(f1 for _, f1 in curve.lines["F1"]) == best.rows[0][-1]
    assert [row[0] for row in wanted.rows] == ["0.8", "0.9", "0.95", "0.99"]
    assert all(0 <= value <= 1 for line in curve.lines.values() for point in line for value in point)
