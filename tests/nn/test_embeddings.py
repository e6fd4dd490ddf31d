"""Word and character vectors against torch's own layers, word by word."""

import pytest
import torch
from torch import Tensor, nn

from tagger.nn.embeddings import CharCNN, CharLSTM, WordVectors

LENGTHS = [3, 1, 8, 2, 1, 9, 17, 4]


def make_chars(lengths: list[int], num_chars: int = 20) -> tuple[Tensor, Tensor]:
    ids = torch.randint(1, num_chars, (sum(lengths),), generator=torch.Generator().manual_seed(3))
    return ids, torch.tensor(lengths)


def make_cnn(width: int = 3) -> CharCNN:
    torch.manual_seed(1)
    return CharCNN(num_chars=20, dimension=4, hidden_size=6, width=width)


def make_lstm() -> CharLSTM:
    torch.manual_seed(1)
    return CharLSTM(num_chars=20, dimension=4, hidden_size=6)


def cnn_word_by_word(cnn: CharCNN, char_ids: Tensor, lengths: list[int]) -> Tensor:
    """Return the result of the same filters as an nn.Conv1d, word by word."""
    conv = nn.Conv1d(4, 6, cnn.width, padding=cnn.width // 2)
    conv.weight.data = cnn.filters.weight.data.view(6, cnn.width, 4).transpose(1, 2).contiguous()
    conv.bias.data = cnn.filters.bias.data
    return torch.stack([conv(cnn.embedding(word).t()).amax(1) for word in char_ids.split(lengths)])


def lstm_word_by_word(chars: CharLSTM, char_ids: Tensor, lengths: list[int]) -> Tensor:
    (layer,) = chars.encoder.layers
    finals = [layer(chars.embedding(word).unsqueeze(0))[1][0] for word in char_ids.split(lengths)]
    return torch.stack([final[:, 0].flatten() for final in finals])


@pytest.mark.parametrize("width", [1, 3, 5])
def test_cnn_equals_conv1d_word_by_word(width: int) -> None:
    cnn, (char_ids, char_lengths) = make_cnn(width), make_chars(LENGTHS)
    torch.testing.assert_close(cnn(char_ids, char_lengths), cnn_word_by_word(cnn, char_ids, LENGTHS))


def test_cnn_gradient_equals_that_of_conv1d() -> None:
    cnn, (char_ids, char_lengths) = make_cnn(), make_chars(LENGTHS)
    weights = torch.randn(len(LENGTHS), 6, generator=torch.Generator().manual_seed(5))
    gradients = []
    for vectors in (cnn(char_ids, char_lengths), cnn_word_by_word(cnn, char_ids, LENGTHS)):
        cnn.zero_grad()
        (vectors * weights).sum().backward()
        gradients.append(cnn.embedding.weight.grad.clone())
    torch.testing.assert_close(*gradients)


def test_an_even_filter_width_is_refused() -> None:
    with pytest.raises(ValueError, match="width must be odd, got 2"):
        make_cnn(width=2)


def test_lstm_equals_a_word_by_word_lstm() -> None:
    lstm, (char_ids, char_lengths) = make_lstm(), make_chars(LENGTHS)
    torch.testing.assert_close(lstm(char_ids, char_lengths), lstm_word_by_word(lstm, char_ids, LENGTHS))


def test_an_odd_lstm_width_is_rounded_up_and_reported() -> None:
    lstm = CharLSTM(num_chars=20, dimension=4, hidden_size=5)
    assert lstm(*make_chars([2, 3])).shape == (2, lstm.output_size) == (2, 6)


@pytest.mark.parametrize("make", [make_cnn, make_lstm])
def test_order_and_neighbours_change_no_word(make: type) -> None:
    chars, (char_ids, char_lengths) = make(), make_chars(LENGTHS)
    backwards = list(reversed(char_ids.split(LENGTHS)))
    found = chars(torch.cat(backwards), char_lengths.flip(0)).flip(0)
    torch.testing.assert_close(found, chars(char_ids, char_lengths))


@pytest.mark.parametrize(("make", "alone"), [(make_cnn, cnn_word_by_word), (make_lstm, lstm_word_by_word)])
def test_a_word_of_five_thousand_characters_is_read_whole(make: type, alone: object) -> None:
    lengths = [2, 5000, 3]
    chars, (char_ids, char_lengths) = make(), make_chars(lengths)
    torch.testing.assert_close(chars(char_ids, char_lengths), alone(chars, char_ids, lengths), atol=1e-5, rtol=1e-5)


def make_words(trainable: int = 3, frozen: int = 4) -> WordVectors:
    generator = torch.Generator().manual_seed(1)
    table = torch.randn(trainable + frozen, 5, generator=generator)
    return WordVectors(table[:trainable], table[trainable:].half())


def test_first_ids_have_trainable_rows_and_the_others_frozen_ones() -> None:
    words = make_words()
    found = words(torch.tensor([6, 0, 3, 2, 0]))
    expected = torch.stack([words.frozen[3].float(), words.weight[0], words.frozen[0].float(), *words.weight[[2, 0]]])
    assert torch.equal(found, expected)
    assert found.dtype == torch.float32


def test_gradient_is_sparse_and_sums_over_repeated_words() -> None:
    words = make_words()
    words(torch.tensor([2, 4, 2])).sum().backward()
    assert words.weight.grad.is_sparse
    assert words.weight.grad.to_dense().tolist() == [[0.0] * 5, [0.0] * 5, [2.0] * 5]


def test_frozen_words_touch_no_trainable_row() -> None:
    words = make_words()
    words(torch.tensor([5, 1, 6])).sum().backward()
    assert words.weight.grad.coalesce().indices().tolist() == [[1]]


def test_a_batch_of_frozen_words_alone_has_a_gradient_of_no_row() -> None:
    words = make_words()
    words(torch.tensor([5, 6])).sum().backward()
    assert words.weight.grad.coalesce().indices().numel() == 0


def test_a_table_without_frozen_rows_works() -> None:
    words = make_words(frozen=0)
    assert torch.equal(words(torch.tensor([1, 0])), words.weight[[1, 0]])


def test_frozen_rows_are_kept_as_float16_beside_the_weights() -> None:
    state = make_words().state_dict()
    assert {name: value.dtype for name, value in state.items()} == {"weight": torch.float32, "frozen": torch.float16}
