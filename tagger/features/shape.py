"""Case, digits, marks, length and shape of a word form, each an id with a small vector; see `words/word_shapes.py`."""

from collections.abc import Sequence

import numpy as np

from tagger.config import ShapeConfig
from tagger.features.feature import Ids
from tagger.features.hashed import HashedFeature
from tagger.features.words.word_shapes import SIZES, shape_ids


class ShapeFeature(HashedFeature[ShapeConfig]):
    """The properties of a word, each with a vector."""

    @property
    def width(self) -> int:
        """Number of features of all properties together."""
        return len(self.sizes) * self.config.dimension

    def ids(self, words: Sequence[str]) -> Ids:
        """Return the value of each property of each word, of shape (words, properties)."""
        rows = [shape_ids(word, self.config.buckets) for word in words]
        return np.array(rows, np.int64).reshape(len(words), len(self.sizes))

    @property
    def sizes(self) -> list[int]:
        """Number of values of each property."""
        return [*SIZES, self.config.buckets]
