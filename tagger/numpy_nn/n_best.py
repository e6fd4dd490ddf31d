"""The n best tag sequences of a linear-chain CRF over a padded batch; see `best_paths` in `nn/chain/viterbi.py`."""

import numpy as np
from numpy.typing import NDArray

from tagger.numpy_nn.lattice import Floats, Lengths, Scores
from tagger.numpy_nn.packing import Ids
from tagger.numpy_nn.viterbi import CENTRED

LOWEST = -1e30


def best_paths(emissions: Floats, lengths: Lengths, scores: Scores, *, n: int) -> tuple[Ids, NDArray[np.bool_]]:
    """Return the `n` tag sequences with the highest scores in each row, best first, and which of them exist.

    Sequences have the shape (batch, n, tokens); tags at padding are 0.

    Source:
        Compared with `best_paths` of `nn/chain/viterbi.py` in tests/numpy_nn/test_heads.py.
    """
    (batch, num_tokens, num_tags), last = emissions.shape, np.maximum(lengths - 1, 0)
    with np.errstate(invalid="ignore"):  # emissions that are NaN or infinite
        highest = max(float(scores.transitions.max()), LOWEST)
        incoming = (scores.transitions - emissions.dtype.type(highest)).T[:, :, None]  # (to, from, 1)
        emissions = emissions - emissions.max(2, keepdims=True)
        # Only one sequence reaches a tag at the first token; minus infinity says that there is no second.
        state = np.full((batch, num_tags, n), -np.inf, emissions.dtype)
        state[:, :, 0] = scores.start + emissions[:, 0]
        states = np.empty((num_tokens, *state.shape), emissions.dtype)
        pointers = np.empty((num_tokens, batch, num_tags * n), np.int64)
        states[0] = state
        for t in range(1, num_tokens):
            candidates = (state[:, None] + incoming).reshape(batch, num_tags, num_tags * n)  # (batch, to, from * n)
            best, pointer = _highest(candidates, n)  # (batch, to, n)
            state = best + emissions[:, t, :, None]
            if t % CENTRED == 0:
                state = state - np.maximum(state.max((1, 2), keepdims=True), LOWEST)
            states[t] = state
            pointers[t] = pointer.reshape(batch, -1)  # tag and rank that each came from, as from * n + rank
        final = states[last, np.arange(batch)] + scores.end[:, None]  # (batch, tags, n)
        path_scores, ending = _highest(final.reshape(batch, -1), n)
    paths = _followed(pointers, ending, last)
    paths *= (np.arange(num_tokens) < lengths[:, None])[:, None]
    return paths, path_scores > -np.inf


def _followed(pointers: Ids, ending: Ids, last: Ids) -> Ids:
    """Return the sequences that lead to `ending`, (batch, n, tokens), found from their end to their start."""
    (num_tokens, batch, _), n = pointers.shape, ending.shape[1]
    paths = np.empty((batch, n, num_tokens), np.int64)
    path = ending
    for t in range(num_tokens - 1, -1, -1):
        if t < num_tokens - 1:  # pointers[t + 1] lead from token t + 1 to token t
            earlier = np.take_along_axis(pointers[t + 1], path, 1)
            path = np.where((t < last)[:, None], earlier, ending)
        paths[:, :, t] = path // n  # without the rank
    return paths


def _highest(values: Floats, n: int) -> tuple[Floats, Ids]:
    """Return the `n` highest values along the last axis, highest first, and their positions."""
    size = values.shape[-1]
    chosen = np.argpartition(values, size - n, axis=-1)[..., size - n :]
    found = np.take_along_axis(values, chosen, -1)
    order = np.argsort(-found, axis=-1, kind="stable")
    return np.take_along_axis(found, order, -1), np.take_along_axis(chosen, order, -1)
