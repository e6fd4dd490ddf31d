"""The best tag sequence of a linear-chain CRF over a padded batch, in NumPy.

The recursion and its notation are those of `tagger/nn/chain/viterbi.py`.
"""

import numpy as np
from numpy.typing import NDArray

from tagger.numpy_nn.lattice import Floats, Lengths, Scores
from tagger.numpy_nn.packing import Ids

ELEMENTS = 2**15  # candidates that are compared at once: they stay in the processor's cache
CENTRED = 16  # tokens between two subtractions of the highest score


def best_path(emissions: Floats, lengths: Lengths, scores: Scores) -> tuple[Ids, NDArray[np.bool_]]:
    """Return the tag sequence with the highest score in each row, and whether the row has any possible sequence.

    Tags at padding are 0.

    Args:
        emissions: Score of each tag at each token, of shape (batch, tokens, tags); values at padding are ignored.
        lengths: Number of tokens of each row; they are on the left.
        scores: Start, transition and end scores.

    Source:
        Viterbi (1967). Compared with enumeration in tests/nn/test_crf.py.
    """
    with np.errstate(invalid="ignore"):  # emissions that are NaN or infinite
        moves = scores.transitions - max(scores.transitions.max(), emissions.dtype.type(-1e30))
        states = _best_scores(emissions, moves, scores.start)
        return _best_tags(states, lengths, moves, scores.end)


def _best_scores(emissions: Floats, moves: Floats, start: Floats) -> Floats:
    """Return delta[t, j] for each row, (tokens, tags, batch), up to a constant at each token."""
    batch, _, num_tags = emissions.shape
    states = np.array(emissions.transpose(1, 2, 0), order="C")  # always a copy
    states -= states.max(1)[:, None]
    states[0] += start[:, None]
    # The tags to come from are taken in parts that stay in the processor's cache. The transitions are repeated for each
    # row, for NumPy adds tables of one shape several times as fast.
    size = max(1, min(num_tags, ELEMENTS // (num_tags * batch)))
    parts = [slice(first, first + size) for first in range(0, num_tags, size)]
    repeated = np.ascontiguousarray(np.broadcast_to(moves[:, :, None], (num_tags, num_tags, batch)))
    candidates, best = np.empty((size, num_tags, batch), states.dtype), np.empty((num_tags, batch), states.dtype)
    # What each part adds up: the scores before each token, (tokens, from, 1, batch), the transitions, and where to.
    columns = [(states[:, part, None], repeated[part], candidates[: len(repeated[part])]) for part in parts]
    for t, state in enumerate(states[1:], 1):
        for i, (before, move, found) in enumerate(columns):
            np.add(before[t - 1], move, found)
            if i == 0:
                np.maximum.reduce(found, 0, out=best)
            else:
                np.maximum(best, np.maximum.reduce(found, 0), out=best)
        np.add(state, best, state)
        if t % CENTRED == 0:
            state -= np.maximum(state.max(0), -1e30)
    return states


def _best_tags(states: Floats, lengths: Lengths, moves: Floats, end: Floats) -> tuple[Ids, NDArray[np.bool_]]:
    """Return the best sequence of each row, found from its end to its start, and whether it is possible.

    Only the scores are stored. The way back computes again from which tag each tag of the best sequence was reached.
    """
    (num_tokens, _, batch), last = states.shape, np.maximum(lengths - 1, 0)
    rows, shortest = np.arange(batch), int(last.min())
    final = states[last, :, rows] + end  # (batch, tags)
    tag = ending = final.argmax(1)
    # At padding, and at the last token, the path holds the final tag of its row; from there it moves to the tag from
    # which the tag behind it was reached best.
    path, incoming = np.empty((num_tokens, batch), np.int64), np.ascontiguousarray(moves.T)  # (to, from)
    path[-1] = ending
    reached_by = np.ascontiguousarray(states.transpose(0, 2, 1))  # (tokens, batch, from)
    for t in range(num_tokens - 2, -1, -1):
        reached = incoming.take(tag, 0)
        reached += reached_by[t]
        tag = reached.argmax(1)  # (batch, from) -> (batch,)
        if t >= shortest:
            tag = np.where(t < last, tag, ending)
        path[t] = tag
    path[np.arange(num_tokens)[:, None] >= lengths] = 0
    return np.ascontiguousarray(path.T), final[rows, ending] > -np.inf
