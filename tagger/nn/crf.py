"""A linear-chain conditional random field: likelihood, marginals and decoding of tag sequences, exact and batched.

`LinearChainCRF` is a `torchcrf.CRF` with the same parameters. Its likelihood is one forward and one backward recursion
run side by side; the gradient is what they give, the marginals, so no graph of the recursion is kept. Both recursions
run in scaled probability space, and in log space for the rows in which a scale would underflow. Scores are float32
whatever the surrounding precision. Which tags may follow each other is given as tables; tag names are not known here.
"""

from typing import Any, NamedTuple

import torch
import torchcrf
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from tagger.nn.encoder import reversal

# Below this a scaled sum has lost precision that float32 (smallest normal number 1e-38) cannot give back.
SAFE = 1e-25


class Lattice(NamedTuple):
    """What forward and backward recursion know of a batch; sums over tokens in float64, for they may be large."""

    log_partition: Float[Tensor, " batch"]
    marginals: Float[Tensor, "batch tokens tags"]
    transition_counts: Float[Tensor, "batch from to"]


class LinearChainCRF(torchcrf.CRF):  # type: ignore[misc]
    """A CRF over the tags of a sentence, optionally with transitions that cannot happen.

    Args:
        num_tags: Number of tags.
        batch_first: As in `torchcrf.CRF`, whose `forward` and `decode` it concerns; the methods added here always take
            the batch first.
        allowed: Which tag may follow which, `[from][to]`; all if left out.
        allowed_start: Which tags may come first.
        allowed_end: Which tags may come last.

    Source:
        Lafferty, McCallum and Pereira (2001); Rabiner (1989), section V, for the scaling.
        Compared with enumeration of all sequences and with torchcrf in tests/nn/test_crf.py.
    """

    def __init__(
        self,
        num_tags: int,
        batch_first: bool = False,
        *,
        allowed: list[list[bool]] | None = None,
        allowed_start: list[bool] | None = None,
        allowed_end: list[bool] | None = None,
    ) -> None:
        super().__init__(num_tags, batch_first)
        for name, table, shape in (
            ("allowed", allowed, (num_tags, num_tags)),
            ("allowed_start", allowed_start, (num_tags,)),
            ("allowed_end", allowed_end, (num_tags,)),
        ):
            value = torch.ones(shape, dtype=torch.bool) if table is None else torch.tensor(table)
            if value.shape != shape or value.dtype != torch.bool:
                raise ValueError(f"{name} must be booleans of shape {shape}, got {value.dtype} of {tuple(value.shape)}")
            self.register_buffer(name, value, persistent=False)

    def scores(self) -> tuple[Float[Tensor, " tags"], Float[Tensor, "tags tags"], Float[Tensor, " tags"]]:
        """Start, transition and end scores in float32, minus infinity where a transition cannot happen."""
        return (
            self.start_transitions.float().masked_fill(~self.allowed_start, -torch.inf),
            self.transitions.float().masked_fill(~self.allowed, -torch.inf),
            self.end_transitions.float().masked_fill(~self.allowed_end, -torch.inf),
        )

    def log_likelihood(
        self,
        emissions: Float[Tensor, "batch tokens tags"],
        tag_ids: Int[Tensor, "batch tokens"],
        mask: Bool[Tensor, "batch tokens"],
    ) -> Float[Tensor, " batch"]:
        """Log-probability of each tag sequence given its emissions, in nats.

        Args:
            emissions: Score of each tag at each token.
            tag_ids: The sequence to score; ids at padding are ignored.
            mask: True at tokens, False at padding, which is on the right.

        Raises:
            ValueError: A sequence has a transition that cannot happen; names its row.
        """
        start, transitions, end = self.scores()
        emissions = emissions.float()
        with torch.autocast(emissions.device.type, enabled=False):
            path = _path_score(emissions, tag_ids, mask, start, transitions, end)
            impossible = path == -torch.inf
            if impossible.any():
                row = int(impossible.nonzero()[0])
                raise ValueError(f"row {row}: the tag sequence must keep to the allowed transitions")
            log_partition: Tensor = _LogPartition.apply(  # type: ignore[no-untyped-call]
                emissions, mask.sum(1), start, transitions, end
            )
            return (path - log_partition).to(emissions.dtype)

    @torch.no_grad()
    def marginals(
        self, emissions: Float[Tensor, "batch tokens tags"], mask: Bool[Tensor, "batch tokens"]
    ) -> Float[Tensor, "batch tokens tags"]:
        """Probability of each tag at each token, given the whole sentence; 0 at padding."""
        return forward_backward(emissions.float(), mask.sum(1), *self.scores()).marginals

    @torch.no_grad()
    def best_path(
        self, emissions: Float[Tensor, "batch tokens tags"], mask: Bool[Tensor, "batch tokens"]
    ) -> Int[Tensor, "batch tokens"]:
        """The most probable tag sequence of each row; 0 at padding."""
        return viterbi(emissions.float(), mask.sum(1), *self.scores())


def _path_score(
    emissions: Float[Tensor, "batch tokens tags"],
    tag_ids: Int[Tensor, "batch tokens"],
    mask: Bool[Tensor, "batch tokens"],
    start: Float[Tensor, " tags"],
    transitions: Float[Tensor, "tags tags"],
    end: Float[Tensor, " tags"],
) -> Float[Tensor, " batch"]:
    """Unnormalised score of each tag sequence; 0 for a row without a token."""
    tag_ids = tag_ids.masked_fill(~mask, 0)
    lengths = mask.sum(1)
    emitted = emissions.gather(2, tag_ids.unsqueeze(2)).squeeze(2).double()  # (batch, tokens)
    moved = transitions[tag_ids[:, :-1], tag_ids[:, 1:]].double()  # (batch, tokens - 1)
    last = tag_ids.gather(1, (lengths - 1).clamp(min=0).unsqueeze(1)).squeeze(1)  # (batch,)
    inside = emitted.masked_fill(~mask, 0).sum(1) + moved.masked_fill(~mask[:, 1:], 0).sum(1)
    return (inside + start[tag_ids[:, 0]] + end[last]).masked_fill(lengths == 0, 0)


class _LogPartition(torch.autograd.Function):
    """Log of the summed exponentiated scores of all sequences; its gradient is the marginals."""

    @staticmethod
    def forward(
        ctx: Any,
        emissions: Tensor,
        lengths: Tensor,
        start: Tensor,
        transitions: Tensor,
        end: Tensor,
    ) -> Tensor:
        lattice = forward_backward(emissions, lengths, start, transitions, end)
        ctx.save_for_backward(lattice.marginals, lattice.transition_counts, lengths)
        return lattice.log_partition

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        marginals, counts, lengths = ctx.saved_tensors
        gradient = gradients[0].to(marginals.dtype)
        weighted = marginals * gradient.view(-1, 1, 1)  # (batch, tokens, tags)
        last = (lengths - 1).clamp(min=0).view(-1, 1, 1).expand(-1, 1, marginals.shape[2])
        ended = weighted.gather(1, last).squeeze(1).sum(0)  # (tags,)
        return weighted, None, weighted[:, 0].sum(0), torch.einsum("b,bij->ij", gradient, counts), ended


def forward_backward(
    emissions: Float[Tensor, "batch tokens tags"],
    lengths: Int[Tensor, " batch"],
    start: Float[Tensor, " tags"],
    transitions: Float[Tensor, "tags tags"],
    end: Float[Tensor, " tags"],
) -> Lattice:
    """Log-partition, tag marginals and expected transition counts of each row; scores may be minus infinity."""
    lattice, safe = _scaled_lattice(emissions, lengths, start, transitions, end)
    if not bool(safe.all()):
        rows = (~safe).nonzero().squeeze(1)
        exact = _log_lattice(emissions[rows], lengths[rows], start, transitions, end)
        lattice = Lattice(*(old.index_copy(0, rows, new) for old, new in zip(lattice, exact, strict=True)))
    return lattice


def _scaled_lattice(
    emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor
) -> tuple[Lattice, Bool[Tensor, " batch"]]:
    """The lattice by recursions in probability space, and in which rows it can be trusted.

    Both recursions are one loop over a stack of two: the second reads each row from its own end with the transitions
    transposed. What they give behind a row's length is never looked at.
    """
    batch, num_tokens, num_tags = emissions.shape
    mask = torch.arange(num_tokens, device=lengths.device) < lengths.unsqueeze(1)  # (batch, tokens)
    mirror = reversal(lengths, num_tokens).unsqueeze(2).expand(-1, -1, num_tags)
    peaks = emissions.amax(2).masked_fill(~mask, 0)  # (batch, tokens)
    likely = (emissions - peaks.unsqueeze(2)).masked_fill(~mask.unsqueeze(2), 0).exp()
    both = torch.stack((likely, likely.gather(1, mirror))).permute(2, 0, 1, 3).contiguous()  # (tokens, 2, batch, tags)
    moves = transitions.exp()
    stacked = torch.stack((moves, moves.t()))  # (2, tags, tags)
    edges = torch.stack((start, end)).exp()  # (2, tags)
    before = torch.empty_like(both)
    after = torch.empty_like(both)
    sums = both.new_empty(num_tokens, 2, batch, 1)
    state = edges.unsqueeze(1).expand(-1, batch, -1)
    for t in range(num_tokens):
        before[t] = state
        torch.mul(state, both[t], out=after[t])
        torch.sum(after[t], -1, keepdim=True, out=sums[t])
        after[t].div_(sums[t])
        state = torch.bmm(after[t], stacked)
    forward_after, backward_after = (after[:, i].transpose(0, 1) for i in (0, 1))  # (batch, tokens, tags)
    backward_after = backward_after.gather(1, mirror)
    backward_before = before[:, 1].transpose(0, 1).gather(1, mirror)
    product = forward_after * backward_before
    totals = product.sum(2)  # (batch, tokens)
    scales = sums[:, 0, :, 0].t()  # (batch, tokens)
    last = (lengths - 1).clamp(min=0).unsqueeze(1)
    ending = totals.gather(1, last).squeeze(1)
    log_partition = (scales.log().double() + peaks).masked_fill(~mask, 0).sum(1) + ending.log()
    joint = (before[1:, 0].transpose(0, 1) * backward_after[:, 1:]).sum(2)  # (batch, tokens - 1)
    weights = joint.reciprocal().masked_fill(~mask[:, 1:], 0).unsqueeze(2)
    counts = torch.bmm((forward_after[:, :-1] * weights).transpose(1, 2), backward_after[:, 1:]) * moves
    marginals = (product / totals.unsqueeze(2)).masked_fill(~mask.unsqueeze(2), 0)
    empty = lengths == 0
    enough = torch.minimum(torch.minimum(scales, sums[:, 1, :, 0].t().gather(1, mirror[:, :, 0])), totals) > SAFE
    enough[:, 1:] &= joint > SAFE
    safe = (enough | ~mask).all(1)
    counts = counts.masked_fill(empty.view(-1, 1, 1), 0)
    return Lattice(log_partition.masked_fill(empty, 0), marginals, counts), safe


def _log_lattice(emissions: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Lattice:
    """The lattice by recursions in log space: slower, and right for any scores."""
    batch, num_tokens, num_tags = emissions.shape
    rows = torch.arange(batch, device=lengths.device)
    mask = torch.arange(num_tokens, device=lengths.device) < lengths.unsqueeze(1)  # (batch, tokens)
    forward = emissions.new_empty(batch, num_tokens, num_tags)
    scales = emissions.new_empty(batch, num_tokens, dtype=torch.double)
    state = start.expand(batch, -1)
    for t in range(num_tokens):
        state = state + emissions[:, t]
        scale = torch.logsumexp(state, 1, keepdim=True)
        forward[:, t], scales[:, t] = state - scale, scale.squeeze(1)
        state = torch.logsumexp(forward[:, t].unsqueeze(2) + transitions, 1)
    last = lengths - 1
    ending = torch.logsumexp(forward[rows, last] + end, 1)  # (batch,)
    log_partition = scales.masked_fill(~mask, 0).sum(1) + ending
    marginals = torch.zeros_like(forward)
    counts = emissions.new_zeros(batch, num_tags, num_tags)
    later = end.expand(batch, -1)
    for t in reversed(range(num_tokens)):
        if t + 1 < num_tokens:
            reached = transitions + (emissions[:, t + 1] + later).unsqueeze(1)  # (batch, from, to)
            inside = (t < last).view(-1, 1)
            joint = (forward[:, t].unsqueeze(2) + reached).flatten(1).softmax(1).view_as(counts)
            counts += joint.masked_fill(~inside.unsqueeze(2), 0)
            earlier = torch.logsumexp(reached, 2)
            later = torch.where(inside, earlier - earlier.amax(1, keepdim=True), end)
        marginals[:, t] = (forward[:, t] + later).softmax(1)
    return Lattice(log_partition, marginals.masked_fill(~mask.unsqueeze(2), 0), counts)


def viterbi(
    emissions: Float[Tensor, "batch tokens tags"],
    lengths: Int[Tensor, " batch"],
    start: Float[Tensor, " tags"],
    transitions: Float[Tensor, "tags tags"],
    end: Float[Tensor, " tags"],
) -> Int[Tensor, "batch tokens"]:
    """The tag sequence of the highest score in each row; 0 behind a row's length."""
    batch, num_tokens, _ = emissions.shape
    states = torch.empty_like(emissions)
    pointers = torch.empty(emissions.shape, dtype=torch.long, device=emissions.device)
    state = start + emissions[:, 0]
    states[:, 0] = state
    for t in range(1, num_tokens):
        best, pointers[:, t] = (state.unsqueeze(2) + transitions).max(1)
        state = best + emissions[:, t]
        states[:, t] = state
    last = (lengths - 1).clamp(min=0)
    final = (states[torch.arange(batch, device=lengths.device), last] + end).argmax(1)  # (batch,)
    path = torch.zeros(batch, num_tokens, dtype=torch.long, device=emissions.device)
    tag = final
    for t in reversed(range(num_tokens)):
        if t + 1 < num_tokens:
            tag = pointers[:, t + 1].gather(1, tag.unsqueeze(1)).squeeze(1)
        tag = torch.where(last == t, final, tag)
        path[:, t] = tag
    mask = torch.arange(num_tokens, device=lengths.device) < lengths.unsqueeze(1)
    return path.masked_fill(~mask, 0)
