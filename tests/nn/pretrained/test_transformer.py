"""The bricks that run a transformer, with a tiny one, and the mix of layers against a sum over layers."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tagger.features.encoders.windows import WindowReader
from tagger.nn.pretrained import transformer
from tagger.nn.pretrained.transformer import FineTunedEncoder, PieceEncoder, ScalarMix

SIZE = 16  # pieces in a window
HIDDEN = 8


def make_model(dropout: float):
    """A random BERT of two layers that reads 18 pieces: those of a window and one at each end."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=40,
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=SIZE + 2,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    return BertModel(config, add_pooling_layer=False).eval()


def make_brick(*, layers=(1, 2), pool="mean", layer_decay: float = 0.5, dropout: float = 0.0) -> FineTunedEncoder:
    model = make_model(dropout)
    mix = ScalarMix(len(layers), HIDDEN)
    settings = {"learning_rate": 0.01, "warmup": 0.1, "layer_decay": layer_decay}
    windows = WindowReader(SIZE, (1,), (2,), pool)
    return FineTunedEncoder(PieceEncoder(model, layers), mix, windows=windows, **settings).eval()


def states_of(brick: FineTunedEncoder, pieces: list[int]) -> Tensor:
    """The hidden states of both layers from a direct call, without the special pieces."""
    found = brick.encoder.model(input_ids=torch.tensor([[1, *pieces, 2]]), output_hidden_states=True)
    return torch.cat(found.hidden_states[1:], 2)[0, 1:-1]


@pytest.mark.parametrize("pool", ["mean", "first", "last"])
def test_vectors_equal_a_direct_call(pool: str) -> None:
    brick = make_brick(pool=pool)
    direct = states_of(brick, [5, 6, 7, 8])
    first = {"mean": direct[:3].mean(0), "first": direct[0], "last": direct[2]}[pool]
    expected = brick.mix(torch.stack([first, direct[3]]).unsqueeze(0))
    pieces = torch.tensor([[[5, 6, 7], [8, -1, -1]]])
    torch.testing.assert_close(brick(pieces), expected)


def test_padding_and_other_sentences_change_nothing() -> None:
    brick = make_brick()
    short, long = torch.tensor([[[5], [6]]]), torch.arange(5, 35).view(1, 30, 1)
    padded = torch.full((2, 30, 1), -1)
    padded[0, :2], padded[1] = short[0], long[0]
    together = brick(padded)
    torch.testing.assert_close(together[:1, :2], brick(short))
    torch.testing.assert_close(together[1:], brick(long))


def test_a_long_sentence_is_read_in_windows() -> None:
    brick = make_brick()
    pieces = list(range(5, 29))  # 24: windows of 0 to 16 and 8 to 24, which share out the tokens in the middle
    expected = torch.cat([states_of(brick, pieces[:16])[:12], states_of(brick, pieces[8:])[4:]])
    torch.testing.assert_close(brick(torch.tensor(pieces).view(1, 24, 1)), brick.mix(expected.unsqueeze(0)))


def test_only_a_few_windows_are_read_at_once_in_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    brick, pieces, rows = make_brick(), torch.arange(100).view(1, 100, 1) % 30 + 5, []
    expected = brick(pieces)
    brick.encoder.model.embeddings.register_forward_pre_hook(
        lambda module, arguments, named: rows.append(len(named["input_ids"])), with_kwargs=True
    )
    monkeypatch.setattr(transformer, "PIECES", 3 * (SIZE + 2))
    torch.testing.assert_close(brick(pieces), expected)
    assert len(rows) > 3
    assert max(rows) == 3
    rows.clear()
    brick.train()(pieces)
    assert len(rows) == 1


def test_tokens_without_pieces_have_finite_vectors() -> None:
    brick = make_brick()
    assert brick(torch.tensor([[[-1], [5], [-1]]])).isfinite().all()
    assert brick(torch.tensor([[[-1], [-1]]])).isfinite().all()


def test_gradients_reach_every_weight() -> None:
    brick = make_brick(layers=(0, 1, 2))
    brick(torch.arange(5, 35).view(1, 30, 1))[0, :, 0].square().sum().backward()
    silent = [name for name, weight in brick.named_parameters() if weight.grad is None or not weight.grad.any()]
    # The key's bias adds the same to all scores of a query, which the softmax ignores; it gets rounding errors.
    assert not [name for name in silent if "key.bias" not in name]


def test_each_layer_has_its_own_learning_rate() -> None:
    brick = make_brick(layer_decay=0.5)
    names = {id(weight): name for name, weight in brick.named_parameters()}
    rates = {names[id(w)]: group["lr"] for group in brick.parameter_groups() for w in group["params"]}
    assert {name for name in names.values() if name.startswith("encoder.")} == set(rates)
    assert {rate for name, rate in rates.items() if ".layer.1." in name} == {0.01}
    assert {rate for name, rate in rates.items() if ".layer.0." in name} == {0.005}
    assert {rate for name, rate in rates.items() if ".embeddings." in name} == {0.0025}


def test_training_fits_tags_that_depend_on_the_word_before() -> None:
    brick = make_brick().train()
    brick.generator = torch.Generator().manual_seed(1)
    classify = nn.Linear(HIDDEN, 1)
    pieces = torch.randint(5, 40, (20, 6, 1), generator=torch.Generator().manual_seed(1))
    gold = (pieces.roll(1, 1) % 2 == 0)[:, 1:, 0].float()
    optimizer = torch.optim.AdamW(
        [*brick.parameter_groups(), {"params": [*brick.mix.parameters(), *classify.parameters()]}], 0.02
    )
    for _ in range(150):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(classify(brick(pieces))[:, 1:, 0], gold).backward()
        optimizer.step()
    assert ((classify(brick.eval()(pieces))[:, 1:, 0] > 0) == gold.bool()).all()


def test_dropout_is_determined_by_the_generator_and_leaves_the_global_one_alone() -> None:
    brick, pieces = make_brick(dropout=0.5).train(), torch.tensor([[[5], [6]]])
    found, state = [], torch.get_rng_state()
    for seed in (1, 1, 2):
        brick.generator = torch.Generator().manual_seed(seed)
        found.append(brick(pieces))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_dropout_does_not_depend_on_another_training() -> None:
    bricks, pieces = [make_brick(dropout=0.5).train() for _ in range(2)], torch.tensor([[[5], [6]]])

    def steps(brick: FineTunedEncoder) -> list[Tensor]:
        brick.generator = torch.Generator().manual_seed(1)
        return [brick(pieces) for _ in range(50)]

    expected = steps(bricks[0])
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(steps, bricks):
            assert all(map(torch.equal, found, expected))


def make_mix() -> tuple[ScalarMix, list[Tensor]]:
    torch.manual_seed(1)
    mix = ScalarMix(3, 5)
    mix.weight.data = torch.tensor([0.5, -1.0, 2.0])
    return mix, [torch.randn(2, 4, 5) for _ in range(3)]


def test_mix_is_the_weighted_sum_of_layers_and_a_layer_norm() -> None:
    mix, layers = make_mix()
    shares = mix.weight.exp() / mix.weight.exp().sum()
    total = sum(share * layer for share, layer in zip(shares, layers, strict=True))
    centred = total - total.mean(-1, keepdim=True)
    expected = centred / (centred.square().mean(-1, keepdim=True) + mix.norm.eps).sqrt()
    torch.testing.assert_close(mix(torch.cat(layers, -1)), expected)


def test_weights_start_equal() -> None:
    assert ScalarMix(4, 2).weight.softmax(0).tolist() == [0.25] * 4


def test_half_precision_is_mixed_in_the_precision_of_the_weights() -> None:
    mix, layers = make_mix()
    states = torch.cat(layers, -1).half()
    assert torch.equal(mix(states), mix(states.float()))


def test_a_token_without_states_gets_finite_numbers() -> None:
    mix, _ = make_mix()
    assert mix(torch.zeros(1, 1, 15)).isfinite().all()


def test_gradients_are_exact() -> None:
    mix, layers = make_mix()
    states = torch.cat(layers, -1).double().requires_grad_()
    assert torch.autograd.gradcheck(mix.double(), (states,))
