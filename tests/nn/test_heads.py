"""Heads: what they decode, their probabilities, and their loss."""

from itertools import pairwise, product

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from tagger.nn.heads import Decoder, Pooling, SentenceHead, TokensHead

LENGTHS = (4, 1, 6)
# Tag 1 begins a span, 2 continues it and must be followed by 2 or 3, 3 ends it, 0 is outside.
ALLOWED = [
    [True, True, False, False],
    [False, False, True, True],
    [False, False, True, True],
    [True, True, False, False],
]
START = [True, True, False, False]
END = [True, False, False, True]


def make_batch(scale: float = 1.0, *, seed: int = 2) -> tuple[Tensor, Tensor]:
    states = torch.randn(len(LENGTHS), max(LENGTHS), 5, generator=torch.Generator().manual_seed(seed)) * scale
    return states, torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS).unsqueeze(1)


def make_tokens_head(decoder: Decoder, *, constrained: bool = False) -> TokensHead:
    torch.manual_seed(1)
    tables = {"allowed": ALLOWED, "allowed_start": START, "allowed_end": END} if constrained else {}
    return TokensHead(input_size=5, num_tags=4, decoder=decoder, **tables)


def make_sentence_head(pooling: Pooling = "attention", dropout: float = 0.0) -> SentenceHead:
    torch.manual_seed(1)
    return SentenceHead(input_size=5, num_classes=3, forward_size=5, pooling=pooling, dropout=dropout)


def is_legal(tags: list[int]) -> bool:
    moves = all(ALLOWED[i][j] for i, j in pairwise(tags))
    return moves and START[tags[0]] and END[tags[-1]]


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
def test_constrained_heads_decode_legal_sequences_only(decoder: Decoder) -> None:
    head, free = make_tokens_head(decoder, constrained=True), make_tokens_head(decoder)
    illegal = 0
    for seed in range(20):
        states, mask = make_batch(10.0, seed=seed)
        for found, other, length in zip(head(states, mask)[0], free(states, mask)[0], LENGTHS, strict=True):
            assert is_legal(found[:length].tolist())
            illegal += not is_legal(other[:length].tolist())
    assert illegal > 0


def test_constrained_softmax_decodes_the_most_probable_legal_sequence() -> None:
    head, (states, mask) = make_tokens_head("softmax", constrained=True), make_batch()
    log_probabilities = head.linear(states).log_softmax(2)
    found = head(states, mask).tag_ids
    for row, length in enumerate((4, 1)):
        sequences = torch.cartesian_prod(*[torch.arange(4)] * length).view(-1, length)
        legal = [tags for tags in sequences.tolist() if is_legal(tags)]
        best = max(legal, key=lambda tags: sum(log_probabilities[row, t, tag].item() for t, tag in enumerate(tags)))
        assert found[row, :length].tolist() == best


def test_softmax_without_tables_takes_the_best_tag_of_each_token() -> None:
    head, (states, mask) = make_tokens_head("softmax"), make_batch()
    output = head(states, mask)
    probabilities = head.linear(states).exp() / head.linear(states).exp().sum(2, keepdim=True)
    torch.testing.assert_close(output.probabilities[mask], probabilities.amax(2)[mask])
    assert torch.equal(output.tag_ids[mask], probabilities.argmax(2)[mask])


def test_crf_probabilities_are_the_marginals_of_the_decoded_tags() -> None:
    head, (states, mask) = make_tokens_head("crf", constrained=True), make_batch()
    output = head(states, mask)
    marginals = head.crf.marginals(head.linear(states), mask)
    for row, length in enumerate(LENGTHS):
        expected = marginals[row, range(length), output.tag_ids[row, :length]]
        torch.testing.assert_close(output.probabilities[row, :length], expected)


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
def test_marginals_are_the_shares_of_all_sequences(decoder: Decoder) -> None:
    head, (states, mask) = make_tokens_head(decoder, constrained=True), make_batch()
    marginals, emissions, scores = head.marginals(states, mask), head.linear(states), head.crf.scores()
    for row, length in enumerate(LENGTHS):
        expected, total = torch.zeros(length, 4, dtype=torch.double), 0.0
        for tags in product(range(4), repeat=length):
            score = emissions[row, range(length), tags].double().sum()
            if decoder == "crf":
                steps = sum(scores.transitions[pair] for pair in pairwise(tags))
                score = score + scores.start[tags[0]] + steps + scores.end[tags[-1]]
            expected[range(length), tags] += score.exp().item()
            total += score.exp().item()
        torch.testing.assert_close(marginals[row, :length].double(), expected / total, atol=1e-5, rtol=0)
        assert not marginals[row, length:].any()


def test_softmax_loss_is_the_mean_negative_log_probability_of_real_tokens() -> None:
    head, (states, mask) = make_tokens_head("softmax", constrained=True), make_batch()
    tag_ids = torch.zeros(mask.shape, dtype=torch.long)
    log_probabilities = F.log_softmax(head.linear(states), 2)[:, :, 0]
    torch.testing.assert_close(head.loss(states, mask, tag_ids), -log_probabilities[mask].mean())


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
def test_loss_of_a_batch_is_the_token_mean_of_its_sentences(decoder: Decoder) -> None:
    head, (states, mask) = make_tokens_head(decoder), make_batch()
    tag_ids = torch.randint(4, mask.shape, generator=torch.Generator().manual_seed(1))
    alone = [
        head.loss(states[i : i + 1, :n], mask[i : i + 1, :n], tag_ids[i : i + 1, :n]) * n for i, n in enumerate(LENGTHS)
    ]
    torch.testing.assert_close(head.loss(states, mask, tag_ids), torch.stack(alone).sum() / sum(LENGTHS))


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
def test_tokens_loss_ignores_padding(decoder: Decoder) -> None:
    head, (states, mask) = make_tokens_head(decoder), make_batch()
    tag_ids = torch.randint(4, mask.shape, generator=torch.Generator().manual_seed(1))
    spoiled = states.masked_fill(~mask.unsqueeze(2), 1e4)
    missing = tag_ids.masked_fill(~mask, -1)
    assert torch.equal(head.loss(spoiled, mask, missing), head.loss(states, mask, tag_ids))


def test_softmax_head_trains_no_transitions() -> None:
    head, (states, mask) = make_tokens_head("softmax"), make_batch()
    head.loss(states, mask, torch.zeros(mask.shape, dtype=torch.long)).backward()
    assert all(p.grad is None and not p.requires_grad and (p == 0).all() for p in head.crf.parameters())
    assert head.linear.weight.grad is not None


@pytest.mark.parametrize("pooling", ["attention", "last", "mean", "max"])
def test_class_probabilities_sum_to_one_and_do_not_depend_on_the_batch(pooling: Pooling) -> None:
    head, (states, mask) = make_sentence_head(pooling), make_batch()
    output = head(states, mask)
    torch.testing.assert_close(output.probabilities.sum(1), torch.ones(len(LENGTHS)))
    assert (output.attention is not None) == (pooling == "attention")
    for i, length in enumerate(LENGTHS):
        alone = head(states[i : i + 1, :length], mask[i : i + 1, :length]).probabilities
        torch.testing.assert_close(output.probabilities[i : i + 1], alone)


def test_sentence_loss_is_the_mean_negative_log_probability_and_ignores_padding() -> None:
    head, (states, mask) = make_sentence_head(), make_batch()
    class_ids = torch.tensor([2, 0, 1])
    expected = -head(states, mask).probabilities[range(3), class_ids].log().mean()
    spoiled = states.masked_fill(~mask.unsqueeze(2), torch.nan)
    torch.testing.assert_close(head.loss(states, mask, class_ids), expected)
    assert torch.equal(head.loss(spoiled, mask, class_ids), head.loss(states, mask, class_ids))


def test_class_weights_and_label_smoothing_follow_their_formulas() -> None:
    (states, mask), class_ids = make_batch(), torch.tensor([2, 0, 1])
    torch.manual_seed(1)
    head = SentenceHead(input_size=5, num_classes=3, forward_size=5, dropout=0.0, label_smoothing=0.1)
    logs = head(states, mask).probabilities.log()
    smooth = 0.1 / 3 + 0.9 * torch.nn.functional.one_hot(class_ids, 3)
    torch.testing.assert_close(head.loss(states, mask, class_ids), -(smooth * logs).sum(1).mean())
    plain, weights = make_sentence_head(), torch.tensor([0.5, 4.0, 1.0])
    plain.class_weights = weights
    each = -plain(states, mask).probabilities.log()[range(3), class_ids]
    expected = (weights[class_ids] * each).sum() / weights[class_ids].sum()
    torch.testing.assert_close(plain.loss(states, mask, class_ids), expected)
    assert not any("class_weights" in name for name in plain.state_dict())  # they are for training only


def test_loss_of_a_class_among_some_is_its_probability_given_that_it_is_one_of_these() -> None:
    (states, mask), head = make_batch(), make_sentence_head()
    wanted = torch.tensor([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])
    found = head(states, mask).probabilities
    expected = torch.stack([found[0, 0] / found[0, :2].sum(), found[1, 1], found[2, 2] / found[2, 1:].sum()])
    loss = head.loss(states, mask, wanted)
    torch.testing.assert_close(loss, -expected.log().mean())
    loss.backward()
    assert all(bool(parameter.grad.isfinite().all()) for parameter in head.parameters())


def test_loss_of_class_probabilities_is_their_cross_entropy() -> None:
    (states, mask), head = make_batch(), make_sentence_head()
    wanted = torch.tensor([[0.2, 0.7, 0.1], [0.0, 0.0, 1.0], [0.3, 0.3, 0.4]])
    logs = head(states, mask).probabilities.log()
    torch.testing.assert_close(head.loss(states, mask, wanted), -(wanted * logs).sum(1).mean())
    head.class_weights = torch.tensor([0.5, 4.0, 1.0])
    ids = torch.tensor([2, 0, 1])
    certain = torch.nn.functional.one_hot(ids, 3).float()
    torch.testing.assert_close(head.loss(states, mask, certain), head.loss(states, mask, ids))
    head.class_weights = torch.full((3,), 1000.0)
    torch.testing.assert_close(head.loss(states, mask, wanted), -(wanted * logs).sum(1).mean())


def test_temperature_divides_the_class_scores_and_changes_no_class() -> None:
    head, (states, mask) = make_sentence_head(), make_batch()
    before = head(states, mask).probabilities
    head.temperature = 2.5
    after = head(states, mask).probabilities
    torch.testing.assert_close(after, (before.log() / 2.5).softmax(1))
    assert torch.equal(after.argmax(1), before.argmax(1))


def test_dropout_of_the_sentence_head_is_off_in_evaluation() -> None:
    head, (states, mask) = make_sentence_head(dropout=0.5), make_batch()
    assert not torch.equal(head(states, mask).probabilities, head(states, mask).probabilities)
    head.eval()
    assert torch.equal(head(states, mask).probabilities, head(states, mask).probabilities)


def test_the_probability_of_a_long_sequence_is_exact() -> None:
    torch.manual_seed(5)
    head = TokensHead(input_size=4, num_tags=3).eval()
    states, mask = torch.randn(1, 3000, 4), torch.ones(1, 3000, dtype=torch.bool)
    head.linear.weight.data *= 3000
    output, crf = head(states, mask, n_best=1), head.crf
    emissions, move = head.linear(states)[0].double(), crf.transitions.double()
    state = crf.start_transitions.double() + emissions[0]
    for row in emissions[1:]:
        state = torch.logsumexp(state.unsqueeze(1) + move, 0) + row
    tags = output.tag_ids[0].tolist()
    score = emissions[range(3000), tags].sum() + move[tags[:-1], tags[1:]].sum()
    score = score + crf.start_transitions[tags[0]] + crf.end_transitions[tags[-1]]
    expected = (score - torch.logsumexp(state + crf.end_transitions.double(), 0)).exp().item()
    assert 0.001 < expected < 0.999
    assert output.sequences.item() == pytest.approx(expected, rel=1e-5)
    assert output.reading_probabilities.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
def test_loss_of_possible_tags_is_that_of_all_sequences_that_agree_with_them(decoder: Decoder) -> None:
    precise = torch.double if decoder == "crf" else torch.float  # a softmax is computed in float32
    head, (states, mask) = make_tokens_head(decoder, constrained=decoder == "crf").to(precise), make_batch()
    states = states.to(precise).requires_grad_()
    possible = torch.rand(*mask.shape, 4, generator=torch.Generator().manual_seed(3)) < 0.5
    possible[..., 0] = True  # tags 0 alone are a legal sequence
    total = torch.zeros((), dtype=precise)
    for row, length in enumerate(LENGTHS):
        if decoder == "softmax":
            each = head.linear(states[row, :length]).softmax(1) * possible[row, :length]
            total = total + each.sum(1).log().sum()
            continue
        agree = [tags for tags in product(range(4), repeat=length) if is_legal(list(tags))]
        agree = [tags for tags in agree if possible[row, range(length), tags].all()]
        gold, rows = torch.tensor(agree), states[row : row + 1, :length].expand(len(agree), -1, -1)
        whole = torch.ones(len(agree), length, dtype=torch.bool)
        total = total + head.crf.log_likelihood(head.linear(rows), gold, whole).logsumexp(0)
    expected = -total / sum(LENGTHS)
    found = head.loss(states, mask, possible & mask.unsqueeze(2))
    torch.testing.assert_close(found, expected)
    (gradient,) = torch.autograd.grad(found, states, retain_graph=True)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, states)[0])
    if decoder == "crf":
        assert torch.autograd.gradcheck(lambda given: head.loss(given, mask, possible), states)


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
def test_loss_of_one_possible_tag_each_is_that_of_the_tags(decoder: Decoder) -> None:
    head, (states, mask) = make_tokens_head(decoder), make_batch()
    tag_ids = torch.randint(0, 4, mask.shape, generator=torch.Generator().manual_seed(4))
    possible = F.one_hot(tag_ids, 4).bool()
    torch.testing.assert_close(head.loss(states, mask, possible), head.loss(states, mask, tag_ids))
    everything = torch.ones_like(possible)
    torch.testing.assert_close(head.loss(states, mask, everything), torch.zeros(()))


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
def test_loss_of_tag_probabilities_is_their_cross_entropy_with_the_marginals(decoder: Decoder) -> None:
    head, (states, mask) = make_tokens_head(decoder, constrained=decoder == "crf"), make_batch()
    shares = head.marginals(*make_batch(3.0, seed=5)[:1], mask)
    shares[0, 1] = 0  # nothing is known of this token
    logs = head.marginals(states, mask).log().masked_fill(shares == 0, 0)
    expected = -(shares * logs).sum() / sum(LENGTHS)
    torch.testing.assert_close(head.loss(states, mask, shares), expected)
    head.loss(states, mask, shares).backward()
    assert all(parameter.grad.isfinite().all() for parameter in head.parameters() if parameter.requires_grad)


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
def test_loss_without_some_tags_is_that_of_sequences_that_do_not_have_them(decoder: Decoder) -> None:
    head, (states, mask) = make_tokens_head(decoder), make_batch()
    generator = torch.Generator().manual_seed(5)
    left_out = torch.zeros(*mask.shape, 4, dtype=torch.bool)
    left_out[:, :, 3] = True
    left_out[0, 2] = torch.tensor([False, True, False, False])
    shares = torch.rand(left_out.shape, generator=generator).masked_fill(left_out, 0)
    total = torch.zeros(())
    for row, length in enumerate(LENGTHS):
        scores = head.linear(states[row : row + 1, :length])
        paths = [p for p in product(range(4), repeat=length) if not left_out[row, range(length), p].any()]
        whole, gold = torch.ones(len(paths), length, dtype=torch.bool), torch.tensor(paths)
        each = head.crf.log_likelihood(scores.expand(len(paths), -1, -1), gold, whole).softmax(0)
        marginals = (F.one_hot(gold, 4) * each.view(-1, 1, 1)).sum(0)
        total = total - (shares[row, :length] * marginals.masked_fill(left_out[row, :length], 1).log()).sum()
    expected = total / sum(LENGTHS)
    found = head.loss(states, mask, shares.masked_fill(left_out, -1))
    torch.testing.assert_close(found, expected)
    wanted = torch.autograd.grad(expected, list(head.linear.parameters()), retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(found, list(head.linear.parameters())), wanted)
