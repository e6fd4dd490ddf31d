"""The characters that a character language model knows, as ids."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

BREAK = "\n"  # before the first sentence of a text, and after each
BLOCK = 1_000_000  # characters that become ids at once
Ids = NDArray[np.unsignedinteger[Any]]
KNOWN = 0.9999  # share of the characters of a text that have ids of their own; the others teach what is unknown


@dataclass(frozen=True)
class Characters:
    """A vocabulary of characters. Id 0 is that of all unknown ones, so a text of any characters has ids.

    A line break is always known. Halves of surrogate pairs are no characters, and never are.

    Args:
        known: The characters with ids from 1, in the order of their code points.
    """

    known: Sequence[str]

    @classmethod
    def of(cls, text: str) -> "Characters":
        """Return the frequent characters of a text; those that occur once are unknown, and so are the rarest."""
        counts = Counter(text)
        left, known = counts.total() * (1 - KNOWN), {BREAK}
        rarest_first = sorted(counts.items(), key=lambda item: (item[1], item[0]))
        for char, count in rarest_first:
            left -= count
            if count > 1 and left < 0 and not "\ud800" <= char <= "\udfff":
                known.add(char)
        return cls(sorted(known))

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self.known) + 1

    def ids(self, text: str) -> Ids:
        """Return the id of each character, in the smallest type of integers that has all ids."""
        found = np.empty(len(text), np.min_scalar_type(len(self.known)))
        for start in range(0, len(text), BLOCK):
            codes = _codes(text[start : start + BLOCK])
            places = np.searchsorted(self._known_codes, codes)
            is_known = self._known_codes[np.minimum(places, len(self.known) - 1)] == codes
            found[start : start + BLOCK] = np.where(is_known, places + 1, 0)
        return found

    @cached_property
    def _known_codes(self) -> NDArray[np.uint32]:
        return _codes("".join(self.known))


def _codes(text: str) -> NDArray[np.uint32]:
    """Return the code point of each character; half of a surrogate pair counts as a character."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
