"""Confident learning, on an example by hand."""

import numpy as np

from tagger.analysis.confident_learning import class_thresholds, confident_classes

# Six items of two classes. Thresholds: class 0 (0.9 + 0.7 + 0.2) / 3 = 0.6, class 1 (0.8 + 0.6 + 0.1) / 3 = 0.5.
GIVEN = np.array([0, 0, 0, 1, 1, 1])
PROBABILITIES = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.2, 0.8], [0.4, 0.6], [0.9, 0.1]])
OWN = PROBABILITIES[np.arange(6), GIVEN]


def test_the_threshold_of_a_class_is_the_mean_probability_of_its_items() -> None:
    assert np.allclose(class_thresholds(GIVEN, OWN, 2), [0.6, 0.5])
    assert class_thresholds(GIVEN, OWN, 3)[2] == np.inf


def test_each_item_has_its_confident_class() -> None:
    assert confident_classes(PROBABILITIES, np.array([0.6, 0.5])).tolist() == [0, 0, 1, 1, 1, 0]


def test_the_most_probable_of_several_confident_classes_counts_and_without_one_the_item_does_not() -> None:
    rows = np.array([[0.5, 0.4, 0.1], [0.3, 0.3, 0.4]])
    assert confident_classes(rows, np.array([0.4, 0.3, 0.5])).tolist() == [0, 1]
    assert confident_classes(rows, np.array([0.6, 0.6, 0.6])).tolist() == [-1, -1]


def test_no_items_and_no_classes_are_no_special_case() -> None:
    assert confident_classes(np.empty((0, 2)), np.array([np.inf, np.inf])).tolist() == []
    assert confident_classes(np.empty((3, 0)), np.empty(0)).tolist() == [-1, -1, -1]
