"""The log-likelihood of tag sequences under a linear-chain CRF, with its gradient in closed form.

The log-partition is log Z = log sum_y exp(score(y)) over all tag sequences y. Its derivative with respect to a score is
the expected number of times that the score is used: the marginal probability of a tag for an emission, the expected
number of a transition for a transition score. The lattice has these already, so autograd need not go back through the
recursions, which would keep every step in memory and take several times as long.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tagger.nn.chain.lattice import Rows, Scores, forward_backward, in_numpy, numpy_scores
from tagger.nn.chain.token_likelihood import token_likelihood
from tagger.numpy_nn import lattice as numpy_lattice
from tagger.numpy_nn import likelihood as numpy_likelihood


def log_partition(emissions: Float[Tensor, "batch tokens tags"], rows: Rows, scores: Scores) -> Float[Tensor, " batch"]:
    """Return the log-partition of each row in float64, in nats; there is no second derivative."""
    value: Tensor = _LogPartition.apply(emissions, *rows, *scores, None)  # type: ignore[no-untyped-call]
    return value


def path_likelihood(
    emissions: Float[Tensor, "batch tokens tags"],
    rows: Rows,
    scores: Scores,
    tags: Int[Tensor, "batch tokens"],
) -> Float[Tensor, " batch"]:
    """Return the log-probability of a tag sequence for each row in nats, in the type of the emissions.

    It is above zero only by rounding. For a sequence that cannot happen it is minus infinity, and the gradient is
    meaningless.
    """
    value: Tensor = _LogPartition.apply(emissions, *rows, *scores, tags)  # type: ignore[no-untyped-call]
    return value


def shares_likelihood(
    emissions: Float[Tensor, "batch tokens tags"],
    rows: Rows,
    scores: Scores,
    shares: Float[Tensor, "batch tokens tags"],
) -> Float[Tensor, " batch"]:
    """Return the log-probability of each tag at each token, summed with shares, for each row in nats."""
    value: Tensor = _LogPartition.apply(emissions, *rows, *scores, shares)  # type: ignore[no-untyped-call]
    return value


def path_score(
    emissions: Float[Tensor, "batch tokens tags"],
    rows: Rows,
    scores: Scores,
    tags: Int[Tensor, "batch tokens"],
) -> Float[Tensor, " batch"]:
    """Return the score of a tag sequence for each row; 0 for a row without a token.

    It is in float64 because it grows with the number of tokens, and the log-partition of nearly the same size is
    subtracted from it: in float32 the difference would lose most of its digits.
    """
    (mask, lengths, last), (start, transitions, end) = rows, scores
    if in_numpy(emissions):
        arrays = (emissions.detach().numpy(), lengths.numpy(), numpy_scores(scores), tags.numpy())
        return torch.from_numpy(numpy_likelihood.path_score(*arrays))
    parts = emissions.gather(2, tags.unsqueeze(2)).squeeze(2).double()  # (batch, tokens)
    parts[:, 0] += start.take(tags[:, 0])
    parts[:, 1:] += transitions.take(_pairs(tags, len(start)))  # part t: the transition to token t, and its emission
    ending = tags.gather(1, last.unsqueeze(1)).squeeze(1)  # (batch,)
    return parts.masked_fill_(~mask, 0).sum(1) + end.take(ending).masked_fill_(lengths == 0, 0)


def _pairs(tags: Int[Tensor, "batch tokens"], num_tags: int) -> Int[Tensor, "batch pairs"]:
    """Return the index of each transition of a sequence in a flattened table of transitions."""
    return tags[:, :-1] * num_tags + tags[:, 1:]


class _LogPartition(torch.autograd.Function):
    """The log-partition of each row; with tags, their score minus the log-partition, which is their log-likelihood.

    The gradient of the first is the expected counts of tags and transitions, that of the second the counts in the given
    tags minus the expected ones. With shares of tags instead, the value is that of `token_likelihood`.
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
        if tags is not None and tags.is_floating_point():
            value, marginals, counts = token_likelihood(emissions, rows, scores, tags)
        else:
            run = _numpy_forward if in_numpy(emissions) else _forward
            value, marginals, counts = run(emissions, rows, scores, tags)
        ctx.save_for_backward(marginals, counts, last)
        return value

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise RuntimeError("the CRF has no second derivative; differentiate it without create_graph=True")
        marginals, counts, last = ctx.saved_tensors
        gradient = gradients[0].to(marginals.dtype)
        # Start scores are used by the tag of the first token and end scores by that of the last, so that their expected
        # counts are the marginals there.
        emissions = marginals * gradient.view(-1, 1, 1)  # (batch, tokens, tags)
        start = emissions[:, 0].sum(0)  # (tags,)
        end = emissions.gather(1, last.view(-1, 1, 1).expand(-1, 1, emissions.shape[2])).sum((0, 1))  # (tags,)
        transitions = (gradient @ counts.flatten(1)).view_as(counts[0])  # (from, to)
        return emissions, None, None, None, start, transitions, end, None


def _forward(emissions: Tensor, rows: Rows, scores: Scores, tags: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return the value of `_LogPartition` and its derivatives by emissions and transitions, both for each row."""
    lattice = forward_backward(emissions, rows, scores, counts=True)
    value, marginals, counts = lattice.log_partition, lattice.marginals, lattice.counts
    if tags is not None:
        value = (path_score(emissions, rows, scores, tags) - value).to(emissions.dtype)
        # Given minus expected counts, in place. Adding the mask instead of 1 leaves padding at 0; the mask of a token
        # also says whether there is a transition to it, and the first token has none.
        here = rows.mask.to(marginals.dtype)
        marginals.neg_().scatter_add_(2, tags.unsqueeze(2), here.unsqueeze(2))
        counts.neg_().flatten(1).scatter_add_(1, _pairs(tags, len(scores.start)), here[:, 1:])
    return value, marginals, counts


def _numpy_forward(given: Tensor, rows: Rows, scores: Scores, tags: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return the same as `_forward`, computed by NumPy."""
    emissions, lengths, parts = given.detach().numpy(), rows.lengths.numpy(), numpy_scores(scores)
    lattice = numpy_lattice.forward_backward(emissions, lengths, parts, counts=True)
    assert lattice.counts is not None
    value = lattice.log_partition
    if tags is not None:
        value = (numpy_likelihood.path_score(emissions, lengths, parts, tags.numpy()) - value).astype(emissions.dtype)
        numpy_likelihood.subtract_expected(lattice, lengths, tags.numpy())
    return torch.from_numpy(value), torch.from_numpy(lattice.marginals), torch.from_numpy(lattice.counts)
