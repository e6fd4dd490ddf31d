"""How many labels are probably wrong: confident learning, from probabilities of a model that did not see the labels.

A class is confident for an item if its probability reaches the threshold of the class: its mean probability over the
items that have it as their label. The confident joint counts items by their label and by the most probable confident
class. Items off its diagonal are probably mislabelled.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]


def class_thresholds(given: Ints, own: Floats, num_classes: int) -> Floats:
    """Return the threshold of each class, of shape (classes,); infinity for a class without items.

    Args:
        given: The label of each item, of shape (items,).
        own: The probability of that label, of shape (items,).
        num_classes: The number of classes.

    Source:
        Northcutt, Jiang and Chuang (2021), "Confident Learning: Estimating Uncertainty in Dataset Labels", equation 2.
        Compared with an example by hand in tests/analysis/test_confident_learning.py.
    """
    counts = np.bincount(given, minlength=num_classes)
    sums = np.bincount(given, weights=own, minlength=num_classes)
    found: Floats = np.divide(sums, counts, out=np.full(num_classes, np.inf), where=counts > 0)
    return found


def confident_classes(probabilities: Floats, thresholds: Floats) -> Ints:
    """Return the most probable confident class of each item, of shape (items,); -1 where no class is confident.

    Args:
        probabilities: The probability of each class, of shape (items, classes).
        thresholds: The threshold of each class.

    Source:
        Northcutt et al. (2021), equation 1, with their rule for items with several confident classes.
    """
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    if not confident.size:
        return np.full(len(probabilities), -1)
    return np.where(confident.max(axis=1) < 0, -1, confident.argmax(axis=1))
