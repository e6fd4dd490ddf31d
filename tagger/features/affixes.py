"""The first and last characters of a word form, as ids: each affix is hashed to one of the rows of a table.

The hash is CRC-32, the same on every machine. Row 0 stands for the affixes that a short word does not have.
"""

from collections.abc import Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np

from tagger.config import AffixesConfig
from tagger.features.feature import Ids
from tagger.features.hashed import HashedFeature

TOO_SHORT = 0  # the row of an affix that is longer than the word
CACHED = 2**15  # words whose rows are kept: about 10 MB with the default lengths


class AffixesFeature(HashedFeature[AffixesConfig]):
    """The prefix and the suffix of each length, each with a vector of one table."""

    @property
    def width(self) -> int:
        """Number of features of all affixes together."""
        return 2 * len(self.config.lengths) * self.config.dimension

    def ids(self, words: Sequence[str]) -> Ids:
        """Return the row of each prefix and suffix of each word, of shape (words, 2 x lengths), by length."""
        config = self.config
        cased = [word.casefold() for word in words] if config.case == "fold" else words
        rows = [affix_ids(word, config.lengths, config.buckets) for word in cased]
        return np.array(rows, np.int64).reshape(len(words), 2 * len(config.lengths))

    @property
    def sizes(self) -> list[int]:
        """Number of rows, which all affixes share."""
        return [self.config.buckets + 1]


@lru_cache(CACHED)
def affix_ids(word: str, lengths: Sequence[int], buckets: int) -> Sequence[int]:
    """Return the row of the prefix and of the suffix of each length; all rows but 0 are shared by chance.

    A prefix and a suffix of the same characters have rows of their own: they are hashed with a mark of the word's edge.
    """
    ids: list[int] = []
    edges = f"<{word}>".encode("utf-32-le", "surrogatepass")  # four bytes for each character
    for length in lengths:
        if length > len(word):
            ids += [TOO_SHORT, TOO_SHORT]
        else:
            size = 4 * (length + 1)
            ids += [1 + crc32(edges[:size]) % buckets, 1 + crc32(edges[-size:]) % buckets]
    return ids
