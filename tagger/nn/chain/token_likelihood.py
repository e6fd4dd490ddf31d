"""The log-probability of tags token by token under a linear-chain CRF, with its gradient in closed form.

The tags of a token have shares q[t, j], such as the probabilities that another model gives them. The value is

    sum_t sum_j q[t, j] log P(j at t)

in the notation of `lattice.py`. The derivative of log P(j at t) by a score is how often sequences with tag j at t are
expected to use the score, minus how often all sequences are. For the emission of tag x at token s the first number is
P(x at s | j at t). The tags form a Markov chain in both directions, so that two recursions sum it over all t and j:

    ahead[s, x]  = q[s, x] + sum_i ahead[s-1, i] P(x at s | i at s-1)     shares of token s and those before it
    behind[s, x] = q[s, x] + sum_j behind[s+1, j] P(x at s | j at s+1)    shares of token s and those behind it

They need no division by a probability that may be tiny, and their numbers are never larger than the sum of the shares.
All is computed in float64.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from tagger.nn.chain.lattice import Rows, Scores, forward_backward


def token_likelihood(
    emissions: Float[Tensor, "batch tokens tags"],
    rows: Rows,
    scores: Scores,
    shares: Float[Tensor, "batch tokens tags"],
) -> tuple[Float[Tensor, " batch"], Float[Tensor, "batch tokens tags"], Float[Tensor, "batch tags tags"]]:
    """Return the value of each row in nats, and its derivatives by the emissions and by the transitions.

    Shares at padding are ignored, and so are those of tags with a probability below 1e-300: they are impossible.
    """
    scores = Scores(*(part.double() for part in scores))
    lattice = forward_backward(emissions.double(), rows, scores, messages=True)
    marginals = lattice.marginals
    possible = marginals > 1e-300
    shares = shares.double().masked_fill(~possible, 0)
    value = (shares * marginals.masked_fill(~possible, 1).log()).sum((1, 2))
    # The constant of `entering` at each token is free; the clamp keeps padding from becoming NaN.
    entering = lattice.entering.masked_fill(~rows.mask.unsqueeze(2), -torch.inf)
    entering = (entering - entering.amax(2, keepdim=True).clamp(min=-1e300)).exp_()
    moves = (scores.transitions - scores.transitions.amax().clamp(min=-1e300)).exp()  # (from, to)
    by_emissions, by_transitions = _derivatives(shares, marginals, entering, moves, kind=emissions.dtype)
    return value.to(emissions.dtype), by_emissions, by_transitions


def _derivatives(
    shares: Tensor, marginals: Tensor, entering: Tensor, moves: Tensor, *, kind: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Return the derivatives by the emissions and by the transitions.

    Up to a constant at each token, which cancels, `entering` is exp(e) * beta, `leaving` is beta, and `alpha` and
    `reached` are alpha with and without its emission:

        P(j at t+1 | i at t) = entering[t+1, j] * exp(A[i, j]) / leaving[t, i]
        P(i at t | j at t+1) = alpha[t, i] * exp(A[i, j]) / reached[t+1, j]
    """
    leaving = _nonzero(entering[:, 1:] @ moves.t())  # (batch, tokens - 1, tags)
    alpha = marginals[:, :-1] / leaving
    alpha /= _nonzero(alpha.amax(2, keepdim=True))
    reached = _nonzero(alpha @ moves)
    # Both recursions are one loop, the second over the reversed sentence. It begins in the padding, which has no share.
    given, gates, divisors = (
        torch.stack((one, other.flip(1))).transpose(1, 2).contiguous()  # (2, tokens, batch, tags)
        for one, other in ((shares, shares), (entering[:, 1:], alpha), (leaving, reached))
    )
    both_moves = torch.stack((moves, moves.t()))
    states = [given[:, 0]]
    for share, gate, divisor in zip(given[:, 1:].unbind(1), gates.unbind(1), divisors.unbind(1), strict=True):
        states.append(torch.addcmul(share, gate, torch.bmm(states[-1] / divisor, both_moves)))
    ahead, behind = torch.stack(states, 2).unbind(0)  # (batch, tokens, tags)
    behind = behind.flip(1)
    expected = shares.sum((1, 2)).view(-1, 1, 1) * marginals
    by_emissions = (ahead + behind - shares - expected).to(kind)
    # A transition is used with a share before it, with one behind it, and by all sequences.
    befores = torch.cat((ahead[:, :-1] / leaving, alpha), 1).to(kind)  # (batch, 2 * (tokens - 1), from)
    behinds = torch.cat((entering[:, 1:], (behind - expected)[:, 1:] / reached), 1).to(kind)
    return by_emissions, (befores.transpose(1, 2) @ behinds).mul_(moves.to(kind))


def _nonzero(values: Tensor) -> Tensor:
    """Return divisors with 1 for 0, where what is divided is 0 too."""
    return values.masked_fill(values == 0, 1)
