"""The sums of a linear-chain CRF over all sequences of a padded batch, by its forward and its backward recursion.

Plain functions of tensors; likelihoods stand in `likelihood.py`, the best sequences in `viterbi.py`. Rows have their
tokens on the left; scores may be minus infinity for what cannot happen. Both recursions are one loop over a stack of
two: the second reads each row from its own end with the transitions transposed. The loop runs in scaled probability
space, and again in log space for those rows in which a scale would underflow. On short rows the time goes into calling
operations, not into what they compute, so there are as few as can be.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

# Below this a scaled sum has lost what the format cannot give back: float32 ends at 1e-38.
SAFE = 1e-25
TINY = 1e-35  # in the place of 0 as a divisor
LONG = 512  # tokens from which the rounding of float32, repeated at each, would be seen in the sum
SCALED = 6  # tokens from one scaling to the next; more rows would need log space if there were more


class Rows(NamedTuple):
    """Where the tokens of padded rows are, all on the left.

    Args:
        mask: True at tokens.
        lengths: Number of tokens.
        last: Place of the last token; 0 where there is none.
    """

    mask: Bool[Tensor, "batch tokens"]
    lengths: Int[Tensor, " batch"]
    last: Int[Tensor, " batch"]


def rows_of(lengths: Int[Tensor, " batch"], num_tokens: int) -> Rows:
    """Rows of these lengths."""
    return Rows(token_mask(lengths, num_tokens), lengths, (lengths - 1).clamp_(min=0))


class Scores(NamedTuple):
    """The scores that do not depend on the sentence; minus infinity for what cannot happen."""

    start: Float[Tensor, " tags"]
    transitions: Float[Tensor, "tags tags"]
    end: Float[Tensor, " tags"]


class Lattice(NamedTuple):
    """What both recursions know of a batch.

    Args:
        log_partition: Log of the summed scores of all sequences; float64, for it grows with the tokens.
        marginals: Probability of each tag at each token; 0 at padding.
        counts: Expected number of each transition.
        leaving: Log of the summed scores of all ways on from a tag at a token, the token itself not counted; in a
            scale of its own at each token.
        entering: The same, the token itself counted, in the scale of `leaving` one token earlier.
    """

    log_partition: Float[Tensor, " batch"]
    marginals: Float[Tensor, "batch tokens tags"]
    counts: Float[Tensor, "batch tags tags"]
    leaving: Float[Tensor, "batch tokens tags"]
    entering: Float[Tensor, "batch tokens tags"]


def forward_backward(
    emissions: Float[Tensor, "batch tokens tags"], rows: Rows, scores: Scores, *, ways: bool = False
) -> Lattice:
    """The lattice of each row; without `ways`, its `leaving` and `entering` are not to be used.

    A row without any possible sequence has a log-partition of minus infinity.

    Source:
        Rabiner (1989), section V, for the scaling.
    """
    if emissions.shape[1] > LONG and emissions.dtype == torch.float:
        lattice = forward_backward(emissions.double(), rows, Scores(*(s.double() for s in scores)), ways=ways)
        return Lattice(lattice.log_partition, *(part.float() for part in lattice[1:]))
    lattice, safe = _scaled_lattice(emissions, rows, scores)
    if ways:
        entering = lattice.entering.log() - _factors(scores)[1]
        lattice = lattice._replace(leaving=lattice.leaving.log(), entering=entering)
    if not bool(safe.all()):
        unsafe = (~safe).nonzero().squeeze(1)
        exact = _log_lattice(emissions[unsafe], Rows(*(part[unsafe] for part in rows)), scores)
        lattice = Lattice(
            *(old.index_copy(0, unsafe, new.to(old.dtype)) for old, new in zip(lattice, exact, strict=True))
        )
    return lattice


def token_mask(lengths: Int[Tensor, " batch"], num_tokens: int) -> Bool[Tensor, "batch tokens"]:
    """True at the tokens of each row."""
    return torch.arange(num_tokens, device=lengths.device) < lengths.unsqueeze(1)


def _factors(scores: Scores) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Transitions, and start over end, as factors; and the score that was taken off each for it.

    A factor is at most one by the number of tags, so that a sum over tags can only shrink from token to token: what is
    too small to be held is small beside the sums that are checked.
    """
    table = torch.cat((scores.transitions, scores.start.unsqueeze(0), scores.end.unsqueeze(0)))
    top = table.amax().clamp(min=-1e30) + math.log(len(scores.start))
    factors = (table - top).exp_()
    return (factors[:-2], factors[-2:]), top


def _scaled_lattice(emissions: Tensor, rows: Rows, scores: Scores) -> tuple[Lattice, Bool[Tensor, " batch"]]:
    """The lattice in probability space, and the rows in which it can be trusted.

    What the loop computes behind the end of a row is finite and never looked at.
    """
    (batch, num_tokens, _), (mask, lengths, last) = emissions.shape, rows
    padding = ~mask
    positions = torch.arange(num_tokens, device=mask.device).unsqueeze(1)
    mirror = (last - positions).clamp_(min=0)  # (tokens, batch)
    mirror = (mirror * batch + torch.arange(batch, device=mask.device)).flatten()
    peaks = emissions.amax(2)  # (batch, tokens)
    likely = (emissions - peaks.unsqueeze(2)).exp_().masked_fill_(padding.unsqueeze(2), 1)
    likely = likely.transpose(0, 1).contiguous()  # (tokens, batch, tags)
    both = torch.stack((likely, likely.flatten(0, 1).index_select(0, mirror).view_as(likely)))
    (moves, edges), top = _factors(scores)
    before, after, sums = _scaled_pass(both, edges, moves)
    forward = after[0]  # (tokens, batch, tags)
    entering, leaving = (s[1].flatten(0, 1).index_select(0, mirror).view_as(likely) for s in (after, before))
    product = forward * leaving
    totals = product.sum(2)  # (tokens, batch)
    inverse = totals.reciprocal().masked_fill_(padding.t(), 0)
    marginals = product * inverse.unsqueeze(2)
    # What is expected of a tag, split among the tags before it in proportion to their scores.
    shares = marginals[1:] / before[0, 1:].clamp(min=TINY)
    counts = torch.bmm(forward[:-1].permute(1, 2, 0), shares.transpose(0, 1)) * moves
    sums[1:].masked_fill_(positions[SCALED - 1 :: SCALED].unsqueeze(2) > last, 1)  # scalings behind the end of a row
    partition = totals.gather(0, last.unsqueeze(0)).log().squeeze(0) + (last + 2) * top.double()
    partition += sums[:, 0].log().sum(0, dtype=torch.double)
    partition += peaks.masked_fill_(padding, 0).sum(1, dtype=torch.double)
    safe = (inverse.amax(0) < 1 / SAFE) & (sums.flatten(0, 1).amin(0) > SAFE)
    lattice = Lattice(
        partition.masked_fill_(lengths == 0, 0),
        marginals.transpose(0, 1),
        counts,
        leaving.transpose(0, 1),
        entering.transpose(0, 1),
    )
    return lattice, safe


def _scaled_pass(likely: Tensor, edges: Tensor, moves: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Both recursions: the states before and after each token's own score, and the sums that scaled them to 1.

    `likely` is (2, tokens, batch, tags), `edges` (2, tags); of the stack of two the second is the backward recursion.
    The sums, (1 + scalings, 2, batch), are those of every token whose number divides by `SCALED`, behind ones.
    """
    both_moves = torch.stack((moves, moves.t()))
    state = edges.unsqueeze(1).expand(likely[:, 0].shape)
    before, after, sums = [], [], [likely.new_ones(1, 2, likely.shape[2])]
    for t, token in enumerate(likely.unbind(1), 1):
        before.append(state)
        state = state * token
        if t % SCALED == 0:
            total = state.sum(2, keepdim=True).clamp_(min=TINY)
            state = state.div_(total)
            sums.append(total.view(1, *total.shape[:2]))
        after.append(state)
        state = torch.bmm(state, both_moves)
    return torch.stack(before, 1), torch.stack(after, 1), torch.cat(sums)


def _log_lattice(emissions: Tensor, rows: Rows, scores: Scores) -> Lattice:
    """The lattice by recursions in log space and float64: slower, and right for any scores."""
    batch, num_tokens, num_tags = emissions.shape
    (mask, _, last), (start, transitions, end) = rows, (part.double() for part in scores)
    peaks = emissions.amax(2, keepdim=True).double().clamp(min=torch.finfo(torch.float).min)
    emissions = emissions.double() - peaks  # small numbers keep their digits
    forward = torch.empty_like(emissions)
    scales = emissions.new_empty(batch, num_tokens)
    state = start.expand(batch, -1)
    for t in range(num_tokens):
        state = state + emissions[:, t]
        scale = state.logsumexp(1, keepdim=True)
        forward[:, t], scales[:, t] = state - scale, scale.squeeze(1)
        state = (forward[:, t].unsqueeze(2) + transitions).logsumexp(1)
    ending = (forward[torch.arange(batch, device=last.device), last] + end).logsumexp(1)  # (batch,)
    partition = (scales + peaks.squeeze(2)).masked_fill(~mask, 0).sum(1) + ending
    marginals, leaving, entering = torch.zeros_like(forward), torch.zeros_like(forward), torch.zeros_like(forward)
    counts = emissions.new_zeros(batch, num_tags, num_tags)
    state = end.expand(batch, -1)
    for t in reversed(range(num_tokens)):
        marginals[:, t] = (forward[:, t] + state).softmax(1)
        leaving[:, t] = state
        entered = state + emissions[:, t]
        entering[:, t] = entered = entered - entered.amax(1, keepdim=True)
        if t:
            inside = (t <= last).unsqueeze(1)  # (batch, 1)
            joint = (forward[:, t - 1].unsqueeze(2) + transitions + entered.unsqueeze(1)).flatten(1).softmax(1)
            counts += joint.view_as(counts).masked_fill(~inside.unsqueeze(2), 0)
            state = torch.where(inside, (transitions + entered.unsqueeze(1)).logsumexp(2), end)
    partition = partition.nan_to_num(nan=-torch.inf, neginf=-torch.inf, posinf=torch.inf)
    return Lattice(partition, marginals.masked_fill(~mask.unsqueeze(2), 0), counts, leaving, entering)
