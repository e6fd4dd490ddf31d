"""The forward and backward recursions of a linear-chain CRF over a padded batch.

They sum over all tag sequences of a sentence at once and give its log-partition, the marginal probability of each tag
and the expected number of each transition. Likelihoods are in `likelihood.py`, the best sequences in `viterbi.py`.

Notation of the comments, for one row of `T` tokens, with tags `i` before `j`:

    e[t, j]     emission score of tag j at token t
    A[i, j]     score of the transition from tag i to tag j; start[j] and end[j] likewise
    alpha[t, j] sum of exp(score) over all beginnings of a sequence that reach tag j at token t, e[t, j] included
    beta[t, j]  sum of exp(score) over all continuations from tag j at token t, e[t, j] not included
    Z           sum of exp(score) over all sequences

    alpha[0, j] = exp(start[j] + e[0, j])      alpha[t, j] = exp(e[t, j]) * sum_i alpha[t-1, i] * exp(A[i, j])
    beta[T-1, i] = exp(end[i])                 beta[t, i]  = sum_j exp(A[i, j]) * exp(e[t+1, j]) * beta[t+1, j]
    Z = sum_j alpha[t, j] * beta[t, j]         the same at every token t

    P(tag j at t) = alpha[t, j] * beta[t, j] / Z
    P(i at t-1, j at t) = alpha[t-1, i] * exp(A[i, j]) * exp(e[t, j]) * beta[t, j] / Z

`alpha` and `beta` grow or shrink exponentially with the number of tokens and would leave the range of float32 after a
few dozen. Two remedies are used. The fast one stays in probability space, so that a step is one matrix product, and
rescales the sums every few tokens. Rows with scores so extreme that a rescaled sum underflows are computed again in log
space and float64, which is slower and right for any scores.

Rows have their tokens on the left. Scores may be minus infinity, for transitions that cannot happen. On short rows most
of the time is spent on calling operations, not on arithmetic, so the code uses few, large operations. On a CPU NumPy
computes lattices of few tags (`tagger/numpy_nn/lattice.py`): its operations on the same memory take a third of the time
to call. The code below is for many tags, other devices and compiled graphs.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tagger.numpy_nn import lattice as numpy_lattice
from tagger.numpy_nn.lattice import LONG, SAFE, TINY, rescaled_every

IN_NUMPY = ("cpu",)  # devices whose memory NumPy can read
SMALL = 2**17  # sentences times pairs of tags up to which NumPy is faster; its operations use one thread
BLOCK = 4096  # tokens of which there are tensors at once


class Rows(NamedTuple):
    """Where the tokens of padded rows are, all on the left.

    Args:
        mask: True at tokens, False at padding.
        lengths: Number of tokens of each row.
        last: Position of the last token of each row; 0 for a row without a token.
    """

    mask: Bool[Tensor, "batch tokens"]
    lengths: Int[Tensor, " batch"]
    last: Int[Tensor, " batch"]


def rows_of(lengths: Int[Tensor, " batch"], num_tokens: int) -> Rows:
    """Return the rows that have these lengths, padded to `num_tokens`."""
    return Rows(token_mask(lengths, num_tokens), lengths, (lengths - 1).clamp_(min=0))


class Scores(NamedTuple):
    """The scores that do not depend on the sentence; minus infinity for what cannot happen."""

    start: Float[Tensor, " tags"]
    transitions: Float[Tensor, "tags tags"]
    end: Float[Tensor, " tags"]


class Lattice(NamedTuple):
    """The result of both recursions for a batch, in the notation of the module.

    `leaving` and `entering` are only defined up to a constant at each token. It is the same constant in `leaving` at a
    token and `entering` at the next one, so that their difference gives the probability of each transition:
    P(j at t+1 | i at t) = exp(A[i, j] + entering[t+1, j] - leaving[t, i]).

    Args:
        log_partition: log Z; in float64 because it grows with the number of tokens.
        marginals: Probability of each tag at each token; 0 at padding.
        counts: Expected number of each transition, if requested: the sum of P(i at t-1, j at t) over the tokens.
        leaving: log beta[t, i], if requested; undefined at padding.
        entering: e[t, j] + log beta[t, j], likewise.
    """

    log_partition: Float[Tensor, " batch"]
    marginals: Float[Tensor, "batch tokens tags"]
    counts: Float[Tensor, "batch tags tags"]
    leaving: Float[Tensor, "batch tokens tags"]
    entering: Float[Tensor, "batch tokens tags"]


def forward_backward(
    emissions: Float[Tensor, "batch tokens tags"],
    rows: Rows,
    scores: Scores,
    *,
    counts: bool = False,
    messages: bool = False,
) -> Lattice:
    """Return the lattice of each row.

    The log-partition of a row without any possible sequence is minus infinity.

    Args:
        emissions: Score of each tag at each token; values at padding are ignored.
        rows: Where the tokens are.
        scores: Start, transition and end scores.
        counts: Whether to compute `counts`; without, do not use them.
        messages: Whether to compute `leaving` and `entering`; without, do not use them.

    Source:
        Rabiner (1989), section V, for the rescaling. Compared with enumeration in tests/nn/test_crf.py.
    """
    if in_numpy(emissions):
        return _numpy_lattice(emissions, rows, scores, counts=counts, messages=messages)
    if emissions.shape[1] > LONG:
        scores = Scores(*(part.double() for part in scores))
    lattice, safe = _scaled_lattice(emissions, rows, scores, counts=counts)
    if messages:
        # Each step of the scaled recursion multiplied by exp(A - shift): subtract the shift once, at `entering`, so
        # that users of the lattice can add A itself.
        lattice.entering.log_().sub_(_factors(scores)[1])
        lattice.leaving.log_()
    if not bool(safe.all()):
        unsafe = (~safe).nonzero().squeeze(1)
        exact = _log_lattice(emissions[unsafe], Rows(*(part[unsafe] for part in rows)), scores, counts=counts)
        lattice = Lattice(
            *(old.index_copy(0, unsafe, new.to(old.dtype)) for old, new in zip(lattice, exact, strict=True))
        )
    return Lattice(lattice.log_partition, *(part.to(emissions.dtype) for part in lattice[1:]))


def in_numpy(emissions: Tensor) -> bool:
    """Whether NumPy computes the recursions over these emissions."""
    return emissions.shape[0] * emissions.shape[2] ** 2 <= SMALL and readable(emissions)


def readable(emissions: Tensor) -> bool:
    """Whether NumPy can read these emissions."""
    plain = emissions.device.type in IN_NUMPY and not emissions.is_neg()  # a negative view keeps the sign in a flag
    return plain and not torch.compiler.is_compiling()


def numpy_scores(scores: Scores) -> numpy_lattice.Scores:
    """Return the scores as arrays on the same memory."""
    return numpy_lattice.Scores(*(part.detach().numpy() for part in scores))


def _numpy_lattice(emissions: Tensor, rows: Rows, scores: Scores, *, counts: bool, messages: bool) -> Lattice:
    """Return the lattice that NumPy computes; what is not requested is empty."""
    found = numpy_lattice.forward_backward(
        emissions.detach().numpy(), rows.lengths.numpy(), numpy_scores(scores), counts=counts, messages=messages
    )
    return Lattice(*(emissions.new_empty(0) if part is None else torch.from_numpy(part) for part in found))


def token_mask(lengths: Int[Tensor, " batch"], num_tokens: int) -> Bool[Tensor, "batch tokens"]:
    """Return a mask that is True at the tokens of each row."""
    return torch.arange(num_tokens, device=lengths.device) < lengths.unsqueeze(1)


def _factors(scores: Scores) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Return exp(transitions - shift), exp(start and end - shift), and the shift.

    The shift makes every factor at most 1 / tags. The sum of a state over its tags then never grows from token to
    token, so nothing overflows, and a term that underflows is negligible beside any sum that is above `SAFE`.
    """
    table = torch.cat((scores.transitions, scores.start.unsqueeze(0), scores.end.unsqueeze(0)))  # (tags + 2, tags)
    # The clamp keeps the difference below from being NaN where every score is minus infinity.
    shift = table.amax().clamp(min=-1e30) + math.log(len(scores.start))
    factors = (table - shift).exp_()
    return (factors[:-2], factors[-2:]), shift


def _scaled_lattice(
    emissions: Tensor, rows: Rows, scores: Scores, *, counts: bool
) -> tuple[Lattice, Bool[Tensor, " batch"]]:
    """Return the lattice as computed in probability space, and which rows of it can be trusted.

    The backward recursion is the forward recursion over the reversed sentence with transposed transitions, so both run
    as one loop over a stack of two. Each row is reversed within its own length: the backward recursion then begins at
    the last token, not in the padding. Behind the end of a row the loop computes finite values that nobody reads.
    """
    (batch, num_tokens, num_tags), (mask, lengths, last) = emissions.shape, rows
    padding = ~mask
    positions = torch.arange(num_tokens, device=mask.device).unsqueeze(1)  # (tokens, 1)
    # Position t of a row changes places with position last - t; as an index into (tokens * batch).
    mirror = (last - positions).clamp_(min=0)  # (tokens, batch)
    mirror = (mirror * batch + torch.arange(batch, device=mask.device)).flatten()
    # exp(e) with the highest emission of each token subtracted first, which would overflow otherwise; log Z gets the
    # subtracted values back below. Padding has factor 1.
    peaks = emissions.amax(2)  # (batch, tokens)
    emitted = (emissions.to(scores.start.dtype) - peaks.unsqueeze(2)).exp_().masked_fill_(padding.unsqueeze(2), 1)
    emitted = emitted.transpose(0, 1).contiguous()  # (tokens, batch, tags)
    (moves, edges), shift = _factors(scores)
    before, after, scales = _scaled_pass(emitted, mirror, edges, moves)
    del emitted
    alpha = after[0]  # (tokens, batch, tags)
    # Of the backward recursion: e * beta (after the emission) and beta (before it), put back into reading order.
    entering, leaving = (s[1].flatten(0, 1).index_select(0, mirror).view_as(alpha) for s in (after, before))
    # alpha and beta of a token carry different scales, so that their product does not sum to Z but to a multiple of it
    # that differs from token to token. Dividing by the sum removes the scales.
    product = alpha * leaving
    totals = product.sum(2)  # (tokens, batch)
    inverse = totals.reciprocal().masked_fill_(padding.t(), 0)
    marginals = product.mul_(inverse.unsqueeze(2))
    # P(i at t-1, j at t) = alpha[t-1, i] * exp(A[i, j]) * P(j at t) / before[t, j], where before[t, j] is
    # sum_i alpha[t-1, i] * exp(A[i, j]): the marginal of j, divided among the tags before it in proportion to their
    # scores. In this form the scales cancel, and one matrix product per row sums over all tokens.
    expected = marginals.new_empty(batch, 0, 0)
    if counts:
        shares = marginals[1:] / before[0, 1:].clamp(min=TINY)  # (tokens - 1, batch, to)
        expected = torch.bmm(alpha[:-1].permute(1, 2, 0), shares.transpose(0, 1)) * moves  # (batch, from, to)
        del shares
    # log Z: what is left at the last token, plus everything that was divided out on the way there: the rescalings up to
    # it, one shift for each factor (start, end and `last` transitions), and the peaks of the emissions.
    every = rescaled_every(num_tags)
    scales[1:].masked_fill_(positions[every - 1 :: every].unsqueeze(2) > last, 1)  # behind the end: do not count
    partition = totals.gather(0, last.unsqueeze(0)).log().squeeze(0) + (last + 2) * shift.double()
    partition += scales[:, 0].log().sum(0, dtype=torch.double)
    partition += peaks.masked_fill_(padding, 0).sum(1, dtype=torch.double)
    # A comparison with NaN is False, so rows whose emissions are no numbers are not safe either.
    safe = (inverse.amax(0) < 1 / SAFE) & (scales.flatten(0, 1).amin(0) > SAFE)
    lattice = Lattice(
        partition.masked_fill_(lengths == 0, 0),
        marginals.transpose(0, 1),
        expected,
        leaving.transpose(0, 1),
        entering.transpose(0, 1),
    )
    return lattice, safe


def _scaled_pass(emitted: Tensor, mirror: Tensor, edges: Tensor, moves: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Run both recursions at once; return their states before and after each emission, and the scales.

    Very long rows run in blocks of tokens, for a tensor of each token takes more memory than its numbers. Their states
    are kept in float32, also where they are computed in float64: an error that is made once is not seen, one that is
    repeated at each token is.

    Args:
        emitted: Factors of the emissions, (tokens, batch, tags).
        mirror: Where each of (tokens * batch) is in the reversed rows.
        edges: Factors of start and end, (2, tags): where each recursion begins.
        moves: Factors of the transitions, (from, to).

    Returns:
        States before and after the emission of each token, (2, tokens, batch, tags), and the sums by which a state was
        divided, (1 + rescalings, 2, batch); the first of these are ones, so that there is always something to sum.
    """
    num_tokens, batch, num_tags = emitted.shape
    both_moves = torch.stack((moves, moves.t()))  # (2, tags, tags)
    state = edges.unsqueeze(1).expand(2, batch, num_tags)
    all_before, all_after = emitted.new_empty(2, 2, *emitted.shape, dtype=torch.float if num_tokens > BLOCK else None)
    scales, t, every = [emitted.new_ones(1, 2, batch)], 0, rescaled_every(num_tags)
    for first in range(0, num_tokens, BLOCK):
        reading = emitted[first : first + BLOCK]
        backwards = emitted.flatten(0, 1).index_select(0, mirror[first * batch : (first + BLOCK) * batch])
        before, after = [], []
        for token in torch.stack((reading, backwards.view_as(reading))).unbind(1):  # (2, batch, tags)
            t += 1
            before.append(state)  # sum_i alpha[t-1, i] * exp(A[i, j]); backward: beta[t, j]
            state = state * token  # alpha[t, j]; backward: exp(e[t, j]) * beta[t, j]
            if t % every == 0:
                # Make the state sum to 1. Without this the sums, which shrink at each token, would underflow.
                total = state.sum(2, keepdim=True).clamp_(min=TINY)  # (2, batch, 1)
                state = state.div_(total)
                scales.append(total.view(1, *total.shape[:2]))
            after.append(state)
            state = torch.bmm(state, both_moves)  # the sum over the tags of this token, for each tag of the next
        for parts, whole in ((before, all_before), (after, all_after)):
            torch.stack(parts, 1, out=whole[:, first : first + len(parts)])
    return all_before, all_after, torch.cat(scales)


def _log_lattice(emissions: Tensor, rows: Rows, scores: Scores, *, counts: bool) -> Lattice:
    """Return the lattice as computed in log space and float64: slower, but right for any scores.

    Products become sums and sums become `logsumexp`, which subtracts the largest term before it exponentiates. So no
    term is lost because all are small, and terms that are infinitely far apart do no harm.
    """
    batch, num_tokens, num_tags = emissions.shape
    (mask, _, last), (start, transitions, end) = rows, (part.double() for part in scores)
    # Only differences between the emissions of a token matter; subtracting the highest keeps the numbers small, so that
    # sums keep their digits. The clamp keeps a token whose emissions are all minus infinity from becoming NaN.
    peaks = emissions.amax(2, keepdim=True).double().clamp(min=torch.finfo(torch.float).min)  # (batch, tokens, 1)
    emissions = emissions.double() - peaks
    forward = torch.empty_like(emissions)  # log alpha, normalised at each token
    scales = emissions.new_empty(batch, num_tokens)
    state = start.expand(batch, -1)  # (batch, tags)
    for t in range(num_tokens):
        state = state + emissions[:, t]  # log alpha[t, j]
        scale = state.logsumexp(1, keepdim=True)
        forward[:, t], scales[:, t] = state - scale, scale.squeeze(1)
        state = (forward[:, t].unsqueeze(2) + transitions).logsumexp(1)  # (batch, from, to) -> (batch, to)
    ending = (forward[torch.arange(batch, device=last.device), last] + end).logsumexp(1)  # (batch,)
    partition = (scales + peaks.squeeze(2)).masked_fill(~mask, 0).sum(1) + ending
    marginals, leaving, entering = torch.zeros_like(forward), torch.zeros_like(forward), torch.zeros_like(forward)
    expected = emissions.new_zeros(batch, *((num_tags, num_tags) if counts else (0, 0)))
    state = end.expand(batch, -1)  # log beta; stays `end` through the padding up to the last token of each row
    for t in reversed(range(num_tokens)):
        marginals[:, t] = (forward[:, t] + state).softmax(1)  # alpha * beta / Z; softmax divides by Z and all scales
        leaving[:, t] = state
        entered = state + emissions[:, t]
        # beta is needed up to a constant only; subtracting the largest value keeps the numbers small on long rows.
        entering[:, t] = entered = entered - entered.amax(1, keepdim=True)
        if t:
            inside = (t <= last).unsqueeze(1)  # (batch, 1)
            if counts:
                joint = (forward[:, t - 1].unsqueeze(2) + transitions + entered.unsqueeze(1)).flatten(1).softmax(1)
                expected += joint.view_as(expected).masked_fill(~inside.unsqueeze(2), 0)  # P(i at t-1, j at t)
            state = torch.where(inside, (transitions + entered.unsqueeze(1)).logsumexp(2), end)  # over tags `to`
    # A row without any possible sequence: all its terms are minus infinity, and their differences are NaN.
    partition = partition.nan_to_num(nan=-torch.inf, neginf=-torch.inf, posinf=torch.inf)
    return Lattice(partition, marginals.masked_fill(~mask.unsqueeze(2), 0), expected, leaving, entering)
