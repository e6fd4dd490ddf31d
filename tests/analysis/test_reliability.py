"""The section on calibration: of entities, tags and labels, and what is undefined."""

import pytest
from scored_layers import class_layer, entity_layer, token_layer

from tagger.analysis.reliability import calibration
from tagger.metrics.layer import ClassLayer
from tagger.text.sentence import Label, Sentence

ENTITIES = entity_layer(("B-A O B-B", "B-A B-A B-B"), probabilities=[[0.95, 0.3, 0.6]])


def test_the_section_of_entities_asks_whether_predicted_entities_are_right() -> None:
    section = calibration(ENTITIES)
    assert section.data["ece"] == pytest.approx((0.05 + 0.3 + 0.4) / 3) == ENTITIES.scores.calibration_error
    assert section.data["brier"] == pytest.approx((0.05**2 + 0.3**2 + 0.4**2) / 3)
    assert section.data["predictions"] == 3
    assert section.brief == ("probabilities: mean 0.6167, right 0.6667 of 3; Brier score 0.0842",)
    (curve,), (table,) = section.curves, section.tables
    assert curve.diagonal
    assert curve.lines == {"ner": ((0.3, 0.0), (0.6, 1.0), (0.95, 1.0))}
    assert table.rows[3] == ("0.3 to 0.4", 1, 0.3, 0.0)
    assert table.rows[0] == ("0.0 to 0.1", 0, None, None)


def test_the_section_of_tags_skips_unknown_gold() -> None:
    section = calibration(token_layer(("A ? B", "A A A"), scores=[[0.9, 0.1, 0.8]]))
    assert section.data["predictions"] == 2
    assert section.data["brier"] == pytest.approx((0.01 + 0.64) / 2)


def test_the_brier_score_of_labels_is_over_all_classes_or_undefined() -> None:
    gold = (Sentence.from_tokens(["w"], {"class": Label("a")}),)
    shares = Label("b", 0.6, {"a": 0.3, "b": 0.6, "c": 0.1})
    layer = ClassLayer("class", gold, (Sentence.from_tokens(["w"], {"class": shares}),))
    assert calibration(layer).data["brier"] == pytest.approx(0.49 + 0.36 + 0.01)
    assert "summed over the classes, from 0 to 2 (Brier 1950)" in calibration(layer).note
    two = calibration(class_layer(("a", "b"), ("b", "b"), scores=[0.6, 0.9]))
    assert two.data["brier"] == pytest.approx(0.6**2 + 0.1**2)  # the other class has the rest of each probability
    without = calibration(class_layer(("a", "b"), ("c", "c"), scores=[0.6, 0.6]))
    assert without.data["brier"] is None
    assert without.data["ece"] == pytest.approx(0.1)
    assert without.brief[0].endswith("Brier score undefined: not all classes have a probability")


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (entity_layer(("B-A", "B-A")), "the predictions have no probabilities"),
        (entity_layer(("B-A O", "O O"), probabilities=[[]]), "no entity was predicted that can be compared"),
        (entity_layer(("?", "B-A"), probabilities=[[0.5]]), "no entity was predicted that can be compared"),
        (token_layer(("A", "A")), "the predictions have no probabilities"),
        (token_layer(("?", "A"), scores=[[0.5]]), "no tag was predicted that can be compared"),
        (class_layer(("a", "a")), "the predictions have no probabilities"),
    ],
)
def test_what_is_undefined_says_why(layer, said: str) -> None:
    section = calibration(layer)
    assert section.data is None
    assert section.brief == (f"calibration: {said}",)
    assert section.note.startswith(f"Not defined: {said}. Predictions in bins")
