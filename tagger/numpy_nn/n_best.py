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
    so the cheapest of all such steps gives the next sequence. Before the step it soon meets the sequence that it left,
    and from there on the two are the same. So the work of a sequence is one look at all tokens and tags.

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
    if emissions.size == 0:
        return paths, exist
    with np.errstate(invalid="ignore"):  # emissions that are NaN or infinite
        moves, states = best_scores(emissions, scores)
        ways = _Ways(
            np.ascontiguousarray(states.transpose(2, 0, 1)), np.ascontiguousarray(moves.T), scores.end, lengths
        )
        # The steps that may be taken, (batch, k): what the sequence then costs, the sequence that it leaves, and the
        # token and tag as token * tags + tag.
        costs: Floats = np.empty((batch, 0), emissions.dtype)
        left: Ids = np.empty((batch, 0), np.int64)
        steps: Ids = np.empty((batch, 0), np.int64)
        path, free, cost = paths[:, 0].copy(), lengths.astype(np.int64), np.zeros(batch, emissions.dtype)
        old = np.full_like(path, -1)  # the best sequence leaves none
        for rank in range(n):
            ways.follow(path, free, old)
            values = ways.values(path)
            chosen = np.take_along_axis(values, path[:, :, None], 2)
            paths[:, rank], exist[:, rank] = path, cost < np.inf
            if rank == 0:
                exist[:, 0] = chosen[rows, np.maximum(lengths - 1, 0), 0] > -np.inf
            more = cost[:, None, None] + (chosen - values)
            np.put_along_axis(more, path[:, :, None], np.inf, 2)
            more[np.arange(num_tokens) >= free[:, None]] = np.inf
            more[~exist[:, rank]] = np.inf
            flat = more.reshape(batch, -1)
            cheapest = _lowest(flat, n)
            costs = np.concatenate([costs, np.take_along_axis(flat, cheapest, 1)], 1)
            left = np.concatenate([left, np.full_like(cheapest, rank)], 1)
            steps = np.concatenate([steps, cheapest], 1)
            kept = _lowest(costs, n)  # no more are needed
            costs = np.take_along_axis(costs, kept, 1)
            left, steps = np.take_along_axis(left, kept, 1), np.take_along_axis(steps, kept, 1)
            taken = costs.argmin(1)
            cost, old = costs[rows, taken], paths[rows, left[rows, taken]]
            costs[rows, taken] = np.inf
            path = old.copy()
            free, path[rows, free] = np.divmod(steps[rows, taken], num_tags)
    paths *= (np.arange(num_tokens) < lengths[:, None])[:, None]
    return paths, exist


class _Ways:
    """The best ways to each tag.

    Args:
        reached: The score of the best way to each tag at each token, of shape (batch, tokens, tags).
        incoming: The score of each transition, of shape (to, from).
        end: The score of each tag at the end.
        lengths: Number of tokens of each row.
    """

    def __init__(self, reached: Floats, incoming: Floats, end: Floats, lengths: Lengths) -> None:
        self.reached, self.incoming, self.end = reached, incoming, end
        self.is_last: NDArray[np.bool_] = lengths[:, None] - 1 == np.arange(reached.shape[1])

    def follow(self, path: Ids, free: Ids, old: Ids) -> None:
        """Fill each row of `path` (batch, tokens) before token `free` with the best way to the tags that it has there.

        Where a row meets `old`, whose tags before are the best way, it has the rest already.
        """
        apart: NDArray[np.bool_] = free > 0
        for t in range(int(free.max()) - 1, -1, -1):
            here = self.reached[:, t] + self._behind(path, t)
            path[:, t] = np.where(apart & (t < free), here.argmax(1), path[:, t])
            apart &= (t >= free) | (path[:, t] != old[:, t])
            if not apart.any():
                return

    def values(self, path: Ids) -> Floats:
        """Return the score of each tag in the place of that of the path, with the tags behind it, as `reached`."""
        values = self.reached.copy()
        values[:, -1] += self.end
        values[:, :-1] += np.where(self.is_last[:, :-1, None], self.end, self.incoming[path[:, 1:]])
        return values

    def _behind(self, path: Ids, t: int) -> Floats:
        """Return the score of what follows each tag at token t, up to that of the path from there on."""
        if t + 1 == path.shape[1]:
            return self.end
        return np.where(self.is_last[:, t, None], self.end, self.incoming[path[:, t + 1]])


def _lowest(values: Floats, n: int) -> Ids:
    """Return the places of the `n` lowest values of each row, or of all, in any order."""
    size = values.shape[1]
    return np.argpartition(values, n - 1, 1)[:, :n] if n < size else np.tile(np.arange(size), (len(values), 1))
