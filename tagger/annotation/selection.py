"""Which text comes next: where the model is unsure, and no copy of what was just judged; all by a seed."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

READING = 5  # tokens that reading a text of any length costs
MOST = 200  # candidates that are compared
RECENT = 50  # judged texts that the next one should differ from
FIT = range(4, 41)  # tokens of a good first text


class Candidate(NamedTuple):
    """A text that may come next.

    Args:
        id: Its number.
        words: Its words in lower case.
        length: Number of its tokens.
        gain: How much a judgement on it teaches; None if no model has read it.
    """

    id: int
    words: frozenset[str]
    length: int
    gain: float | None


def best(candidates: Sequence[Candidate], recent: Collection[frozenset[str]]) -> Candidate | None:
    """Return the text that teaches most for each token to read: uncertain, and unlike texts that were just judged.

    Without a model, the texts of usual length are worth the same; the first candidate wins a tie.
    """
    return max(candidates, key=lambda candidate: worth(candidate, recent), default=None)


def worth(candidate: Candidate, recent: Collection[frozenset[str]]) -> float:
    """Return how much a text teaches for each token to read."""
    nearest = max((overlap(candidate.words, words) for words in recent), default=0.0)
    if candidate.gain is None:
        return (1 - nearest) * (candidate.length in FIT)
    return (1 - nearest) * candidate.gain / (candidate.length + READING)


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of the words of two texts that both have."""
    return len(one & other) / max(len(one | other), 1)
