"""The scores of a layer of numbers: the fast headline, what is not defined, and resampling."""

import numpy as np
import pytest

from tagger.metrics import interval
from tagger.metrics.numbers.layer import ValueLayer, explained
from tagger.text.sentence import Sentence, Values


def make_layer(*pairs: tuple[list[float | None], list[float]], whole: bool = False) -> ValueLayer:
    def side(numbers: list[float | None] | list[float]) -> Sentence:
        return Sentence.from_tokens(["w"] * (1 if whole else len(numbers)), {"x": Values(tuple(numbers), whole)})

    return ValueLayer("x", tuple(side(gold) for gold, _ in pairs), tuple(side(found) for _, found in pairs))


def test_the_headline_is_the_variance_by_itself_and_the_squared_error() -> None:
    rng = np.random.default_rng(1)
    gold = rng.normal(1e6, 2, (5, 20))
    found = gold + rng.normal(0, 1, gold.shape)
    layer = make_layer(*((g.tolist(), f.tolist()) for g, f in zip(gold, found, strict=True)))
    squared = float(((gold - found) ** 2).mean())
    assert layer.headline == pytest.approx(gold.var() / (gold.var() + squared))
    assert layer.scores.r2 == pytest.approx(1 - squared / gold.var())
    assert layer.scores.headline == layer.headline == pytest.approx(1 / (2 - layer.scores.r2))
    assert interval(layer.counts, explained) is not None


def test_without_errors_the_headline_is_one_also_for_a_constant() -> None:
    assert make_layer(([3.0, 3.0], [3.0, 3.0])).headline == 1.0
    assert make_layer(([3.0, 3.0], [3.0, 4.0])).headline == 0.0
    assert make_layer(([None], [4.0])).headline == 0.0


def test_a_prediction_that_is_no_number_is_not_without_error() -> None:
    layer = make_layer(([1.0, 2.0], [1.0, float("nan")]))
    assert (layer.headline, layer.scores.r2) == (0.0, None)


def test_mase_compares_with_the_number_before_in_its_sentence() -> None:
    layer = make_layer(([0.0, 2.0], [1.0, 2.0]), ([100.0, 104.0], [100.0, 105.0]))
    assert layer.scores.mase == pytest.approx(0.5 / 3)  # steps of 2 and 4, none from 2 to 100
    assert make_layer(([5.0], [6.0])).scores.mase is None


def test_sides_of_different_sizes_are_an_error() -> None:
    with pytest.raises(ValueError, match="equally many values, got 2 and 1"):
        _ = make_layer(([1.0, 2.0], [1.0]), whole=True).headline
