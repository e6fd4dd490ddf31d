import json
import warnings
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from tagger.metrics.classes import score_labels, score_tags
from tagger.metrics.rates import ClassScore

VALUES = ("ADJ", "NOUN", "VERB", "_")
label_pairs = st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from(VALUES)), min_size=1, max_size=40)


def split(pairs: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [left for left, _ in pairs], [right for _, right in pairs]


def oracle_classes(gold: list[str], predicted: list[str]) -> dict[str, ClassScore]:
    names = sorted({*gold, *predicted})
    rows = precision_recall_fscore_support(gold, predicted, labels=names, zero_division=0)
    return {
        name: ClassScore(*(pytest.approx(float(rate)) for rate in row[:3]), int(row[3]))
        for name, *row in zip(names, *rows, strict=True)
    }


@settings(deadline=None)
@given(label_pairs)
def test_label_scores_equal_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    gold, predicted = split(pairs)
    scores = score_labels(gold, predicted)
    names = sorted({*gold, *predicted})
    assert scores.accuracy == pytest.approx(accuracy_score(gold, predicted))
    assert scores.macro_f1 == pytest.approx(f1_score(gold, predicted, average="macro", zero_division=0))
    assert scores.classes == oracle_classes(gold, predicted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # scikit-learn warns of a single class
        matrix = confusion_matrix(gold, predicted, labels=names).tolist()
    assert [[scores.confusion.get(row, {}).get(column, 0) for column in names] for row in names] == matrix


@settings(deadline=None)
@given(st.lists(label_pairs, min_size=1, max_size=5))
def test_tag_scores_equal_scikit_learn_over_all_tokens(sentences: list[list[tuple[str, str]]]) -> None:
    gold, predicted = zip(*(split(pairs) for pairs in sentences), strict=True)
    scores = score_tags(gold, predicted)
    flat = split([pair for pairs in sentences for pair in pairs])
    assert scores.accuracy == scores.headline == pytest.approx(accuracy_score(*flat))
    assert scores.tags == oracle_classes(*flat)
    assert scores.tokens == len(flat[0])
    right = [all(left == right for left, right in pairs) for pairs in sentences]
    assert scores.sentence_accuracy == sum(right) / len(right)


def test_tag_scores_equal_a_table_counted_by_hand() -> None:
    scores = score_tags([["DET", "NOUN", "VERB"], ["NOUN"]], [["DET", "NOUN", "NOUN"], ["NOUN"]])
    assert (scores.accuracy, scores.sentence_accuracy, scores.tokens, scores.sentences) == (0.75, 0.5, 4, 2)
    assert scores.tags == {
        "DET": ClassScore(1.0, 1.0, 1.0, 1),
        "NOUN": ClassScore(2 / 3, 1.0, 0.8, 2),  # 3 predicted, 2 gold, 2 correct
        "VERB": ClassScore(0.0, 0.0, 0.0, 1),
    }


def test_label_scores_equal_a_table_counted_by_hand() -> None:
    scores = score_labels(["good", "good", "bad", "so-so"], ["good", "bad", "bad", "bad"])
    assert scores.accuracy == 0.5
    assert scores.classes == {
        "bad": ClassScore(1 / 3, 1.0, 0.5, 1),
        "good": ClassScore(1.0, 0.5, 2 / 3, 2),
        "so-so": ClassScore(0.0, 0.0, 0.0, 1),
    }
    assert scores.macro_f1 == pytest.approx((1 / 2 + 2 / 3 + 0) / 3)
    assert scores.confusion == {"bad": {"bad": 1}, "good": {"bad": 1, "good": 1}, "so-so": {"bad": 1}}


def test_gold_value_that_is_never_predicted_is_an_error_and_no_crash() -> None:
    scores = score_labels(["unseen"], ["known"])
    assert (scores.accuracy, scores.macro_f1) == (0.0, 0.0)
    assert scores.classes["unseen"].support == 1


def test_nothing_to_score_scores_zero() -> None:
    assert (score_tags([], []).accuracy, score_tags([], []).sentence_accuracy) == (0.0, 0.0)
    assert (score_labels([], []).accuracy, score_labels([], []).macro_f1) == (0.0, 0.0)


def test_a_tuple_of_tags_is_right_if_its_tags_are() -> None:
    assert score_tags([("NOUN",)], [["NOUN"]]).sentence_accuracy == 1.0


def test_sides_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"sentence 0: .* got 2 and 1"):
        score_tags([["NOUN", "VERB"], ["NOUN"]], [["NOUN"], ["NOUN", "VERB"]])
    with pytest.raises(ValueError, match="the same number of labels, got 1 and 2"):
        score_labels(["good"], ["good", "bad"])


def test_dictionaries_survive_json() -> None:
    for scores in (score_tags([["NOUN"]], [["VERB"]]), score_labels(["good"], ["bad"])):
        found = scores.to_dict()
        assert json.loads(json.dumps(found)) == found
        assert found["accuracy"] == 0.0
