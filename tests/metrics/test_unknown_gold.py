"""Scores of entities where gold is not fully known."""

from tagger.metrics.classes import score_tags
from tagger.metrics.unknown_gold import known_part
from tagger.text.schemes import Boundary


def test_entities_that_touch_unknown_gold_are_left_out() -> None:
    predicted = ["B-X", "I-X", "O", "B-Y", "O", "B-X"]
    assert known_part([Boundary("Y", 3, 4)], {0, 1}, predicted, "iob2", None) == (
        ["O", "O", "O", "B-Y", "O", "O"],
        ["O", "O", "O", "B-Y", "O", "B-X"],
    )


def test_predictions_of_types_that_are_not_annotated_are_left_out() -> None:
    gold = [Boundary("X", 0, 1)]
    assert known_part(gold, (), ["B-X", "B-Z"], "iob2", ["X"]) == (["B-X", "O"], ["B-X", "O"])


def test_dividing_tag_begins_an_entity_once_the_one_before_is_left_out() -> None:
    assert known_part([], {1}, ["I-X", "I-X"], "iob1", None) == (["O", "O"], ["O", "O"])
    assert known_part([], {0}, ["I-X", "B-X"], "iob1", None) == (["O", "O"], ["O", "I-X"])


def test_invalid_dividing_tag_stays_invalid_beside_unknown_gold() -> None:
    assert known_part([], {3}, ["B-X", "O", "B-Y", "I-Y"], "iob1", None)[1] == ["B-X", "O", "O", "O"]


def test_tokens_with_unknown_tags_are_in_no_accuracy() -> None:
    scores = score_tags([["N", None], [None], ["V"]], [["N", "V"], ["V"], ["N"]])
    assert (scores.accuracy, scores.tokens, scores.unknown_tokens) == (0.5, 2, 2)
    assert (scores.sentence_accuracy, scores.sentences) == (0.5, 2)
    assert "not scored, because gold is unknown there: 2 tokens" in scores.lines()
