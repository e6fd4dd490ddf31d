"""The encoder against torch's own packed bidirectional layers."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tagger.nn.encoder import CELLS, Merge, RecurrentEncoder, _groups, _packed, _padded, reversal

LENGTHS = (4, 1, 7, 7, 3)


def make_batch(lengths: tuple[int, ...] = LENGTHS, size: int = 5) -> tuple[Tensor, Tensor]:
    vectors = torch.randn(len(lengths), max(lengths), size, generator=torch.Generator().manual_seed(2))
    return vectors, torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)


def make_encoder(cell: str = "lstm", **settings: object) -> RecurrentEncoder:
    torch.manual_seed(1)
    return RecurrentEncoder(input_size=5, hidden_size=6, cell=cell, **settings).eval()  # type: ignore[arg-type]


def packed_states(encoder: RecurrentEncoder, vectors: Tensor, mask: Tensor, merge: Merge) -> Tensor:
    """The states by packed layers of torch, merged between layers."""
    for layer in encoder.layers:
        packed = pack_padded_sequence(vectors, mask.sum(1), batch_first=True, enforce_sorted=False)
        vectors = pad_packed_sequence(layer(packed)[0], batch_first=True)[0]
        if layer.bidirectional and merge != "concat":
            both = vectors.unflatten(2, (2, 6))
            vectors = both.sum(2) if merge == "sum" else both.mean(2)
    return vectors


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_states_equal_a_packed_layer(cell: str, bidirectional: bool, layers: int) -> None:
    encoder, (vectors, mask) = make_encoder(cell, bidirectional=bidirectional, layers=layers), make_batch()
    expected = packed_states(encoder, vectors, mask, "concat")
    torch.testing.assert_close(encoder(vectors, mask)[mask], expected[mask], atol=1e-5, rtol=0)


@pytest.mark.parametrize("merge", ["concat", "sum", "mean"])
def test_two_layers_merge_the_directions_of_each(merge: Merge) -> None:
    encoder, (vectors, mask) = make_encoder(layers=2, merge=merge), make_batch()
    states = encoder(vectors, mask)
    assert states.shape[2] == encoder.output_size == (12 if merge == "concat" else 6)
    torch.testing.assert_close(states[mask], packed_states(encoder, vectors, mask, merge)[mask], atol=1e-5, rtol=0)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_tokens_that_are_not_read_have_the_state_of_the_one_before(bidirectional: bool) -> None:
    encoder, (vectors, mask) = make_encoder(bidirectional=bidirectional, stride=3), make_batch()
    states = encoder(vectors, mask)
    for row, length in enumerate(LENGTHS):
        read = vectors[row : row + 1, 0:length:3]
        expected = make_encoder(bidirectional=bidirectional)(read, torch.ones(read.shape[:2], dtype=torch.bool))[0]
        for token in range(length):
            torch.testing.assert_close(states[row, token], expected[token // 3], atol=1e-5, rtol=0)


def test_two_layers_equal_one_lstm_of_two_layers() -> None:
    encoder, (vectors, mask) = make_encoder(layers=2), make_batch()
    reference = nn.LSTM(5, 6, num_layers=2, bidirectional=True, batch_first=True)
    for i, layer in enumerate(encoder.layers):
        for name, parameter in layer.named_parameters():
            getattr(reference, name.replace("_l0", f"_l{i}")).data.copy_(parameter)
    packed = pack_padded_sequence(vectors, mask.sum(1), batch_first=True, enforce_sorted=False)
    expected = pad_packed_sequence(reference(packed)[0], batch_first=True)[0]
    torch.testing.assert_close(encoder(vectors, mask)[mask], expected[mask], atol=1e-5, rtol=0)


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_equal_those_of_a_packed_layer(cell: str) -> None:
    encoder, (vectors, mask) = make_encoder(cell), make_batch()
    weights = torch.randn(int(mask.sum()), 12, generator=torch.Generator().manual_seed(3))
    gradients = []
    for states in (encoder(vectors, mask), packed_states(encoder, vectors, mask, "concat")):
        encoder.zero_grad()
        (states[mask] * weights).sum().backward()
        gradients.append([parameter.grad.clone() for parameter in encoder.parameters()])
    for found, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("lengths", [(1, *[2] * 61, 40, 41), tuple(range(1, 65)), (*[1] * 40, *[9] * 24)])
def test_rows_of_different_lengths_run_in_groups_and_give_the_same_states(
    lengths: tuple[int, ...], bidirectional: bool, cell: str
) -> None:
    encoder, (vectors, mask) = make_encoder(cell, bidirectional=bidirectional), make_batch(lengths)
    groups = _groups(mask.sum(1), max(lengths))
    assert 1 < len(groups) <= 4
    assert torch.cat(list(groups)).sort().values.tolist() == list(range(len(lengths)))
    found, expected = encoder(vectors, mask)[mask], packed_states(encoder, vectors, mask, "concat")[mask]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    gradients = [
        torch.autograd.grad(states.square().sum(), tuple(encoder.parameters())) for states in (found, expected)
    ]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("lengths", [(*[0] * 40, *[9] * 24), (0,) * 40, (0, 3)])
def test_rows_without_a_token_leave_the_others_alone(lengths: tuple[int, ...]) -> None:
    encoder = make_encoder()
    vectors, _ = make_batch((9,) * len(lengths))
    mask = torch.arange(9) < torch.tensor(lengths).unsqueeze(1)
    found = encoder(vectors, mask)
    assert found.shape == (len(lengths), 9, 12)
    rows = [row for row, length in enumerate(lengths) if length]
    if rows:
        alone = encoder(vectors[rows], mask[rows])
        torch.testing.assert_close(found[rows][mask[rows]], alone[mask[rows]], atol=1e-5, rtol=0)


def test_rows_of_similar_length_run_in_one_group() -> None:
    assert len(_groups(torch.tensor([24, 25] * 20), 25)) == 1


@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_packed_pass_of_gpus_gives_the_same_states(bidirectional: bool) -> None:
    encoder, (vectors, mask) = make_encoder(bidirectional=bidirectional), make_batch()
    layer = next(iter(encoder.layers))
    padded, packed = (run(layer, vectors, mask.sum(1)) for run in (partial(_padded, helper=None), _packed))
    assert padded.shape == packed.shape == (5, 7, 1 + bidirectional, 6)
    torch.testing.assert_close(packed[mask], padded[mask], atol=1e-5, rtol=0)


def test_one_direction_never_sees_what_comes_later() -> None:
    encoder, (vectors, mask) = make_encoder(bidirectional=False), make_batch()
    changed = vectors.clone()
    changed[:, 2:] += 1
    assert torch.equal(encoder(vectors, mask)[:, :2], encoder(changed, mask)[:, :2])
    assert not torch.equal(encoder(vectors, mask)[:, 2], encoder(changed, mask)[:, 2])


@pytest.mark.parametrize("shape", [(0, 4), (3, 0)])
def test_a_batch_without_a_cell_has_no_states(shape: tuple[int, int]) -> None:
    assert make_encoder()(torch.zeros(*shape, 5), torch.zeros(*shape).bool()).shape == (*shape, 12)


@pytest.mark.parametrize("cell", CELLS)
def test_training_in_bfloat16_has_about_the_same_gradients_in_float32(cell: str) -> None:
    (vectors, mask), encoder, found = make_batch(), make_encoder(cell, layers=2).train(), []
    for precision in (None, torch.bfloat16):
        encoder.precision = precision
        encoder.zero_grad()
        states = encoder(vectors, mask)[mask]
        states.square().sum().backward()
        assert states.dtype == torch.float32
        gradients = torch.cat([p.grad.flatten() for p in encoder.parameters() if p.grad is not None])
        assert gradients.dtype == torch.float32
        found.append(gradients)
    exact, rounded = found
    assert 0 < float((exact - rounded).norm() / exact.norm()) < 0.02


def test_a_trained_network_computes_in_its_own_precision() -> None:
    (vectors, mask), encoder = make_batch(), make_encoder()
    exact = encoder(vectors, mask)
    encoder.precision = torch.bfloat16
    assert torch.equal(encoder(vectors, mask)[mask], exact[mask])


def test_nan_at_padding_reaches_no_gradient() -> None:
    encoder, (vectors, mask) = make_encoder(), make_batch()
    states = encoder(vectors.masked_fill(~mask.unsqueeze(2), torch.nan), mask)
    states[mask].sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in encoder.parameters())


@pytest.mark.parametrize("cell", CELLS)
def test_padding_changes_no_state(cell: str) -> None:
    encoder, (vectors, mask) = make_encoder(cell, layers=2), make_batch()
    spoiled = vectors.masked_fill(~mask.unsqueeze(2), 1e6)
    assert torch.equal(encoder(spoiled, mask)[mask], encoder(vectors, mask)[mask])


@pytest.mark.parametrize("cell", CELLS)
def test_batch_equals_one_sentence_at_a_time(cell: str) -> None:
    encoder, (vectors, mask) = make_encoder(cell, layers=2), make_batch()
    alone = torch.cat([encoder(vectors[i : i + 1, :n], mask[i : i + 1, :n])[0] for i, n in enumerate(LENGTHS)])
    torch.testing.assert_close(encoder(vectors, mask)[mask], alone, atol=1e-5, rtol=0)


def test_reversal_turns_each_row_within_its_length() -> None:
    assert reversal(torch.tensor([3, 1, 4, 0]), 4).tolist() == [[2, 1, 0, 3], [0, 1, 2, 3], [3, 2, 1, 0], [0, 1, 2, 3]]


def test_dropout_acts_between_layers_alone_and_only_in_training() -> None:
    vectors, mask = make_batch()
    one, two = (make_encoder(layers=n, dropout=0.5).train() for n in (1, 2))
    assert torch.equal(one(vectors, mask), one(vectors, mask))
    assert not torch.equal(two(vectors, mask), two(vectors, mask))
    two.eval()
    assert torch.equal(two(vectors, mask), two(vectors, mask))


def test_forget_gates_start_open_and_recurrences_orthogonal() -> None:
    layer = next(iter(make_encoder().layers))
    assert (layer.bias_ih_l0 + layer.bias_hh_l0).tolist() == [0.0] * 6 + [1.0] * 6 + [0.0] * 12
    for gate in layer.weight_hh_l0_reverse.split(6):
        torch.testing.assert_close(gate @ gate.t(), torch.eye(6))


@pytest.mark.parametrize("lengths", [LENGTHS, (40, 3) * 20])
@pytest.mark.parametrize("cell", CELLS)
def test_a_helping_thread_changes_no_bit_of_states_and_gradients(cell: str, lengths: tuple[int, ...]) -> None:
    vectors, mask = make_batch(lengths)
    found = []
    with ThreadPoolExecutor(1) as thread:
        for helper in (None, thread):
            encoder, given = make_encoder(cell, layers=2), vectors.clone().requires_grad_()
            encoder.helper = helper
            states = encoder(given, mask)
            states[mask].square().sum().backward()
            found.append([states.detach(), given.grad, *(p.grad for p in encoder.parameters())])
    assert all(gradient is not None and torch.equal(gradient, other) for gradient, other in zip(*found, strict=True))
