"""The forward and backward recursions of a linear-chain CRF over a padded batch, in NumPy.

The notation is that of `tagger/nn/chain/lattice.py`, and so are the two remedies against underflow: sums in probability
space that are rescaled every few tokens, and log space in float64 for rows whose scores are too extreme for that. On a
CPU a step of the recursion takes less time than torch needs to call its operations, so torch calls this module there.

Padding is a tag of its own: the last one, `pad`. A sentence moves to it behind its last token with its end score, and
stays there with a score of 0. Emissions allow only `pad` at padding and every other tag at tokens. So both recursions
run over whole rows, and no step needs to know where a row ends. States have the shape (tags, batch): sums over tags
then add whole vectors.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# A rescaled sum below this is not trusted: float32 ends at 1e-38, so the terms that make it up may have underflowed.
SAFE = 1e-25
TINY = 1e-35  # smallest divisor: a tag that cannot be reached then has 0 / TINY = 0, where 0 / 0 would be NaN
LONG = 512  # rows of more tokens are computed in float64: the rounding of float32 adds up over the tokens
SHRINKING = 20.0  # nats by which a state may shrink before it is rescaled; with more, rows need the slow recursion

Floats = NDArray[np.floating[Any]]
Lengths = NDArray[np.integer[Any]]


class Scores(NamedTuple):
    """The scores that do not depend on the sentence; minus infinity for what cannot happen.

    Args:
        start: Score of each tag at the first token, of shape (tags,).
        transitions: Score of each pair of tags, of shape (from, to).
        end: Score of each tag at the last token, of shape (tags,).
    """

    start: Floats
    transitions: Floats
    end: Floats


class Lattice(NamedTuple):
    """The result of both recursions for a batch, as in `tagger/nn/chain/lattice.py`.

    Args:
        log_partition: log Z of each row, in float64, of shape (batch,).
        marginals: Probability of each tag at each token, of shape (batch, tokens, tags); 0 at padding.
        counts: Expected number of each transition, of shape (batch, from, to), if requested.
        leaving: log beta[t, i], of the shape of the marginals, if requested; undefined at padding.
        entering: e[t, j] + log beta[t, j], likewise.
    """

    log_partition: NDArray[np.float64]
    marginals: Floats
    counts: Floats | None
    leaving: Floats | None
    entering: Floats | None


def forward_backward(
    emissions: Floats, lengths: Lengths, scores: Scores, *, counts: bool = False, messages: bool = False
) -> Lattice:
    """Return the lattice of each row.

    The log-partition of a row without any possible sequence is minus infinity.

    Args:
        emissions: Score of each tag at each token, of shape (batch, tokens, tags); values at padding are ignored.
        lengths: Number of tokens of each row; they are on the left.
        scores: Start, transition and end scores.
        counts: Whether to compute `counts`.
        messages: Whether to compute `leaving` and `entering`.

    Source:
        Rabiner (1989), section V, for the rescaling. Compared with enumeration in tests/nn/test_crf.py and
        tests/numpy_nn/test_lattice.py.
    """
    if emissions.shape[1] > LONG:
        scores = Scores(*(part.astype(np.float64) for part in scores))
    with np.errstate(all="ignore"):  # rows that overflow or divide by 0 are not safe
        lattice, safe = _scaled_lattice(emissions, lengths, scores, counts=counts, messages=messages)
        if not safe.all():
            unsafe = np.flatnonzero(~safe)
            exact = _log_lattice(emissions[unsafe], lengths[unsafe], scores, counts=counts)
            for whole, part in zip(lattice, exact, strict=True):
                if whole is not None:
                    whole[unsafe] = part
    return lattice


def _scaled_lattice(
    emissions: Floats, lengths: Lengths, scores: Scores, *, counts: bool, messages: bool
) -> tuple[Lattice, NDArray[np.bool_]]:
    """Return the lattice as computed in probability space, and which rows of it can be trusted."""
    (_, num_tokens, num_tags), kind = emissions.shape, emissions.dtype
    moves, shift = _factors(scores)  # (tags + 1, tags + 1)
    emitted, peaks = _emitted(emissions, lengths, moves.dtype)
    before, after, scales = _scaled_pass(emitted, scores, moves, shift)
    alpha, beta = after[:, 0, :num_tags], before[num_tokens - 1 :: -1, 1, :num_tags]  # (tokens, tags, batch)
    # alpha and beta of a token carry different scales, so that their product does not sum to Z but to a multiple of it
    # that differs from token to token. Dividing by the sum removes the scales.
    product = alpha * beta
    totals = product.sum(1)  # (tokens, batch)
    at_token = np.arange(num_tokens)[:, None] < lengths
    product /= np.where(at_token, totals, 1)[:, None]
    # log Z: what reached `pad`, plus everything that was divided out on the way: the rescalings, one shift for each
    # start, transition and end, and the peaks of the emissions.
    partition = np.log(before[-1, 0, -1].astype(np.float64)) + np.log(scales[:, 0]).sum(0, dtype=np.float64)
    partition += peaks.sum(0, dtype=np.float64) + np.where(lengths > 0, lengths + 1, 0) * float(shift)
    # A comparison with NaN is False, so rows whose emissions are no numbers are not safe either.
    safe = (np.where(at_token, totals, 1).min(0, initial=1) > SAFE) & (scales.min((0, 1)) > SAFE)
    marginals = _by_row(product, kind)
    found: list[Floats | None] = [None, None, None]
    if counts:
        found[0] = _counts(alpha, product, before[1:num_tokens, 0, :num_tags], moves[:-1, :-1]).astype(kind, copy=False)
    if messages:
        # Each step multiplied by exp(A - shift): subtract the shift once, at `entering`, so that A itself can be added.
        entering = np.log(after[::-1, 1, :num_tags])
        found[1:] = [_by_row(np.log(beta), kind), _by_row(np.subtract(entering, shift, out=entering), kind)]
    return Lattice(partition, marginals, *found), safe


def rescaled_every(num_tags: int) -> int:
    """Return the number of tokens between two rescalings of the states.

    Each token divides a sum by the number of tags, see `_factors`. So the states of many tags shrink faster, and would
    fall below `SAFE` in ordinary sentences.
    """
    return int(min(6, max(1, SHRINKING // math.log(max(2, num_tags)))))


def _counts(alpha: Floats, marginals: Floats, reached: Floats, moves: Floats) -> Floats:
    """Return the expected number of each transition, (batch, from, to).

    P(i at t-1, j at t) = alpha[t-1, i] * exp(A[i, j]) * P(j at t) / reached[t, j], where reached[t, j] is
    sum_i alpha[t-1, i] * exp(A[i, j]): the marginal of j, divided among the tags before it in proportion to their
    scores. In this form the scales cancel, and one matrix product per row sums over all tokens.

    Args:
        alpha: As in the module, up to a scale at each token, (tokens, tags, batch).
        marginals: Probability of each tag at each token, of the same shape.
        reached: The sum above for each token but the first.
        moves: exp(A[i, j]), up to a scale.
    """
    shares = marginals[1:] / np.maximum(reached, TINY)  # (tokens - 1, to, batch)
    joint = np.ascontiguousarray(alpha[:-1].transpose(2, 1, 0)) @ np.ascontiguousarray(shares.transpose(2, 0, 1))
    counts: Floats = joint * moves
    return counts


def _by_row(values: Floats, kind: np.dtype[Any]) -> Floats:
    """Return values of shape (tokens, tags, batch) as (batch, tokens, tags)."""
    return np.ascontiguousarray(values.transpose(2, 0, 1), kind)


def _factors(scores: Scores) -> tuple[Floats, np.floating[Any]]:
    """Return exp(score - shift) of each transition, to and from `pad` too, (from, to), and the shift.

    The shift makes every factor at most 1 / tags. The sum of a state over its tags then never grows from token to
    token, so nothing overflows, and a term that underflows is negligible beside any sum that is above `SAFE`. Staying
    at `pad` has factor 1.
    """
    num_tags = len(scores.start)
    moves = np.full((num_tags + 1, num_tags + 1), -np.inf, scores.transitions.dtype)
    moves[:-1, :-1], moves[:-1, -1] = scores.transitions, scores.end
    # The maximum with -1e30 keeps the difference below from being NaN where every score is minus infinity.
    shift = np.maximum(max(moves.max(), scores.start.max()), -1e30) + math.log(num_tags)
    shift = moves.dtype.type(shift)
    moves -= shift
    moves[-1, -1] = 0
    return np.exp(moves, out=moves), shift


def _emitted(emissions: Floats, lengths: Lengths, kind: np.dtype[Any]) -> tuple[Floats, Floats]:
    """Return the factors of the emissions, (tokens, tags + 1, batch), and what was subtracted, (tokens, batch).

    It is the highest emission of each token, without which exp(e) would overflow.
    """
    batch, num_tokens, num_tags = emissions.shape
    emitted = np.empty((num_tokens, num_tags + 1, batch), kind)
    tags, pad = emitted[:, :-1], np.arange(num_tokens)[:, None] >= lengths  # (tokens, batch)
    tags[...] = emissions.transpose(1, 2, 0)
    peaks = tags.max(1)
    tags -= peaks[:, None]
    np.exp(tags, out=tags)
    np.copyto(tags, 0, where=pad[:, None])
    emitted[:, -1] = pad
    peaks[pad] = 0
    return emitted, peaks


def _scaled_pass(
    emitted: Floats, scores: Scores, moves: Floats, shift: np.floating[Any]
) -> tuple[Floats, Floats, Floats]:
    """Run both recursions at once, the backward one from the last position to the first.

    Returns:
        States before and after each emission, (tokens + 1 or tokens, 2, tags + 1, batch), in the order in which each
        recursion reads, and the sums by which a state was divided, (1 + rescalings, 2, batch); the first are ones.
    """
    num_tokens, num_states, batch = emitted.shape
    before = np.empty((num_tokens + 1, 2, num_states, batch), emitted.dtype)
    after = np.empty((num_tokens, 2, num_states, batch), emitted.dtype)
    # Of the first token; a row without a token begins at `pad`, which the emission of a token does not allow.
    before[0, :, :-1] = np.stack((np.exp(scores.start - shift), moves[:-1, -1]))[:, :, None]
    before[0, :, -1] = 1
    both_ways = np.stack((emitted, emitted[::-1]), 1)  # (tokens, 2, tags + 1, batch)
    every = rescaled_every(num_states - 1)
    steps, scales = np.stack((moves.T, moves)), np.ones((1 + num_tokens // every, 2, batch), emitted.dtype)
    for t, (state, factors, found, following) in enumerate(
        zip(before[:-1], both_ways, after, before[1:], strict=True), 1
    ):
        np.multiply(state, factors, out=found)  # alpha[t, j]; backward: exp(e[t, j]) * beta[t, j]
        if t % every == 0:
            # Make the state sum to 1. Without this the sums, which shrink at each token, would underflow.
            total = np.maximum(found.sum(1), TINY, out=scales[t // every])  # (2, batch)
            found /= total[:, None]
        np.matmul(steps, found, out=following)  # the sum over the tags of this token, for each tag of the next
    return before, after, scales


def _log_lattice(emissions: Floats, lengths: Lengths, scores: Scores, *, counts: bool) -> tuple[Floats | None, ...]:
    """Return the fields of the lattice as computed in log space and float64: slower, but right for any scores.

    Products become sums and sums become `logsumexp`, which subtracts the largest term before it exponentiates. So no
    term is lost because all are small, and terms that are infinitely far apart do no harm.
    """
    (batch, num_tokens, num_tags), last = emissions.shape, np.maximum(lengths - 1, 0)
    start, transitions, end = (part.astype(np.float64) for part in scores)
    # Only differences between the emissions of a token matter; subtracting the highest keeps the numbers small, so that
    # sums keep their digits. The maximum keeps a token whose emissions are all minus infinity from becoming NaN.
    peaks = np.maximum(emissions.max(2, keepdims=True).astype(np.float64), np.finfo(np.float32).min)
    emissions = emissions.astype(np.float64) - peaks  # (batch, tokens, tags)
    forward, scales = np.empty_like(emissions), np.empty((batch, num_tokens))
    state = np.broadcast_to(start, (batch, num_tags))
    for t in range(num_tokens):
        state = state + emissions[:, t]  # log alpha[t, j]
        scales[:, t] = _logsumexp(state, 1)
        forward[:, t] = state - scales[:, t, None]
        state = _logsumexp(forward[:, t, :, None] + transitions, 1)  # (batch, from, to) -> (batch, to)
    ending = _logsumexp(forward[np.arange(batch), last] + end, 1)  # (batch,)
    at_token = np.arange(num_tokens) < lengths[:, None]  # (batch, tokens)
    partition = np.where(at_token, scales + peaks[:, :, 0], 0).sum(1) + ending
    marginals, leaving, entering = np.zeros_like(forward), np.zeros_like(forward), np.zeros_like(forward)
    expected = np.zeros((batch, num_tags, num_tags)) if counts else None
    state = np.broadcast_to(end, (batch, num_tags))  # log beta; stays `end` through the padding up to the last token
    for t in reversed(range(num_tokens)):
        marginals[:, t] = _softmax(forward[:, t] + state)  # alpha * beta / Z; softmax divides by Z and all scales
        leaving[:, t] = state
        entered = state + emissions[:, t]
        # beta is needed up to a constant only; subtracting the largest value keeps the numbers small on long rows.
        entering[:, t] = entered = entered - entered.max(1, keepdims=True)
        if t:
            inside = (t <= last)[:, None]  # (batch, 1)
            if expected is not None:
                joint = forward[:, t - 1, :, None] + transitions + entered[:, None]
                expected += np.where(inside, _softmax(joint.reshape(batch, -1)), 0).reshape(expected.shape)
            state = np.where(inside, _logsumexp(transitions + entered[:, None], 2), end)  # over tags `to`
    # A row without any possible sequence: all its terms are minus infinity, and their differences are NaN.
    partition = np.where(np.isnan(partition), -np.inf, partition)
    partition[lengths == 0] = 0
    return partition, np.where(at_token[:, :, None], marginals, 0), expected, leaving, entering


def _logsumexp(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Return log sum exp along an axis; minus infinity where every value is."""
    peaks = np.maximum(values.max(axis, keepdims=True), np.finfo(np.float64).min)
    total: NDArray[np.float64] = np.log(np.exp(values - peaks).sum(axis)) + peaks.squeeze(axis)
    return total


def _softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return exp(values), divided by their sum, along the last axis."""
    powers = np.exp(values - values.max(-1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(-1, keepdims=True)
    return shares
