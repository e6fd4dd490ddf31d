"""The recursions of a linear-chain CRF over a padded batch: forward-backward, best path, n best paths.

Plain functions of tensors. Rows have their tokens on the left; scores may be minus infinity for what cannot happen.
Forward and backward recursion are one loop over a stack of two: the second reads each row from its own end with the
transitions transposed. The loop runs in scaled probability space, and again in log space for those rows in which a
scale would underflow.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from tagger.nn.encoder import reversal, reverse_rows

# Below this a scaled sum has lost what the format cannot give back: float32 ends at 1e-38.
SAFE = 1e-25


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
    emissions: Float[Tensor, "batch tokens tags"], lengths: Int[Tensor, " batch"], scores: Scores, *, ways: bool = False
) -> Lattice:
    """The lattice of each row; `leaving` and `entering` are filled in only where `ways` asks for them.

    A row without any possible sequence has a log-partition of minus infinity.

    Source:
        Rabiner (1989), section V, for the scaling.
    """
    lattice, safe = _scaled_lattice(emissions, lengths, scores)
    if ways:
        lattice = lattice._replace(leaving=lattice.leaving.log(), entering=lattice.entering.log())
    if not bool(safe.all()):
        rows = (~safe).nonzero().squeeze(1)
        exact = _log_lattice(emissions[rows], lengths[rows], scores)
        lattice = Lattice(*(old.index_copy(0, rows, new) for old, new in zip(lattice, exact, strict=True)))
    return lattice


def token_mask(lengths: Int[Tensor, " batch"], num_tokens: int) -> Bool[Tensor, "batch tokens"]:
    """True at the tokens of each row."""
    return torch.arange(num_tokens, device=lengths.device) < lengths.unsqueeze(1)


def _scaled_lattice(emissions: Tensor, lengths: Tensor, scores: Scores) -> tuple[Lattice, Bool[Tensor, " batch"]]:
    """The lattice in probability space, and the rows in which it can be trusted.

    What the loop computes behind the end of a row is never looked at.
    """
    num_tokens = emissions.shape[1]
    mask = token_mask(lengths, num_tokens)
    padding = ~mask
    mirror = reversal(lengths, num_tokens)
    peaks = emissions.amax(2)  # (batch, tokens)
    likely = (emissions - peaks.unsqueeze(2)).exp()
    stacked = torch.stack((likely, reverse_rows(likely, mirror)))
    both = stacked.permute(2, 0, 1, 3).contiguous()  # (tokens, 2, batch, tags)
    moves = scores.transitions.exp()
    before, after, sums = _scaled_pass(both, torch.stack((scores.start, scores.end)).exp(), moves)
    forward, entering = (after[:, i].transpose(0, 1) for i in (0, 1))  # (batch, tokens, tags)
    entering = reverse_rows(entering, mirror)
    leaving = reverse_rows(before[:, 1].transpose(0, 1), mirror)
    scales, back_scales = (sums[:, i, :, 0].t() for i in (0, 1))  # (batch, tokens)
    product = forward * leaving
    totals = product.sum(2)  # (batch, tokens)
    joint = (before[1:, 0].transpose(0, 1) * entering[:, 1:]).sum(2)  # (batch, tokens - 1)
    outside = padding[:, 1:].unsqueeze(2)
    sources = (forward[:, :-1] / joint.unsqueeze(2)).masked_fill(outside, 0)
    counts = torch.bmm(sources.transpose(1, 2), entering[:, 1:].masked_fill(outside, 0)) * moves
    ending = totals.gather(1, (lengths - 1).clamp(min=0).unsqueeze(1)).squeeze(1)
    partition = (scales.log().double() + peaks).masked_fill(padding, 0).sum(1) + ending.log()
    partition = partition.masked_fill(lengths == 0, 0)
    marginals = (product / totals.unsqueeze(2)).masked_fill(padding.unsqueeze(2), 0)
    trusted = torch.minimum(torch.minimum(scales, back_scales), totals) > SAFE  # those of a row in any order
    trusted[:, 1:] &= joint > SAFE
    return Lattice(partition, marginals, counts, leaving, entering), (trusted | padding).all(1)


def _scaled_pass(likely: Tensor, edges: Tensor, moves: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Both recursions: the states before and after each token's own score, and the sums that scaled them to 1.

    `likely` is (tokens, 2, batch, tags), `edges` (2, tags); of the stack of two the second is the backward recursion.
    """
    both_moves = torch.stack((moves, moves.t()))
    before, after = torch.empty_like(likely), torch.empty_like(likely)
    sums = likely.new_empty(*likely.shape[:3], 1)
    before[0] = edges.unsqueeze(1)
    steps = list(zip(before.unbind(), likely.unbind(), after.unbind(), sums.unbind(), strict=True))
    for t, (state, token, scaled, total) in enumerate(steps):
        torch.mul(state, token, out=scaled)
        torch.sum(scaled, 2, keepdim=True, out=total)
        scaled.div_(total)
        if t + 1 < len(steps):
            torch.bmm(scaled, both_moves, out=steps[t + 1][0])
    return before, after, sums


def _log_lattice(emissions: Tensor, lengths: Tensor, scores: Scores) -> Lattice:
    """The lattice by recursions in log space: slower, and right for any scores."""
    batch, num_tokens, num_tags = emissions.shape
    start, transitions, end = scores
    mask = token_mask(lengths, num_tokens)
    last = lengths - 1
    forward = torch.empty_like(emissions)
    scales = emissions.new_empty(batch, num_tokens, dtype=torch.double)
    state = start.expand(batch, -1)
    for t in range(num_tokens):
        state = state + emissions[:, t]
        scale = state.logsumexp(1, keepdim=True)
        forward[:, t], scales[:, t] = state - scale, scale.squeeze(1)
        state = (forward[:, t].unsqueeze(2) + transitions).logsumexp(1)
    ending = (forward[torch.arange(batch, device=lengths.device), last] + end).logsumexp(1)  # (batch,)
    partition = scales.masked_fill(~mask, 0).sum(1) + ending
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
    partition = partition.nan_to_num(nan=-torch.inf)
    return Lattice(partition, marginals.masked_fill(~mask.unsqueeze(2), 0), counts, leaving, entering)


def log_partition(
    emissions: Float[Tensor, "batch tokens tags"], lengths: Int[Tensor, " batch"], scores: Scores
) -> Float[Tensor, " batch"]:
    """Log of the summed exponentiated scores of all sequences of a row, in float64.

    Its gradient is the marginals, which one forward and one backward recursion give; there is no second derivative.
    """
    value: Tensor = _LogPartition.apply(emissions, lengths, *scores, None)  # type: ignore[no-untyped-call]
    return value


def path_likelihood(
    emissions: Float[Tensor, "batch tokens tags"],
    lengths: Int[Tensor, " batch"],
    scores: Scores,
    tags: Int[Tensor, "batch tokens"],
) -> Float[Tensor, " batch"]:
    """Log-probability of a tag sequence for each row, in float64; not above zero but for rounding.

    A sequence that cannot happen has minus infinity, and no gradient that means anything.
    """
    value: Tensor = _LogPartition.apply(emissions, lengths, *scores, tags)  # type: ignore[no-untyped-call]
    return -value


def path_score(
    emissions: Float[Tensor, "batch tokens tags"],
    lengths: Int[Tensor, " batch"],
    scores: Scores,
    tags: Int[Tensor, "batch tokens"],
) -> Float[Tensor, " batch"]:
    """Score of a tag sequence for each row, in float64, for it grows with the tokens; 0 for a row without a token."""
    padding = ~token_mask(lengths, emissions.shape[1])
    parts = emissions.gather(2, tags.unsqueeze(2)).squeeze(2).double()  # (batch, tokens)
    parts[:, 1:] += scores.transitions[tags[:, :-1], tags[:, 1:]]
    last = tags.gather(1, (lengths - 1).clamp(min=0).unsqueeze(1)).squeeze(1)  # (batch,)
    edges = (scores.start[tags[:, 0]] + scores.end[last]).masked_fill(lengths == 0, 0)
    return parts.masked_fill(padding, 0).sum(1) + edges


class _LogPartition(torch.autograd.Function):
    """Log of the summed exponentiated scores of all sequences of a row, less the score of one where tags are given.

    Its gradient is what is expected of tags and transitions, less what stands in the given sequence.
    """

    @staticmethod
    def forward(
        ctx: Any,
        emissions: Tensor,
        lengths: Tensor,
        start: Tensor,
        transitions: Tensor,
        end: Tensor,
        tags: Tensor | None,
    ) -> Tensor:
        scores = Scores(start, transitions, end)
        lattice = forward_backward(emissions, lengths, scores)
        value, marginals, counts = lattice.log_partition, lattice.marginals, lattice.counts
        if tags is not None:
            gold = torch.zeros_like(marginals).scatter_(2, tags.unsqueeze(2), 1)
            gold.masked_fill_(~token_mask(lengths, gold.shape[1]).unsqueeze(2), 0)
            value = value - path_score(emissions, lengths, scores, tags)
            marginals, counts = marginals - gold, counts - torch.bmm(gold[:, :-1].transpose(1, 2), gold[:, 1:])
        ctx.save_for_backward(marginals, counts, lengths)
        return value

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError("the CRF has no second derivative; differentiate it without create_graph=True")
        marginals, counts, lengths = ctx.saved_tensors
        gradient = gradients[0].to(marginals.dtype)
        weighted = marginals * gradient.view(-1, 1, 1)  # (batch, tokens, tags)
        last = (lengths - 1).clamp(min=0).view(-1, 1, 1).expand(-1, 1, marginals.shape[2])
        ended = weighted.gather(1, last).sum((0, 1))  # (tags,)
        moved = (gradient @ counts.flatten(1)).view_as(counts[0])
        return weighted, None, weighted[:, 0].sum(0), moved, ended, None


def best_path(
    emissions: Float[Tensor, "batch tokens tags"], lengths: Int[Tensor, " batch"], scores: Scores
) -> tuple[Int[Tensor, "batch tokens"], Bool[Tensor, " batch"]]:
    """The tag sequence of the highest score in each row, and whether the row has any possible sequence.

    Going forward only the best scores are kept; where they came from is found on the way back, for the tags of the path
    alone. Behind a row's length tags are 0.

    Source:
        Viterbi (1967).
    """
    batch, num_tokens, num_tags = emissions.shape
    # Only differences decide, and small numbers keep them, so the highest emission of each token is taken off. Tags
    # stand before the batch, so that the maximum over tags is one of whole rows of numbers, which is several times as
    # fast as a maximum within each row.
    tokens = (emissions - emissions.amax(2, keepdim=True)).permute(1, 2, 0).contiguous()  # (tokens, tags, batch)
    states, moves = torch.empty_like(tokens), scores.transitions.unsqueeze(2)
    torch.add(tokens[0], scores.start.unsqueeze(1), out=states[0])
    ways = tokens.new_empty(num_tags, num_tags, batch)  # (from, to, batch)
    for state, token, reached in zip(states.unbind()[:-1], tokens.unbind()[1:], states.unbind()[1:], strict=True):
        torch.add(state.unsqueeze(1), moves, out=ways)
        torch.add(ways.amax(0), token, out=reached)
    last = (lengths - 1).clamp(min=0)
    final = states.gather(0, last.expand(1, num_tags, -1))[0] + scores.end.unsqueeze(1)  # (tags, batch)
    best, ending = final.max(0)  # (batch,)
    path, incoming = [ending], scores.transitions.t().contiguous()  # (to, from)
    rows = states.transpose(1, 2).contiguous().unbind()  # (batch, tags) a token
    shortest = int(last.min())
    for t in range(num_tokens - 2, -1, -1):
        tag = incoming.index_select(0, path[-1]).add_(rows[t]).argmax(1)
        path.append(tag if t < shortest else torch.where(t < last, tag, ending))
    tags = torch.stack(path[::-1], 1).masked_fill(~token_mask(lengths, num_tokens), 0)
    return tags, best > -torch.inf


def best_paths(
    emissions: Float[Tensor, "batch tokens tags"], lengths: Int[Tensor, " batch"], scores: Scores, *, n: int
) -> tuple[Int[Tensor, "batch n tokens"], Bool[Tensor, "batch n"]]:
    """The `n` tag sequences of the highest scores in each row, best first, and whether there are so many.

    Behind a row's length tags are 0.

    Source:
        The parallel list algorithm of Seshadri and Sundberg (1994).
    """
    batch, num_tokens, num_tags = emissions.shape
    incoming = scores.transitions.t().unsqueeze(2)  # (to, from, 1)
    emissions = emissions - emissions.amax(2, keepdim=True)  # only differences decide, as in `best_path`
    state = torch.full((batch, num_tags, n), -torch.inf, dtype=emissions.dtype, device=emissions.device)
    state[:, :, 0] = scores.start + emissions[:, 0]
    states, pointers = [state], []
    for token in emissions.unbind(1)[1:]:
        reached = (state.unsqueeze(1) + incoming).flatten(2)  # (batch, to, from * n)
        best, pointer = reached.topk(n, 2)
        state = best + token.unsqueeze(2)
        states.append(state)
        pointers.append(pointer.flatten(1))  # (batch, to * n), into from * n
    last = (lengths - 1).clamp(min=0)
    final = torch.stack(states, 1)[torch.arange(batch, device=lengths.device), last]  # (batch, tags, n)
    path_scores, place = (final + scores.end.view(1, -1, 1)).flatten(1).topk(n, 1)  # (batch, n)
    path = [place]
    for t in range(num_tokens - 2, -1, -1):
        earlier = pointers[t].gather(1, path[-1])
        path.append(torch.where((t < last).unsqueeze(1), earlier, place))
    tags = torch.stack(path[::-1], 2).div(n, rounding_mode="floor")  # (batch, n, tokens)
    return tags.masked_fill(~token_mask(lengths, num_tokens).unsqueeze(1), 0), path_scores > -torch.inf
