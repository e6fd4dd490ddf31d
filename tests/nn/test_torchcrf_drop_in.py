"""`LinearChainCRF` as a replacement for `torchcrf.CRF`: same results, same errors, and three of its bugs fixed."""

import math
from itertools import pairwise, product

import pytest
import torch
import torchcrf
from torch import Tensor

from tagger.nn.crf import LinearChainCRF


def make_pair(num_tags: int = 4, *, batch_first: bool = False) -> tuple[LinearChainCRF, torchcrf.CRF]:
    torch.manual_seed(3)
    theirs = torchcrf.CRF(num_tags, batch_first)
    for parameter in theirs.parameters():
        torch.nn.init.uniform_(parameter, -3, 3)
    ours = LinearChainCRF(num_tags, batch_first)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return ours, theirs


def make_batch(*, batch_first: bool = False, num_tags: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    """Return emissions, tags and mask of rows of 5, 3 and 1 tokens."""
    generator = torch.Generator().manual_seed(4)
    emissions = torch.randn(3, 5, num_tags, generator=generator) * 2
    tags = torch.randint(num_tags, (3, 5), generator=generator)
    mask = torch.arange(5) < torch.tensor([[5], [3], [1]])
    return (emissions, tags, mask) if batch_first else tuple(part.transpose(0, 1) for part in (emissions, tags, mask))


def test_it_is_an_instance_with_the_same_repr() -> None:
    ours, theirs = make_pair(10)
    assert isinstance(ours, torchcrf.CRF)
    assert (repr(ours), ours.batch_first) == (repr(theirs), False) == ("CRF(num_tags=10)", False)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [tuple(p.shape) for p in ours.parameters()] == [tuple(p.shape) for p in theirs.parameters()]


def test_state_of_a_constrained_one_loads_into_theirs() -> None:
    constrained = LinearChainCRF(2, allowed=[[True, False], [True, True]])
    torchcrf.CRF(2).load_state_dict(constrained.state_dict(), strict=True)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean", "token_mean"])
@pytest.mark.filterwarnings("ignore:where received a uint8:UserWarning")  # from torchcrf, for its own default mask
@pytest.mark.parametrize("mask_type", [torch.bool, torch.uint8, None])
def test_forward_gives_the_same_likelihood(batch_first: bool, reduction: str, mask_type: torch.dtype | None) -> None:
    ours, theirs = make_pair(batch_first=batch_first)
    emissions, tags, mask = make_batch(batch_first=batch_first)
    arguments = (emissions, tags) if mask_type is None else (emissions, tags, mask.to(mask_type))
    torch.testing.assert_close(ours(*arguments, reduction=reduction), theirs(*arguments, reduction=reduction))


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_decode_gives_the_same_lists(batch_first: bool, masked: bool) -> None:
    ours, theirs = make_pair(batch_first=batch_first)
    emissions, _, mask = make_batch(batch_first=batch_first)
    arguments = (emissions, mask) if masked else (emissions,)
    found = ours.decode(*arguments)
    assert found == theirs.decode(*arguments)
    assert all(type(tag) is int for row in found for tag in row)


def test_an_empty_batch_gives_the_same() -> None:
    ours, theirs = make_pair(batch_first=True)
    emissions, tags = torch.zeros(0, 3, 4), torch.zeros(0, 3, dtype=torch.long)
    assert ours(emissions, tags).item() == theirs(emissions, tags).item() == 0
    assert ours.decode(emissions) == theirs.decode(emissions) == []


def wrong_calls() -> list[tuple[str, tuple[object, ...]]]:
    emissions, tags, mask = make_batch()
    return [
        ("forward", (emissions[0], tags)),
        ("forward", (emissions[:, :, :3], tags)),
        ("forward", (emissions, tags[:2])),
        ("forward", (emissions, tags, mask[:2])),
        ("forward", (emissions, tags, mask.flip(0))),
        ("forward", (emissions, tags, mask, "total")),
        ("decode", (emissions[0],)),
        ("decode", (emissions[:, :, :3],)),
        ("decode", (emissions, mask[:2])),
        ("decode", (emissions, mask.flip(0))),
    ]


@pytest.mark.parametrize(("method", "arguments"), wrong_calls())
def test_wrong_arguments_are_refused_in_the_same_words(method: str, arguments: tuple[object, ...]) -> None:
    ours, theirs = make_pair()
    with pytest.raises(ValueError, match=r"\w") as expected:
        getattr(theirs, method)(*arguments)
    with pytest.raises(ValueError, match=r"\w") as found:
        getattr(ours, method)(*arguments)
    assert str(found.value) == str(expected.value)


def test_a_number_of_tags_below_one_is_refused_in_the_same_words() -> None:
    with pytest.raises(ValueError, match=r"^invalid number of tags: 0$"):
        LinearChainCRF(0)


def test_forward_and_decode_keep_to_the_constraints() -> None:
    crf = LinearChainCRF(2, batch_first=True, allowed=[[True, False], [False, True]])
    emissions = torch.tensor([[[1.0, 0.0], [0.0, 5.0], [1.0, 0.0]]])
    assert crf.decode(emissions) == [[1, 1, 1]]
    both = [crf(emissions, torch.full((1, 3), tag)).exp().item() for tag in (0, 1)]
    assert sum(both) == pytest.approx(1)


def test_ids_at_padding_are_ignored() -> None:
    ours, theirs = make_pair(batch_first=True)
    emissions, tags, mask = make_batch(batch_first=True)
    spoiled = tags.masked_fill(~mask, -100)
    with pytest.raises(IndexError):
        theirs(emissions, spoiled, mask)
    torch.testing.assert_close(ours(emissions, spoiled, mask), theirs(emissions, tags, mask))


def test_a_mask_with_a_gap_gives_the_likelihood_of_the_tokens_that_are_left() -> None:
    ours, theirs = make_pair(3, batch_first=True)
    emissions, tags, _ = make_batch(batch_first=True, num_tags=3)
    emissions, tags = emissions[:1], tags[:1]
    mask = torch.tensor([[True, False, True, True, False]])
    start, moves, end = (p.detach() for p in (ours.start_transitions, ours.transitions, ours.end_transitions))
    kept, gold = emissions[0, mask[0]], tags[0, mask[0]].tolist()

    def score(path: list[int]) -> float:
        inside = sum(kept[t, tag].item() for t, tag in enumerate(path))
        return (
            inside + start[path[0]].item() + end[path[-1]].item() + sum(moves[a, b].item() for a, b in pairwise(path))
        )

    total = math.log(sum(math.exp(score(list(path))) for path in product(range(3), repeat=3)))
    assert ours(emissions, tags, mask).item() == pytest.approx(score(gold) - total, rel=1e-5)
    assert theirs(emissions, tags, mask).item() != pytest.approx(score(gold) - total, rel=1e-2)


def test_bfloat16_emissions_lose_nothing_in_a_long_sentence() -> None:
    ours, theirs = make_pair(9, batch_first=True)
    generator = torch.Generator().manual_seed(1)
    emissions = torch.randn(1, 420, 9, generator=generator).bfloat16()
    tags = torch.randint(9, (1, 420), generator=generator)
    exact = theirs.double()(emissions.double(), tags).item()
    assert ours(emissions, tags).item() == pytest.approx(exact, rel=1e-5)
    assert abs(theirs.bfloat16()(emissions, tags).item() / exact - 1) > 0.01
