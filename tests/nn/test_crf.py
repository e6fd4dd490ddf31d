"""The CRF against enumeration of all sequences in float64, and against torchcrf."""

import re
from itertools import pairwise

import pytest
import torch
import torchcrf
from enumeration import Tables, enumerate_sequences, make_batch, make_crf, make_tables
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tagger.nn.chain import lattice
from tagger.nn.crf import LinearChainCRF, _checked_gold


def check_against_enumeration(
    crf: LinearChainCRF, emissions: Tensor, mask: Tensor, *, tolerance: float, best_within: float = 1e-3
) -> None:
    paths, marginals = crf.best_path(emissions, mask), crf.marginals(emissions, mask)
    for row, length in enumerate(mask.sum(1).tolist()):
        scores = enumerate_sequences(crf, emissions[row, :length])
        values = torch.tensor(list(scores.values()), dtype=torch.double)
        probabilities = values.softmax(0)
        expected = torch.zeros(length, crf.num_tags, dtype=torch.double)
        for tags, probability in zip(scores, probabilities, strict=True):
            expected[range(length), list(tags)] += probability
        torch.testing.assert_close(marginals[row, :length].double(), expected, rtol=0, atol=tolerance)
        best = tuple(paths[row, :length].tolist())
        assert best in scores
        assert scores[best] >= values.max().item() - best_within
        gold = list(scores)[(7 * row + 3) % len(scores)]
        tag_ids = torch.zeros(1, mask.shape[1], dtype=torch.long)
        tag_ids[0, :length] = torch.tensor(gold)
        found = crf.log_likelihood(emissions[row : row + 1], tag_ids, mask[row : row + 1])
        wanted = scores[gold] - values.logsumexp(0).item()
        assert found.item() == pytest.approx(wanted, rel=1e-5, abs=tolerance)
    assert (marginals[~mask] == 0).all()
    assert (paths[~mask] == 0).all()


@settings(max_examples=40, deadline=None)
@given(
    num_tags=st.integers(1, 4),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    seed=st.integers(0, 10_000),
    constrained=st.booleans(),
)
def test_likelihood_marginals_and_best_path_equal_enumeration(
    num_tags: int, lengths: list[int], seed: int, constrained: bool
) -> None:
    crf = make_crf(num_tags, seed=seed, tables=make_tables(num_tags, seed) if constrained else None)
    emissions, mask = make_batch(lengths, num_tags, seed=seed + 1)
    check_against_enumeration(crf, emissions, mask, tolerance=1e-5)


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4), seed=st.integers(0, 10_000))
def test_emissions_in_the_ten_thousands_with_constraints_equal_enumeration(lengths: list[int], seed: int) -> None:
    crf = make_crf(4, seed=seed, tables=make_tables(4, seed))
    emissions, mask = make_batch(lengths, 4, seed=seed + 1, scale=10_000)
    # Viterbi adds in float32, which has steps of 0.002 at 20,000.
    check_against_enumeration(crf, emissions, mask, tolerance=1e-4, best_within=0.02)


def test_many_tags_decode_in_parts_as_row_by_row() -> None:
    crf = make_crf(40)
    emissions, mask = make_batch([9, 1, 5, 9] * 16, 40)  # more candidates than one thread takes at a time
    alone = [crf.best_path(emissions[i : i + 1], mask[i : i + 1])[0] for i in range(len(mask))]
    assert torch.equal(crf.best_path(emissions, mask), torch.stack(alone))


def test_six_tokens_with_four_tags_equal_enumeration() -> None:
    crf = make_crf(4, tables=make_tables(4, 5))
    check_against_enumeration(crf, *make_batch([6, 1], 4), tolerance=1e-5)


@pytest.mark.parametrize("scale", [30, 100, 300])
def test_emissions_at_the_border_of_the_scaled_recursion_equal_enumeration(scale: float) -> None:
    crf = make_crf(3, tables=make_tables(3, 2))
    check_against_enumeration(crf, *make_batch([5, 1, 4, 5, 5, 3], 3, scale=scale), tolerance=1e-3)


def test_sums_too_small_for_float32_to_hold_exactly_equal_enumeration() -> None:
    every = [True] * 3
    crf = make_crf(3, scale=0.1, tables=([every] * 3, [True, True, False], every))
    emissions, mask = make_batch([1, 3], 3)
    emissions[:, 0] = torch.tensor([-100.0, -99.3, 0.0])  # exp(-100) is 27 times the smallest number of float32
    check_against_enumeration(crf, emissions, mask, tolerance=1e-4)


@pytest.mark.parametrize("scale", [20, 60, 200])
def test_large_transition_scores_equal_enumeration(scale: float) -> None:
    crf = make_crf(3, scale=scale)
    check_against_enumeration(crf, *make_batch([5, 1, 4, 3], 3), tolerance=1e-3)


def test_a_tag_that_nothing_may_follow_spoils_no_shorter_row() -> None:
    tables: Tables = ([[True, True], [False, False]], [True, True], [False, True])
    crf = make_crf(2, tables=tables)
    emissions, mask = make_batch([1, 4, 2], 2)
    emissions[0, 0] = torch.tensor([-200.0, 0.0])
    check_against_enumeration(crf, emissions, mask, tolerance=1e-5)
    tag_ids = torch.tensor([[1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0]])
    crf.log_likelihood(emissions, tag_ids, mask).sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in crf.parameters())


def make_reference(crf: LinearChainCRF) -> torchcrf.CRF:
    reference = torchcrf.CRF(crf.num_tags, batch_first=True)
    reference.load_state_dict(crf.state_dict(), strict=True)
    return reference


@pytest.mark.parametrize("seed", range(5))
def test_likelihood_and_gradients_equal_torchcrf(seed: int) -> None:
    crf = make_crf(5, seed=seed)
    reference = make_reference(crf)
    emissions, mask = make_batch([7, 1, 3, 9, 9], 5, seed=seed, scale=3)
    tag_ids = torch.randint(5, mask.shape, generator=torch.Generator().manual_seed(seed))
    ours, theirs = (emissions.clone().requires_grad_() for _ in range(2))
    found = crf.log_likelihood(ours, tag_ids, mask)
    expected = reference(theirs, tag_ids, mask, reduction="none")
    torch.testing.assert_close(found, expected)
    weights = torch.randn(len(found), generator=torch.Generator().manual_seed(seed))
    (found * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
    for ours, theirs in zip(crf.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


@pytest.mark.parametrize("seed", range(5))
def test_best_path_equals_torchcrf(seed: int) -> None:
    crf = make_crf(5, seed=seed)
    emissions, mask = make_batch([7, 1, 3, 9, 9], 5, seed=seed)
    found = [path[keep].tolist() for path, keep in zip(crf.best_path(emissions, mask), mask, strict=True)]
    assert found == make_reference(crf).decode(emissions, mask)


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_gradients_equal_finite_differences_of_the_enumeration(scale: float) -> None:
    tables = make_tables(3, 1)
    crf = make_crf(3, tables=tables)
    emissions, mask = make_batch([4], 3, scale=scale)
    gold = list(enumerate_sequences(crf, emissions[0]))[2]

    def value(crf: LinearChainCRF, emissions: Tensor) -> float:
        scores = enumerate_sequences(crf, emissions[0])
        return scores[gold] - torch.tensor(list(scores.values()), dtype=torch.double).logsumexp(0).item()

    asked = emissions.clone().requires_grad_()
    crf.log_likelihood(asked, torch.tensor([gold]), mask).sum().backward()
    step = 1e-4
    wide = make_crf(3, tables=tables).double()
    pairs = [(emissions.double(), asked.grad)]
    pairs += [(p.data, q.grad) for p, q in zip(wide.parameters(), crf.parameters(), strict=True)]
    for values, gradient in pairs:
        flat = values.view(-1)
        for i in range(flat.numel()):
            ends = []
            for sign in (1, -1):
                flat[i] += sign * step
                ends.append(value(wide, pairs[0][0]))
                flat[i] -= sign * step
            assert gradient.view(-1)[i].item() == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-4)


def test_a_sequence_that_breaks_a_constraint_names_its_row() -> None:
    crf = make_crf(2, tables=([[True, False], [True, True]], [True, True], [True, True]))
    emissions, mask = make_batch([2, 3, 3], 2)
    tag_ids = torch.tensor([[0, 0, 1], [0, 0, 0], [1, 0, 1]])  # row 0 breaks it in its padding only
    with pytest.raises(ValueError, match=r"^row 2: no allowed tag sequence agrees with its gold tags$"):
        crf.log_likelihood(emissions, tag_ids, mask)


@pytest.mark.parametrize(("start", "end"), [([False, True], [True, True]), ([True, True], [False, True])])
def test_a_sequence_with_a_forbidden_edge_is_refused(start: list[bool], end: list[bool]) -> None:
    crf = LinearChainCRF(2, allowed_start=start, allowed_end=end)
    with pytest.raises(ValueError, match="row 0"):
        crf.log_likelihood(*make_batch([2], 2)[:1], torch.zeros(1, 2, dtype=torch.long), torch.ones(1, 2).bool())


@pytest.mark.parametrize(
    "tags", [[[0, -100, 1]], [[[True] * 2, [True] * 2, [False, True]]]], ids=["unknown", "admissible"]
)
def test_partial_gold_that_breaks_a_constraint_is_refused(tags: list[object]) -> None:
    crf = LinearChainCRF(2, allowed_end=[True, False])
    with pytest.raises(ValueError, match=r"^row 0: no allowed tag sequence agrees with its gold tags"):
        crf.log_likelihood(torch.zeros(1, 3, 2), torch.tensor(tags), torch.ones(1, 3).bool())


def test_every_method_refuses_a_row_without_an_allowed_sequence() -> None:
    crf, mask = LinearChainCRF(2, allowed_end=[False, False]), torch.ones(1, 3).bool()
    emissions = torch.zeros(1, 3, 2)
    for ask in (
        lambda: crf.log_likelihood(emissions, torch.full((1, 3), -100), mask),
        lambda: crf.marginals(emissions, mask),
        lambda: crf.n_best_paths(emissions, mask, n=2),
    ):
        with pytest.raises(ValueError, match=r"^row 0: no (allowed )?tag sequence"):
            ask()


def test_nan_at_padding_hides_no_broken_constraint() -> None:
    crf = LinearChainCRF(2, allowed=[[True, False], [True, True]])
    emissions, mask = torch.zeros(2, 3, 2), torch.tensor([[1, 1, 0], [1, 1, 1]])
    emissions[0, 2] = torch.nan
    with pytest.raises(ValueError, match=r"^row 0"):
        crf.log_likelihood(emissions, torch.tensor([[0, 1, 0], [0, 0, 0]]), mask)
    emissions[0, 0] = torch.nan
    with pytest.raises(ValueError, match=r"^row 1"):
        crf.log_likelihood(emissions, torch.tensor([[0, 0, 0], [0, 0, 1]]), mask)


def test_nan_emissions_give_a_nan_likelihood_in_their_row_only() -> None:
    emissions, mask = make_batch([2, 2], 3)
    emissions[1, 0, 0] = torch.nan
    found = make_crf(3).log_likelihood(emissions, torch.zeros(2, 2, dtype=torch.long), mask)
    assert found.isfinite().tolist() == [True, False]


@pytest.mark.parametrize(
    "tags", [torch.zeros(1, 2).long(), torch.zeros(2, 1).long(), torch.ones(2, 2).bool(), torch.ones(2, 2, 1).bool()]
)
def test_gold_of_another_shape_is_refused(tags: Tensor) -> None:
    with pytest.raises(ValueError, match=r"^tags must be integers of shape \(2, 2\) or booleans of shape \(2, 2, 3\)"):
        # Called directly, because the tests check the shapes of public functions first.
        _checked_gold(torch.zeros(2, 2, 3), tags)


def test_gold_may_be_small_integers() -> None:
    emissions, mask = make_batch([2, 1], 3)
    tags = torch.tensor([[0, 2], [1, 0]])
    crf = make_crf(3)
    for kind in (torch.int32, torch.int16):
        assert torch.equal(
            crf.log_likelihood(emissions, tags.to(kind), mask), crf.log_likelihood(emissions, tags, mask)
        )


@pytest.mark.parametrize("shape", [(0, 4), (2, 0)])
def test_a_batch_without_a_token_has_empty_answers(shape: tuple[int, int]) -> None:
    crf, emissions, mask = make_crf(3), torch.zeros(*shape, 3), torch.zeros(*shape).bool()
    assert crf.log_likelihood(emissions, mask.long(), mask).tolist() == [0.0] * shape[0]
    assert crf.best_path(emissions, mask).shape == shape
    assert crf.marginals(emissions, mask).shape == (*shape, 3)


@pytest.mark.parametrize("table", [[[True]], [[True, True, True], [True, True, True]]])
def test_a_table_of_another_shape_is_refused(table: list[list[bool]]) -> None:
    with pytest.raises(ValueError, match=r"allowed must be booleans of shape \(2, 2\)"):
        LinearChainCRF(2, allowed=table)


def test_a_row_without_tokens_scores_zero_and_changes_no_gradient() -> None:
    crf = make_crf(3)
    emissions, mask = make_batch([3, 2], 3)
    tag_ids = torch.randint(3, (2, 3), generator=torch.Generator().manual_seed(1))
    crf.log_likelihood(emissions[:1], tag_ids[:1], mask[:1]).sum().backward()
    expected = [parameter.grad.clone() for parameter in crf.parameters()]
    crf.zero_grad()
    mask[1] = False
    found = crf.log_likelihood(emissions, tag_ids, mask)
    assert found[1].item() == 0
    found.sum().backward()
    for parameter, gradient in zip(crf.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    assert (crf.marginals(emissions, mask)[1] == 0).all()
    assert (crf.best_path(emissions, mask)[1] == 0).all()


def test_padding_of_any_value_changes_nothing() -> None:
    crf = make_crf(4, tables=make_tables(4, 3))
    emissions, mask = make_batch([2, 5, 1], 4)
    spoiled = torch.where(mask.unsqueeze(2), emissions, 1e30)
    zeros = torch.zeros(3, 5, dtype=torch.long)
    assert torch.equal(crf.log_likelihood(emissions, zeros, mask), crf.log_likelihood(spoiled, zeros, mask))
    assert torch.equal(crf.marginals(emissions, mask), crf.marginals(spoiled, mask))
    assert torch.equal(crf.best_path(emissions, mask), crf.best_path(spoiled, mask))


def test_state_loads_both_ways_with_torchcrf() -> None:
    crf, reference = make_crf(4, tables=make_tables(4, 1)), torchcrf.CRF(4)
    reference.load_state_dict(crf.state_dict(), strict=True)
    fresh = LinearChainCRF(4)
    fresh.load_state_dict(reference.state_dict(), strict=True)
    for name, value in crf.state_dict().items():
        assert torch.equal(value, fresh.state_dict()[name])


def test_emissions_whose_sign_is_kept_in_a_flag_are_read() -> None:
    crf = make_crf(3)
    emissions, mask = make_batch([4, 2], 3)
    flagged = torch.complex(torch.zeros_like(emissions), -emissions).conj().imag
    assert flagged.is_neg()
    assert torch.equal(crf.best_path(flagged, mask), crf.best_path(emissions, mask))
    torch.testing.assert_close(crf.marginals(flagged, mask), crf.marginals(emissions, mask))
    tags = torch.zeros_like(mask, dtype=torch.long)
    given, wanted = (crf.log_likelihood(each, tags, mask) for each in (flagged, emissions))
    torch.testing.assert_close(given, wanted)


def test_bfloat16_emissions_give_float32_scores() -> None:
    crf = make_crf(3)
    emissions, mask = make_batch([4, 2], 3)
    half, zeros = emissions.bfloat16(), torch.zeros(2, 4, dtype=torch.long)
    found = crf.log_likelihood(half, zeros, mask)
    assert found.dtype == crf.marginals(half, mask).dtype == torch.float32
    torch.testing.assert_close(found, crf.log_likelihood(half.float(), zeros, mask))


def test_mixed_precision_around_the_crf_changes_nothing() -> None:
    crf = make_crf(3)
    emissions, mask = make_batch([9, 2], 3)
    zeros = torch.zeros(2, 9, dtype=torch.long)
    expected = crf.log_likelihood(emissions, zeros, mask), crf.marginals(emissions, mask)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = crf.log_likelihood(emissions, zeros, mask), crf.marginals(emissions, mask)
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])


def test_ten_thousand_tokens_equal_a_recursion_in_float64() -> None:
    crf = make_crf(3)
    emissions, mask = make_batch([10_000], 3)
    state = crf.start_transitions.double() + emissions[0, 0].double()
    move = crf.transitions.double()
    for row in emissions[0, 1:].double():
        state = torch.logsumexp(state.unsqueeze(1) + move, 0) + row
    log_partition = torch.logsumexp(state + crf.end_transitions.double(), 0).item()
    tag_ids = crf.best_path(emissions, mask)
    tags = tag_ids[0].tolist()
    path = emissions[0].double()[range(10_000), tags].sum() + move[tags[:-1], tags[1:]].sum()
    path = path + crf.start_transitions[tags[0]] + crf.end_transitions[tags[-1]]
    found = crf.log_likelihood(emissions, tag_ids, mask).item()
    assert found == pytest.approx(path.item() - log_partition, rel=1e-5)
    marginals = crf.marginals(emissions, mask)
    torch.testing.assert_close(marginals.sum(2), torch.ones(1, 10_000))


@pytest.mark.parametrize(("num_tokens", "offset"), [(600, 10_000.0), (10_000, 10_000.0), (500, 0.0)])
def test_long_rows_with_conflicts_equal_a_recursion_in_float64(num_tokens: int, offset: float) -> None:
    crf = make_crf(3, tables=make_tables(3, 2))
    emissions, mask = make_batch([num_tokens], 3)
    emissions += offset
    emissions[0, 3:5] += torch.tensor([[90.0, 0, -90], [-90.0, 0, 90]])  # more than scaling can hold
    start, move, end = crf.scores(torch.double)
    state, best = (start + emissions[0, 0].double() for _ in range(2))
    for row in emissions[0, 1:].double():
        state = torch.logsumexp(state.unsqueeze(1) + move, 0) + row
        best = (best.unsqueeze(1) + move).amax(0) + row
    expected = (best + end).max() - torch.logsumexp(state + end, 0)
    path = crf.best_path(emissions, mask)
    assert crf.log_likelihood(emissions, path, mask).item() == pytest.approx(expected.item(), rel=1e-5, abs=1e-5)
    probabilities = crf.n_best_paths(emissions, mask, n=1)[1]
    assert probabilities.item() == pytest.approx(expected.exp().item(), rel=1e-5)


@pytest.mark.parametrize("score", [1.0, 100.0])
def test_transition_scores_that_add_up_change_no_tag(score: float) -> None:
    crf = make_crf(2, scale=0.0)
    emissions, mask = make_batch([10_000], 2, scale=0.1)
    crf.transitions.data.fill_(score)
    assert torch.equal(crf.best_path(emissions, mask), emissions.argmax(2))
    assert torch.equal(crf.n_best_paths(emissions, mask, n=1)[0][:, 0], emissions.argmax(2))


def test_a_path_whose_terms_underflow_has_the_right_gradient() -> None:
    crf = make_crf(1000, scale=0.0)
    crf.transitions.data[0] = -300
    emissions = torch.zeros(1, 6, 1000)
    emissions[0, :2] = -200
    emissions[0, 0, 0], emissions[0, 0, 1], emissions[0, 1, 1] = 0, -85, 0
    mask = torch.ones(1, 6, dtype=torch.bool)
    crf.log_likelihood(emissions, torch.ones(1, 6, dtype=torch.long), mask).sum().backward()
    exact = make_crf(1000, scale=0.0).double()
    exact.transitions.data[0] = -300
    wide = emissions.double()
    state = exact.start_transitions + wide[0, 0]
    for row in wide[0, 1:]:
        state = torch.logsumexp(state.unsqueeze(1) + exact.transitions, 0) + row
    (5 * exact.transitions[1, 1] - torch.logsumexp(state, 0)).backward()
    assert crf.transitions.grad[1, 1].item() == pytest.approx(exact.transitions.grad[1, 1].item(), abs=1e-3)


def test_scores_that_add_up_to_millions_decode_exactly() -> None:
    crf = make_crf(2, scale=0.0)
    small = torch.randint(2, (1, 10_000), generator=torch.Generator().manual_seed(1))
    emissions = torch.stack((100 + small * 0.01, 100 + (1 - small) * 0.01), 2)
    mask = torch.ones(1, 10_000, dtype=torch.bool)
    assert torch.equal(crf.best_path(emissions, mask), 1 - small)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_decoded_sequences_keep_to_the_constraints(scale: float) -> None:
    for seed in range(10):
        allowed, start, end = tables = make_tables(6, seed)
        crf = make_crf(6, seed=seed, tables=tables)
        emissions, mask = make_batch([12, 1, 5], 6, seed=seed, scale=scale)
        for path, length in zip(crf.best_path(emissions, mask).tolist(), (12, 1, 5), strict=True):
            tags = path[:length]
            assert start[tags[0]]
            assert end[tags[-1]]
            assert all(allowed[i][j] for i, j in pairwise(tags))


def test_impossible_transitions_get_no_gradient() -> None:
    crf = make_crf(3, tables=make_tables(3, 4))
    emissions, mask = make_batch([5, 2], 3)
    crf.log_likelihood(emissions, torch.zeros(2, 5, dtype=torch.long), mask).sum().backward()
    assert (~crf.allowed).any()
    assert (crf.transitions.grad[~crf.allowed] == 0).all()


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=3),
    seed=st.integers(0, 10_000),
    n=st.integers(1, 30),
    scale=st.sampled_from([1.0, 10.0]),
    in_numpy=st.booleans(),
)
def test_n_best_sequences_and_their_probabilities_equal_enumeration(
    lengths: list[int], seed: int, n: int, scale: float, in_numpy: bool
) -> None:
    crf = make_crf(3, tables=make_tables(3, seed))
    emissions, mask = make_batch([*lengths, 2], 3, seed=seed, scale=scale)
    with pytest.MonkeyPatch.context() as patch:
        if not in_numpy:
            patch.setattr(lattice, "IN_NUMPY", ())
        paths, probabilities = crf.n_best_paths(emissions, mask, n=n)
    for row, length in enumerate(mask.sum(1).tolist()):
        if length == 0:
            assert (paths[row] == 0).all()
            assert probabilities[row].tolist() == [1.0] + [0.0] * (n - 1)
            continue
        scores = enumerate_sequences(crf, emissions[row, :length])
        expected = torch.tensor(list(scores.values()), dtype=torch.double).softmax(0).sort(descending=True).values[:n]
        found = probabilities[row, : len(expected)].double()
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-6)
        assert (probabilities[row, len(expected) :] == 0).all()
        sequences = [tuple(path[:length].tolist()) for path in paths[row, : len(expected)]]
        assert len(set(sequences)) == len(sequences)
        assert all(sequence in scores for sequence in sequences)


@pytest.mark.parametrize("shape", [(2, 0, 3), (0, 4, 3)])
def test_n_best_sequences_of_nothing_are_the_empty_one(shape: tuple[int, int, int]) -> None:
    paths, probabilities = make_crf(3).n_best_paths(torch.zeros(shape), torch.zeros(shape[:2], dtype=torch.bool), n=2)
    assert paths.shape == (shape[0], 2, shape[1])
    assert probabilities.tolist() == [[1.0, 0.0]] * shape[0]


@settings(max_examples=60, deadline=None)
@given(length=st.integers(1, 5), seed=st.integers(0, 10_000), as_table=st.booleans())
def test_unknown_tags_are_summed_out(length: int, seed: int, as_table: bool) -> None:
    crf = make_crf(3, tables=make_tables(3, seed))
    emissions, mask = make_batch([length, length], 3, seed=seed)
    scores = enumerate_sequences(crf, emissions[0])
    generator = torch.Generator().manual_seed(seed)
    gold = list(scores)[seed % len(scores)]
    unknown = torch.rand(length, generator=generator) < 0.5
    admissible = torch.rand(length, 3, generator=generator) < 0.5
    admissible[range(length), list(gold)] = True
    if not as_table:
        admissible = torch.zeros(length, 3, dtype=torch.bool)
        admissible[range(length), list(gold)] = True
        admissible[unknown] = True
    tags = admissible if as_table else torch.tensor(gold).masked_fill(unknown, -100)
    found = crf.log_likelihood(emissions, torch.stack((tags, tags)), mask)[0]
    total = torch.tensor(list(scores.values()), dtype=torch.double).logsumexp(0)
    kept = [score for sequence, score in scores.items() if all(admissible[t, tag] for t, tag in enumerate(sequence))]
    expected = torch.tensor(kept, dtype=torch.double).logsumexp(0) - total
    assert found.item() == pytest.approx(expected.item(), abs=1e-4)


def test_gradient_of_unknown_tags_is_the_difference_of_two_marginals() -> None:
    crf = make_crf(3)
    emissions, mask = make_batch([4], 3)
    emissions = emissions.double().requires_grad_()
    tags = torch.tensor([[1, -100, -100, 0]])
    crf.log_likelihood(emissions, tags, mask).sum().backward()
    known = emissions.detach().clone()
    known[0, 0, [0, 2]] = known[0, 3, [1, 2]] = -torch.inf
    expected = crf.marginals(known, mask) - crf.marginals(emissions.detach(), mask)
    torch.testing.assert_close(emissions.grad, expected)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=3),
    seed=st.integers(0, 10_000),
    as_integers=st.booleans(),
)
def test_a_mask_with_gaps_equals_the_row_with_its_gaps_closed(
    rows: list[list[bool]], seed: int, as_integers: bool
) -> None:
    crf = make_crf(3, tables=make_tables(3, seed))
    emissions, _ = make_batch([5] * len(rows), 3, seed=seed)
    mask = torch.tensor(rows)
    given_mask = mask.int() if as_integers else mask
    paths, marginals = crf.best_path(emissions, given_mask), crf.marginals(emissions, given_mask)
    likelihood = crf.log_likelihood(emissions, paths.masked_fill(~mask, 777), given_mask)
    for row in range(len(rows)):
        kept = mask[row]
        if not kept.any():
            assert likelihood[row] == 0
            continue
        closed, whole = emissions[row : row + 1, kept], torch.ones(1, int(kept.sum()), dtype=torch.bool)
        assert paths[row, kept].tolist() == crf.best_path(closed, whole)[0].tolist()
        torch.testing.assert_close(marginals[row, kept], crf.marginals(closed, whole)[0])
        torch.testing.assert_close(
            likelihood[row : row + 1], crf.log_likelihood(closed, paths[row : row + 1, kept], whole)
        )
    assert (paths[~mask] == 0).all()


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([[0, 3]], "row 0, token 1: a gold tag must be 0 to 2, or -100 where it is unknown, got 3"),
        ([[-1, 0]], "row 0, token 0: a gold tag must be 0 to 2, or -100 where it is unknown, got -1"),
    ],
)
def test_an_invalid_gold_tag_is_named(tags: list[list[int]], message: str) -> None:
    emissions, mask = make_batch([2], 3)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_crf(3).log_likelihood(emissions, torch.tensor(tags), mask)


def test_a_table_that_leaves_no_sequence_is_refused_when_decoding() -> None:
    tables = ([[False] * 2] * 2, [True] * 2, [True] * 2)
    emissions, mask = make_batch([1, 2], 2)
    with pytest.raises(ValueError, match=r"^row 1: no tag sequence is allowed at its length$"):
        make_crf(2, tables=tables).best_path(emissions, mask)


def test_second_derivatives_are_refused() -> None:
    emissions, mask = make_batch([3], 2)
    emissions.requires_grad_()
    likelihood = make_crf(2).log_likelihood(emissions, torch.zeros(1, 3, dtype=torch.long), mask)
    with pytest.raises(RuntimeError, match=r"^the CRF has no second derivative; .* without create_graph=True$"):
        torch.autograd.grad(likelihood.sum(), emissions, create_graph=True)


@pytest.mark.parametrize("constrained", [False, True])
def test_gradcheck_in_float64(constrained: bool) -> None:
    crf = make_crf(3, tables=make_tables(3, 5) if constrained else None).double()
    emissions, mask = make_batch([4, 1, 3], 3)
    tags = crf.best_path(emissions, mask)

    def likelihood(emissions: Tensor, *parameters: Tensor) -> Tensor:
        return torch.func.functional_call(
            crf, dict(zip(dict(crf.named_parameters()), parameters, strict=True)), (emissions, tags, mask, "none")
        )

    crf.batch_first = True
    inputs = [emissions.double().requires_grad_(), *(p.detach().clone().requires_grad_() for p in crf.parameters())]
    assert torch.autograd.gradcheck(likelihood, inputs)
