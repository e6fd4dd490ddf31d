"""The likelihood of tag sequences under a linear-chain CRF, whose gradient is the marginals of its lattice."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tagger.nn.lattice import Rows, Scores, forward_backward


def log_partition(emissions: Float[Tensor, "batch tokens tags"], rows: Rows, scores: Scores) -> Float[Tensor, " batch"]:
    """Log of the summed exponentiated scores of all sequences of a row, in float64.

    Its gradient is the marginals, which one forward and one backward recursion give; there is no second derivative.
    """
    value: Tensor = _LogPartition.apply(emissions, *rows, *scores, None)  # type: ignore[no-untyped-call]
    return value


def path_likelihood(
    emissions: Float[Tensor, "batch tokens tags"],
    rows: Rows,
    scores: Scores,
    tags: Int[Tensor, "batch tokens"],
) -> Float[Tensor, " batch"]:
    """Log-probability of a tag sequence for each row, in the type of the emissions; not above zero but for rounding.

    A sequence that cannot happen has minus infinity, and no gradient that means anything.
    """
    value: Tensor = _LogPartition.apply(emissions, *rows, *scores, tags)  # type: ignore[no-untyped-call]
    return value


def path_score(
    emissions: Float[Tensor, "batch tokens tags"],
    rows: Rows,
    scores: Scores,
    tags: Int[Tensor, "batch tokens"],
) -> Float[Tensor, " batch"]:
    """Score of a tag sequence for each row, in float64, for it grows with the tokens; 0 for a row without a token."""
    (mask, lengths, last), (start, transitions, end) = rows, scores
    parts = emissions.gather(2, tags.unsqueeze(2)).squeeze(2).double()  # (batch, tokens)
    parts[:, 0] += start.take(tags[:, 0])
    parts[:, 1:] += transitions.take(_pairs(tags, len(start)))
    ending = tags.gather(1, last.unsqueeze(1)).squeeze(1)  # (batch,)
    return parts.masked_fill_(~mask, 0).sum(1) + end.take(ending).masked_fill_(lengths == 0, 0)


def _pairs(tags: Int[Tensor, "batch tokens"], num_tags: int) -> Int[Tensor, "batch pairs"]:
    """The place of each transition of a sequence in a flattened table of transitions."""
    return tags[:, :-1] * num_tags + tags[:, 1:]


class _LogPartition(torch.autograd.Function):
    """Log of the summed exponentiated scores of all sequences of a row; where tags are given, their score less it.

    Its gradient is what is expected of tags and transitions; where tags are given, what they have less that.
    """

    @staticmethod
    def forward(
        ctx: Any,
        emissions: Tensor,
        mask: Tensor,
        lengths: Tensor,
        last: Tensor,
        start: Tensor,
        transitions: Tensor,
        end: Tensor,
        tags: Tensor | None,
    ) -> Tensor:
        rows, scores = Rows(mask, lengths, last), Scores(start, transitions, end)
        lattice = forward_backward(emissions, rows, scores)
        value, marginals, counts = lattice.log_partition, lattice.marginals, lattice.counts
        if tags is not None:
            value = (path_score(emissions, rows, scores, tags) - value).to(emissions.dtype)
            here = mask.to(marginals.dtype)
            marginals.neg_().scatter_add_(2, tags.unsqueeze(2), here.unsqueeze(2))
            counts.neg_().flatten(1).scatter_add_(1, _pairs(tags, len(start)), here[:, 1:])
        ctx.save_for_backward(marginals, counts, last)
        return value

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError("the CRF has no second derivative; differentiate it without create_graph=True")
        marginals, counts, last = ctx.saved_tensors
        gradient = gradients[0].to(marginals.dtype)
        weighted = marginals * gradient.view(-1, 1, 1)  # (batch, tokens, tags)
        ended = weighted.gather(1, last.view(-1, 1, 1).expand(-1, 1, weighted.shape[2])).sum((0, 1))  # (tags,)
        moved = (gradient @ counts.flatten(1)).view_as(counts[0])
        return weighted, None, None, None, weighted[:, 0].sum(0), moved, ended, None
