"""Confident learning, on an example by hand."""

import numpy as np

from tagger.analysis.confident_learning import class_thresholds, confident_classes, confident_joint

# Six items of two classes. Thresholds: class 0 (0.9 + 0.7 + 0.2) / 3 = 0.6, class 1 (0.8 + 0.6 + 0.1) / 3 = 0.5.
GIVEN = np.array([0, 0, 0, 1, 1, 1])
PROBABILITIES = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.2, 0.8], [0.4, 0.6], [0.9, 0.1]])
OWN = PROBABILITIES[np.arange(6), GIVEN]


def test_the_threshold_of_a_class_is_the_mean_probability_of_its_items() -> None:
    assert np.allclose(class_thresholds(GIVEN, OWN, 2), [0.6, 0.5])
    assert class_thresholds(GIVEN, OWN, 3)[2] == np.inf


def test_the_joint_counts_items_by_label_and_confident_class() -> None:
    assert confident_classes(PROBABILITIES, np.array([0.6, 0.5])).tolist() == [0, 0, 1, 1, 1, 0]
    assert confident_joint(GIVEN, PROBABILITIES).tolist() == [[2, 1], [1, 2]]


def test_the_most_probable_of_several_confident_classes_counts_and_without_one_the_item_does_not() -> None:
    rows = np.array([[0.5, 0.4, 0.1], [0.3, 0.3, 0.4]])
    assert confident_classes(rows, np.array([0.4, 0.3, 0.5])).tolist() == [0, 1]
    assert confident_classes(rows, np.array([0.6, 0.6, 0.6])).tolist() == [-1, -1]


def test_no_items_and_one_class_are_no_special_case() -> None:
    assert confident_joint(np.array([], np.int64), np.empty((0, 2))).tolist() == [[0, 0], [0, 0]]
    assert confident_joint(np.array([0, 0]), np.array([[1.0], [1.0]])).tolist() == [[2]]
    assert confident_classes(np.empty((3, 0)), np.empty(0)).tolist() == [-1, -1, -1]
