"""Finds the entries of lists in a sentence: the longest ones, from left to right, separately for each type.

The nodes of the trie are numbers, 0 is its root. So a trie of any depth is three plain tables.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

ROOT, NOWHERE = 0, -1


class Match(NamedTuple):
    """Tokens that are an entry: the half-open range `[start, end)`, and the number of the entry's type."""

    start: int
    end: int
    type_id: int


class Trie:
    """The entries of several types.

    Args:
        entries: The entries of each type, each of one or more tokens.
    """

    def __init__(self, entries: Mapping[str, Iterable[Sequence[str]]]) -> None:
        self._next: dict[tuple[int, str], int] = {}  # the node that follows a node with a token
        self._type_ids: dict[int, list[int]] = {}  # of each node where entries end, their types
        self._first_tokens: set[str] = set()
        self._num_types = len(entries)
        for type_id, own in enumerate(entries.values()):
            for entry in own:
                self._add(entry, type_id)

    def _add(self, entry: Sequence[str], type_id: int) -> None:
        node = ROOT
        for token in entry:
            node = self._next.setdefault((node, token), len(self._next) + 1)
        self._first_tokens.add(entry[0])
        type_ids = self._type_ids.setdefault(node, [])
        if type_id not in type_ids:
            type_ids.append(type_id)

    def matches(self, tokens: Sequence[str]) -> Iterator[Match]:
        """Yield the matches in a sentence by their start.

        At each token the longest entry of a type counts, unless the token is in an earlier match of the same type.
        Matches of different types may overlap.
        The time is proportional to the number of tokens times the length of the longest entry, at worst.
        """
        free = [0] * self._num_types  # of each type, the first token behind its last match
        for start, token in enumerate(tokens):
            if token not in self._first_tokens or start < min(free):
                continue
            for type_id, end in self._longest(tokens, start).items():
                if start >= free[type_id]:
                    free[type_id] = end
                    yield Match(start, end, type_id)

    def _longest(self, tokens: Sequence[str], start: int) -> dict[int, int]:
        """Return the end of the longest entry of each type that begins at a token."""
        found: dict[int, int] = {}
        node = ROOT
        for end in range(start, len(tokens)):
            node = self._next.get((node, tokens[end]), NOWHERE)
            if node == NOWHERE:
                break
            found.update(dict.fromkeys(self._type_ids.get(node, ()), end + 1))
        return found
