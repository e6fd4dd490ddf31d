"""Counts of each type, tag or class of a layer, sentence by sentence, for the difference of two systems on each."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ClassLayer, Counts, ScoredLayer, TokenLayer

CORRECT, PREDICTED, GOLD = range(3)


def class_counts(layer: ScoredLayer) -> dict[str, Counts]:
    """Return the correct, predicted and gold occurrences of each type, tag or class, of shape (sentences, 3)."""
    found: defaultdict[str, Counts] = defaultdict(lambda: np.zeros((len(layer.gold), 3), np.int64))
    for sentence, name, column in _occurrences(layer):
        found[name][sentence, column] += 1
    return dict(found)


def _occurrences(layer: ScoredLayer) -> Iterator[tuple[int, str, int]]:
    """Yield sentence, name and column of everything that counts."""
    match layer:
        case EntityLayer():
            yield from _entities(layer)
        case TokenLayer():
            for i, pairs in enumerate(layer.pairs):
                for gold, predicted in pairs:
                    yield from _pair(i, gold, predicted)
        case ClassLayer():
            for i, (gold, predicted) in enumerate(layer.pairs):
                yield from _pair(i, gold, predicted)


def _entities(layer: EntityLayer) -> Iterator[tuple[int, str, int]]:
    for i, pair in enumerate(layer.pairs):
        for entity, predicted, gold in pair.entities:
            sides = ((CORRECT, predicted and gold), (PREDICTED, predicted), (GOLD, gold))
            yield from ((i, entity.type, column) for column, counts in sides if counts)


def _pair(sentence: int, gold: str, predicted: str) -> Iterator[tuple[int, str, int]]:
    yield sentence, gold, GOLD
    yield sentence, predicted, PREDICTED
    if gold == predicted:
        yield sentence, gold, CORRECT
