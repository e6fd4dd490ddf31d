"""The log-probability of tags token by token against enumeration of all sequences, and its gradient."""

import pytest
import torch
from enumeration import Tables, enumerate_sequences, make_batch, make_crf, make_tables
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tagger.nn.crf import LinearChainCRF


def make_shares(mask: Tensor, num_tags: int, *, seed: int, gaps: bool = True) -> Tensor:
    """Random shares that sum to less than 1; some tokens have none."""
    generator = torch.Generator().manual_seed(seed)
    shares = torch.rand(*mask.shape, num_tags, generator=generator).double()
    shares /= 1 + shares.sum(2, keepdim=True)
    if gaps:
        shares[torch.rand(mask.shape, generator=generator) < 0.3] = 0
    return shares


def enumerated(crf: LinearChainCRF, emissions: Tensor, shares: Tensor) -> float:
    """The value of one sentence, from the scores of all its sequences; impossible tags are left out."""
    scores = enumerate_sequences(crf, emissions)
    probabilities = torch.tensor(list(scores.values()), dtype=torch.double).softmax(0)
    marginals = torch.zeros(emissions.shape, dtype=torch.double)
    for tags, probability in zip(scores, probabilities, strict=True):
        marginals[range(len(tags)), list(tags)] += probability
    return float((shares * marginals.log().masked_fill(marginals == 0, 0)).sum())


def tables_of(num_tags: int, seed: int, *, constrained: bool) -> Tables | None:
    return make_tables(num_tags, seed) if constrained else None


@settings(max_examples=40, deadline=None)
@given(
    num_tags=st.integers(1, 4),
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    seed=st.integers(0, 10_000),
    constrained=st.booleans(),
    scale=st.sampled_from([1.0, 30.0]),
)
def test_shares_of_tags_equal_enumeration(
    num_tags: int, lengths: list[int], seed: int, constrained: bool, scale: float
) -> None:
    crf = make_crf(num_tags, seed=seed, tables=tables_of(num_tags, seed, constrained=constrained))
    emissions, mask = make_batch(lengths, num_tags, seed=seed + 1, scale=scale)
    shares = make_shares(mask, num_tags, seed=seed)
    found = crf.token_log_likelihood(emissions, shares, mask)
    for row, length in enumerate(lengths):
        wanted = enumerated(crf, emissions[row, :length], shares[row, :length])
        assert found[row].item() == pytest.approx(wanted, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("scale", [1.0, 20.0])
def test_gradients_equal_finite_differences(constrained: bool, scale: float) -> None:
    crf = make_crf(3, tables=tables_of(3, 5, constrained=constrained)).double()
    emissions, mask = make_batch([4, 1, 3, 2], 3, scale=scale)
    shares = make_shares(mask, 3, seed=2)

    def value(emissions: Tensor, *parameters: Tensor) -> Tensor:
        for parameter, values in zip(("start_transitions", "end_transitions", "transitions"), parameters, strict=True):
            delattr(crf, parameter)
            setattr(crf, parameter, values)
        return crf.token_log_likelihood(emissions, shares, mask)

    parameters = [crf.start_transitions, crf.end_transitions, crf.transitions]
    inputs = [emissions.double().requires_grad_(), *(p.detach().clone().requires_grad_() for p in parameters)]
    assert torch.autograd.gradcheck(value, inputs)


def test_whole_shares_of_one_sequence_are_the_log_probabilities_of_its_tags() -> None:
    crf = make_crf(4, tables=make_tables(4, 3))
    emissions, mask = make_batch([5, 2], 4)
    path = crf.best_path(emissions, mask)
    shares = torch.nn.functional.one_hot(path, 4).float()
    wanted = crf.marginals(emissions, mask).gather(2, path.unsqueeze(2)).squeeze(2).masked_fill(~mask, 1).log().sum(1)
    torch.testing.assert_close(crf.token_log_likelihood(emissions, shares, mask), wanted)


def test_the_own_marginals_have_no_gradient() -> None:
    crf = make_crf(4, tables=make_tables(4, 3))
    emissions, mask = make_batch([5, 2, 7], 4)
    emissions.requires_grad_()
    crf.token_log_likelihood(emissions, crf.marginals(emissions, mask), mask).sum().backward()
    for gradient in (emissions.grad, *(parameter.grad for parameter in crf.parameters())):
        torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-6)


def test_padding_and_gaps_of_the_mask_change_nothing() -> None:
    crf = make_crf(3, tables=make_tables(3, 2))
    emissions, mask = make_batch([2, 5, 1], 3)
    shares = make_shares(mask, 3, seed=1).float()
    wanted = crf.token_log_likelihood(emissions, shares, mask)
    spoiled = [torch.where(mask.unsqueeze(2), each, 1e30) for each in (emissions, shares)]
    assert torch.equal(crf.token_log_likelihood(*spoiled, mask), wanted)
    flipped = crf.token_log_likelihood(
        *(torch.cat((each[:, :1], torch.full_like(each[:, :1], 7), each[:, 1:]), 1) for each in (emissions, shares)),
        torch.cat((mask[:, :1], torch.zeros_like(mask[:, :1]), mask[:, 1:]), 1),
    )
    torch.testing.assert_close(flipped, wanted)
    empty = crf.token_log_likelihood(emissions, shares, torch.zeros_like(mask))
    assert empty.tolist() == [0.0] * 3


def test_shares_of_impossible_tags_are_ignored_and_spoil_no_gradient() -> None:
    tables: Tables = ([[True, True], [False, True]], [True, False], [True, True])
    crf = make_crf(2, tables=tables)
    emissions, mask = make_batch([3], 2)
    emissions.requires_grad_()
    shares = torch.full((1, 3, 2), 0.5)
    without = shares.clone()
    without[0, 0, 1] = 0  # no sequence begins with tag 1
    found = crf.token_log_likelihood(emissions, shares, mask)
    assert found.item() == crf.token_log_likelihood(emissions, without, mask).item()
    found.sum().backward()
    assert emissions.grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in crf.parameters())


def test_low_precision_around_the_crf_changes_nothing() -> None:
    crf = make_crf(3)
    emissions, mask = make_batch([9, 2], 3)
    shares = make_shares(mask, 3, seed=1).float()
    wanted = crf.token_log_likelihood(emissions, shares, mask)
    assert wanted.dtype == torch.float32
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(crf.token_log_likelihood(emissions, shares, mask), wanted)


def test_many_tags_equal_the_derivative_of_torch() -> None:
    """Enough tags for the recursions of torch instead of NumPy, against a recursion in log space with autograd."""
    crf = make_crf(90).double()
    emissions, mask = make_batch([6] * 20, 90)
    emissions = emissions.double().requires_grad_()
    shares = make_shares(mask, 90, seed=1)
    forward, states = crf.start_transitions + emissions[:, 0], []
    for t in range(6):
        forward = forward if t == 0 else (forward.unsqueeze(2) + crf.transitions).logsumexp(1) + emissions[:, t]
        states.append(forward)
    backward, logs = crf.end_transitions.expand(20, -1), []
    for t in reversed(range(6)):
        logs.append((states[t] + backward).log_softmax(1))
        backward = (crf.transitions + (emissions[:, t] + backward).unsqueeze(1)).logsumexp(2)
    wanted = (shares * torch.stack(logs[::-1], 1)).sum()
    found = crf.token_log_likelihood(emissions, shares, mask).sum()
    torch.testing.assert_close(found, wanted)
    inputs = [emissions, *crf.parameters()]
    for one, other in zip(torch.autograd.grad(found, inputs), torch.autograd.grad(wanted, inputs), strict=True):
        torch.testing.assert_close(one, other)
