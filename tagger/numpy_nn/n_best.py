"""The n best tag sequences of a linear-chain CRF over a padded batch, in NumPy."""

import numpy as np
from numpy.typing import NDArray

from tagger.numpy_nn.lattice import Floats, Lengths, Scores
from tagger.numpy_nn.packing import Ids
from tagger.numpy_nn.viterbi import best_scores


def best_paths(emissions: Floats, lengths: Lengths, scores: Scores, *, n: int) -> tuple[Ids, NDArray[np.bool_]]:
    """Return the `n` tag sequences with the highest scores in each row, best first, and which of them exist.

    Sequences have the shape (batch, n, tokens); tags at padding are 0.

    Each sequence but the best one leaves a better one at some token: it has the same tags behind that token, another
    tag at it, and before it the best way to that tag. What this costs is known from the scores of the best ways alone,
    so the cheapest of all such steps gives the next sequence. The work grows with tokens x tags x n, in place of the
    tokens x tags^2 x n of a recursion that keeps `n` sequences for each tag.

    Args:
        emissions: Score of each tag at each token, of shape (batch, tokens, tags); values at padding are ignored.
        lengths: Number of tokens of each row; they are on the left.
        scores: Start, transition and end scores.
        n: Number of sequences.

    Source:
        Soong and Huang (1991), "A Tree-Trellis Based Fast Search for Finding the N Best Sentence Hypotheses", for a
        search from the end with exact scores of what comes before. Compared with enumeration in tests/nn/test_crf.py.
    """
    (batch, num_tokens, num_tags), rows = emissions.shape, np.arange(len(emissions))
    paths, exist = np.zeros((batch, n, num_tokens), np.int64), np.zeros((batch, n), np.bool_)
    with np.errstate(invalid="ignore"):  # emissions that are NaN or infinite
        moves, states = best_scores(emissions, scores)
        reached = np.ascontiguousarray(states.transpose(2, 0, 1))  # (batch, tokens, tags)
        incoming = np.ascontiguousarray(moves.T)  # (to, from)
        # The steps that may be taken, (batch, k): what the sequence then costs, the sequence that it leaves, and the
        # token and tag as token * tags + tag.
        costs, left, steps = np.empty((batch, 0), reached.dtype), np.empty((batch, 0), int), np.empty((batch, 0), int)
        path, free, cost = paths[:, 0].copy(), lengths.astype(np.int64), np.zeros(batch, reached.dtype)
        for rank in range(n):
            values = _follow(path, free, lengths, reached, incoming, scores.end)
            chosen = np.take_along_axis(values, path[:, :, None], 2)
            paths[:, rank], exist[:, rank] = path, cost < np.inf
            if rank == 0:
                exist[:, 0] = chosen[rows, np.maximum(lengths - 1, 0), 0] > -np.inf
            more = cost[:, None, None] + (chosen - values)
            np.put_along_axis(more, path[:, :, None], np.inf, 2)
            more[np.arange(num_tokens) >= free[:, None]] = np.inf
            more[~exist[:, rank]] = np.inf
            flat = more.reshape(batch, -1)
            cheapest = np.argpartition(flat, min(n, flat.shape[1]) - 1, 1)[:, :n]
            costs = np.concatenate([costs, np.take_along_axis(flat, cheapest, 1)], 1)
            left = np.concatenate([left, np.full_like(cheapest, rank)], 1)
            steps = np.concatenate([steps, cheapest], 1)
            taken = costs.argmin(1)
            cost, path = costs[rows, taken], paths[rows, left[rows, taken]]
            costs[rows, taken] = np.inf
            free, path[rows, free] = np.divmod(steps[rows, taken], num_tags)
    paths *= (np.arange(num_tokens) < lengths[:, None])[:, None]
    return paths, exist


def _follow(path: Ids, free: Ids, lengths: Lengths, reached: Floats, incoming: Floats, end: Floats) -> Floats:
    """Fill each row of `path` (batch, tokens) before token `free` with the best way to the tags that it has from there.

    Return the score of each tag in the place of that of the path, with the tags behind it, (batch, tokens, tags).
    """
    values = reached.copy()
    is_last: NDArray[np.bool_] = lengths[:, None] - 1 == np.arange(path.shape[1])
    for t in range(path.shape[1] - 1, -1, -1):
        here = values[:, t]
        if t + 1 < path.shape[1]:
            here += np.where(is_last[:, t, None], end, incoming[path[:, t + 1]])
        else:
            here += end
        path[:, t] = np.where(t < free, here.argmax(1), path[:, t])
    return values
