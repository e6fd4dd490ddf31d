"""The place of a token in its sentence, as sines and cosines of waves of different lengths (Vaswani et al. 2017).

A recurrent network has to count to know where it is. This tells it, which matters where all sequences are cut around
what is asked for, such as windows of DNA around a junction.
"""

from collections.abc import Sequence

import numpy as np

from tagger.config import PositionConfig
from tagger.features.feature import Floats, ReadyFeature
from tagger.features.passages import Passage

SHORTEST = 4.0  # tokens of the shortest wave


class PositionFeature(ReadyFeature[PositionConfig]):
    """The number of tokens before each token."""

    @property
    def width(self) -> int:
        """Number of sines and cosines."""
        return 2 * self.config.waves

    def arrays(self, passages: Sequence[Passage]) -> Floats:
        """Return the sine of each wave and then the cosine of each wave, of shape (tokens, width)."""
        lengths = np.geomspace(SHORTEST, self.config.longest, self.config.waves)
        positions = np.concatenate([np.arange(len(passage.tokens)) for passage in passages] or [np.arange(0)])
        angles = 2 * np.pi * positions[:, None] / lengths
        return np.concatenate([np.sin(angles), np.cos(angles)], axis=1, dtype=np.float32)
