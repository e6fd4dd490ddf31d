"""Calibration of a tokens head: it finds the minimum, and changes nothing else."""

from collections.abc import Sequence
from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.nn.calibration import FURTHEST, HIGHEST, LOWEST, HeldOut, calibrate_tokens
from tagger.nn.heads import Decoder, TokensHead

DECODERS: Sequence[Decoder] = ("crf", "softmax")
LENGTHS = (4, 2, 1, 3)


def make_head(decoder: Decoder, *, scale: float = 1.0) -> TokensHead:
    torch.manual_seed(1)
    head = TokensHead(input_size=5, num_tags=3, decoder=decoder)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(torch.randn_like(parameter) * scale)
        if decoder == "softmax":
            for parameter in head.crf.parameters():
                parameter.zero_()
    return head


def held_out(*, batches: int = 3) -> list[HeldOut]:
    """Return sentences whose tags are the head's own for three tokens of five, and random for the others."""
    random, linear = torch.Generator().manual_seed(2), make_head("softmax").linear
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS).unsqueeze(1)
    parts = []
    for _ in range(batches):
        states = torch.randn(*mask.shape, 5, generator=random)
        anything = torch.randint(3, mask.shape, generator=random)
        likely = torch.rand(mask.shape, generator=random) < 0.6
        tags = torch.where(likely, linear(states).argmax(2), anything)
        parts.append(HeldOut(states, mask, tags.masked_fill(~mask, -1)))
    return parts


def loss(head: TokensHead, sentences: Sequence[HeldOut], temperature: float = 1.0, shift: float = 0.0) -> float:
    """Return the loss of a head with scaled and shifted scores in nats per token, by the definition of its decoder."""
    total = tokens = 0.0
    for states, mask, tags in sentences:
        emissions = head.linear(states) / temperature
        emissions[..., 0] += shift
        moves = [p.detach() / temperature for p in (head.crf.start_transitions, head.crf.transitions)]
        end = head.crf.end_transitions.detach() / temperature
        for row, length in enumerate(mask.sum(1).tolist()):
            paths = [list(path) for path in product(range(3), repeat=length)]
            scores = torch.stack(
                [
                    moves[0][path[0]]
                    + sum(emissions[row, i, tag] for i, tag in enumerate(path))
                    + sum(moves[1][a, b] for a, b in pairwise(path))
                    + end[path[-1]]
                    for path in paths
                ]
            )
            gold = scores[paths.index(tags[row, :length].tolist())]
            total += float(scores.logsumexp(0) - gold)
            tokens += length
    return total / tokens


@pytest.mark.parametrize("decoder", DECODERS)
def test_no_other_temperature_and_shift_has_a_smaller_loss(decoder: Decoder) -> None:
    raw, head, sentences = make_head(decoder), make_head(decoder), held_out(batches=1)
    found = calibrate_tokens(head, sentences, shifted=0)
    with torch.no_grad():
        assert found.before == pytest.approx(loss(raw, sentences), abs=1e-5)
        assert found.after == pytest.approx(loss(raw, sentences, found.temperature, found.shift), abs=1e-5)
        assert found.after == pytest.approx(loss(head, sentences), abs=1e-5)
        others = product((0.8, 0.98, 1, 1.02, 1.25), (-0.5, -0.05, 0, 0.05, 0.5))
        nearby = [loss(raw, sentences, found.temperature * factor, found.shift + step) for factor, step in others]
    assert found.after <= min(nearby) + 1e-6
    assert found.after < found.before - 0.01
    assert LOWEST < found.temperature < HIGHEST
    assert -FURTHEST < found.shift < FURTHEST


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_temperature_alone_changes_no_tag_and_no_order(decoder: Decoder) -> None:
    raw, head, sentences = make_head(decoder), make_head(decoder), held_out()
    found = calibrate_tokens(head, sentences)
    assert found.shift == 0.0
    assert found.temperature != pytest.approx(1.0, abs=0.05)
    for states, mask, _ in sentences:
        assert head(states, mask).tag_ids.equal(raw(states, mask).tag_ids)


@pytest.mark.parametrize("decoder", DECODERS)
def test_a_tag_that_was_too_rare_in_training_is_found_more_often(decoder: Decoder) -> None:
    head, sentences = make_head(decoder), held_out()
    often = [part._replace(targets=part.targets.masked_fill(part.mask, 0)) for part in sentences[:2]] + sentences[2:]
    before = sum(int((head(states, mask).tag_ids[mask] == 0).sum()) for states, mask, _ in often)
    found = calibrate_tokens(head, often, shifted=0)
    after = sum(int((head(states, mask).tag_ids[mask] == 0).sum()) for states, mask, _ in often)
    assert found.shift > 0
    assert after > before


@settings(max_examples=20, deadline=None)
@given(st.floats(0.3, 5.0), st.floats(-2.0, 2.0))
def test_calibration_restores_a_head_that_was_scaled_and_shifted(temperature: float, shift: float) -> None:
    head, sentences = make_head("crf", scale=0.5), held_out()
    calibrate_tokens(head, sentences, shifted=1)  # after this, temperature 1 and shift 0 are optimal
    with torch.no_grad():
        for parameter in head.parameters():
            parameter *= temperature
        head.linear.bias[1] += shift * temperature
    found = calibrate_tokens(head, sentences, shifted=1)
    assert found.temperature == pytest.approx(temperature, rel=0.02)
    assert found.shift == pytest.approx(-shift, abs=0.02)


def test_no_gradient_is_left_and_transitions_that_are_not_trained_stay_zero() -> None:
    head = make_head("softmax")
    calibrate_tokens(head, held_out(), shifted=2)
    assert all(parameter.grad is None for parameter in head.parameters())
    assert not any(parameter.any() for parameter in head.crf.parameters())


def test_calibration_without_sentences_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one sentence to calibrate a head, got none"):
        calibrate_tokens(make_head("crf"), [])
