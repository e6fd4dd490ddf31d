"""The best tag sequence of a linear-chain CRF over a padded batch, in NumPy.

The recursion and its notation are those of `tagger/nn/chain/viterbi.py`.
"""

import numpy as np
from numpy.typing import NDArray

from tagger.numpy_nn.lattice import Floats, Lengths, Scores
from tagger.numpy_nn.packing import Ids

ELEMENTS = 2**15  # candidates that are compared at once: they stay in the processor's cache
MANY = 2**16  # candidates of a token from which it pays to leave out those that cannot happen
FEW = 4  # tags that may precede a tag for it to be computed alone
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
    if not any(map(np.any, scores)):  # nothing joins the tokens: a softmax without constraints
        return _best_alone(emissions, lengths)
    with np.errstate(invalid="ignore"):  # emissions that are NaN or infinite
        moves, states = best_scores(emissions, scores)
        return _best_tags(states, lengths, moves, scores.end)


def _best_alone(emissions: Floats, lengths: Lengths) -> tuple[Ids, NDArray[np.bool_]]:
    """Return the best tag of each token, and whether each row has a possible tag at all its tokens."""
    padding = np.arange(emissions.shape[1]) >= lengths[:, None]
    tags = np.where(padding, 0, emissions.argmax(2))
    best = np.take_along_axis(emissions, tags[:, :, None], 2)[:, :, 0]
    return tags, np.all(np.isfinite(best) | padding, axis=1)


def best_scores(emissions: Floats, scores: Scores) -> tuple[Floats, Floats]:
    """Return the transitions up to a constant, and delta[t, j] of each row, (tokens, tags, batch), up to one each."""
    moves = scores.transitions - max(scores.transitions.max(), emissions.dtype.type(-1e30))
    states = np.array(emissions.transpose(1, 2, 0), order="C")  # always a copy
    states -= states.max(1)[:, None]
    states[0] += scores.start[:, None]
    step = _Step(moves, len(emissions))
    for t, state in enumerate(states[1:], 1):
        step.add(states[t - 1], state)
        if t % CENTRED == 0:
            state -= np.maximum(state.max(0), -1e30)
    return moves, states


class _Step:
    """From one token to the next: the best score of a way to each tag.

    Under the constraints of a scheme few tags may precede a tag inside an entity: `I-x` follows `B-x` and `I-x` only.
    Such tags compare just these. All others compare every tag that may precede one of them, in one table. Of the
    (4 types + 1)^2 pairs of BIOES tags this leaves (2 types + 1)^2 + 4 types.

    Args:
        moves: Score of each transition, of shape (from, to).
        batch: Number of rows.
    """

    def __init__(self, moves: Floats, batch: int) -> None:
        self.few: Ids | None = None  # tags that few may precede
        if moves.size * batch >= MANY:
            possible = moves > -np.inf
            few: NDArray[np.bool_] = possible.sum(0) <= FEW
            if few.any():
                self.few, self.others = np.flatnonzero(few), np.flatnonzero(~few)
                # The tags before each of `few`, (from, to): the possible ones come first.
                self.few_before = np.argsort(~possible[:, few], 0, kind="stable")[:FEW]
                self.few_moves = moves[self.few_before, self.few][:, :, None]
                self.before = np.flatnonzero(possible[:, ~few].any(1))  # tags that may precede one of the others
                moves = moves[self.before][:, self.others]
        # The tags to come from are taken in parts that stay in the processor's cache. The transitions are repeated for
        # each row, for NumPy adds tables of one shape several times as fast.
        num_before, num_tags = moves.shape
        size = max(1, min(num_before, ELEMENTS // max(1, num_tags * batch)))
        repeated = np.ascontiguousarray(np.broadcast_to(moves[:, :, None], (num_before, num_tags, batch)))
        candidates = np.empty((size, num_tags, batch), moves.dtype)
        firsts = range(0, num_before, size)
        self.parts = [(slice(i, i + size), repeated[i : i + size], candidates[: num_before - i]) for i in firsts]
        self.best = np.empty((num_tags, batch), moves.dtype)

    def add(self, before: Floats, state: Floats) -> None:
        """Add the best score of a way to each tag to `state`, given the scores before; both are (tags, batch)."""
        column = (before if self.few is None else before[self.before])[:, None]  # (from, 1, batch)
        for i, (part, moves, found) in enumerate(self.parts):
            np.add(column[part], moves, found)
            if i == 0:
                np.maximum.reduce(found, 0, out=self.best)
            else:
                np.maximum(self.best, np.maximum.reduce(found, 0), out=self.best)
        if self.few is None:
            np.add(state, self.best, state)
        else:
            state[self.others] += self.best
            state[self.few] += (before[self.few_before] + self.few_moves).max(0)


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
