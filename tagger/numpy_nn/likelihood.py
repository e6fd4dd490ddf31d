"""Scores of given tag sequences under a linear-chain CRF, and how often they use each score, in NumPy.

The likelihood itself, with its gradient, is in `tagger/nn/chain/likelihood.py`.
"""

import numpy as np
from numpy.typing import NDArray

from tagger.numpy_nn.lattice import Floats, Lattice, Lengths, Scores
from tagger.numpy_nn.packing import Ids


def path_score(emissions: Floats, lengths: Lengths, scores: Scores, tags: Ids) -> NDArray[np.float64]:
    """Return the score of a tag sequence for each row, of shape (batch,); 0 for a row without a token.

    It is in float64 because it grows with the number of tokens, and the log-partition of nearly the same size is
    subtracted from it: in float32 the difference would lose most of its digits.

    Args:
        emissions: Score of each tag at each token, of shape (batch, tokens, tags).
        lengths: Number of tokens of each row; they are on the left.
        scores: Start, transition and end scores.
        tags: The sequences, of shape (batch, tokens); any tag at padding.
    """
    batch, num_tokens, num_tags = emissions.shape
    at_token = np.arange(num_tokens) < lengths[:, None]
    parts = emissions.reshape(-1).take(_places(tags, num_tags)).astype(np.float64)  # (batch, tokens)
    parts[:, 0] += scores.start.take(tags[:, 0])
    parts[:, 1:] += scores.transitions.take(_pairs(tags, num_tags))  # the transition to each token
    ending = tags[np.arange(batch), np.maximum(lengths - 1, 0)]
    total: NDArray[np.float64] = np.where(at_token, parts, 0).sum(1)
    return total + np.where(lengths > 0, scores.end.take(ending), 0)


def subtract_expected(lattice: Lattice, lengths: Lengths, tags: Ids) -> None:
    """Turn marginals and counts of a lattice, in place, into the counts of given sequences minus the expected ones."""
    marginals, counts = lattice.marginals, lattice.counts
    assert counts is not None
    _, num_tokens, num_tags = marginals.shape
    at_token = np.arange(num_tokens) < lengths[:, None]
    np.negative(marginals, out=marginals)
    marginals.reshape(-1)[_places(tags, num_tags)[at_token]] += 1
    pairs = _pairs(tags, num_tags) + np.arange(0, counts.size, num_tags**2)[:, None]  # (batch, tokens - 1)
    given = np.bincount(pairs[at_token[:, 1:]], minlength=counts.size)
    np.subtract(given.reshape(counts.shape), counts, out=counts, casting="same_kind")


def _places(tags: Ids, num_tags: int) -> Ids:
    """Return the index of the tag of each token in flattened emissions."""
    return np.arange(0, tags.size * num_tags, num_tags).reshape(tags.shape) + tags


def _pairs(tags: Ids, num_tags: int) -> Ids:
    """Return the index of each transition of a sequence in a flattened table of transitions."""
    pairs: Ids = tags[:, :-1] * num_tags + tags[:, 1:]
    return pairs
