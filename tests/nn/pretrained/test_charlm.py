"""Character language models against a loop over characters."""

import math

import pytest
import torch
from torch import Tensor, nn

from tagger.nn.pretrained import charlm
from tagger.nn.pretrained.charlm import BothDirections, CharacterModel


def make_models(**settings: int | float) -> BothDirections:
    made = BothDirections(**{"num_chars": 11, "dimension": 5, "hidden_size": 6, **settings})
    made.draw_weights(torch.Generator().manual_seed(3))
    for parameter in made.leftward.parameters():
        nn.init.uniform_(parameter, -1, 1, generator=torch.Generator().manual_seed(4))
    return made.eval()


def make_texts(*lengths: int) -> list[Tensor]:
    random = torch.Generator().manual_seed(4)
    return [torch.randint(0, 11, (length,), generator=random) for length in lengths]


def padded(texts: list[Tensor]) -> Tensor:
    return nn.utils.rnn.pad_sequence(texts, batch_first=True)


def states_by_loop(model: CharacterModel, text: Tensor) -> Tensor:
    """The state after each character, by a cell that reads one character at a time."""
    cell = nn.LSTMCell(model.embedding.embedding_dim, model.lstm.hidden_size)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in model.lstm.state_dict().items()})
    state, found = None, []
    for char in text:
        state = cell(model.embedding.weight[char].unsqueeze(0), state)
        found.append(state[0])
    return torch.cat(found)


def test_the_loss_is_the_mean_of_log_probabilities_by_a_loop() -> None:
    models = make_models()
    (text,) = make_texts(9)
    for model in models.directions:
        scores = model.output(states_by_loop(model, text)).log_softmax(1)
        expected = -sum(scores[i, text[i + 1]] for i in range(8)) / 8
        loss, _ = model(text.unsqueeze(0))
        torch.testing.assert_close(loss, expected)


def test_fresh_weights_give_about_the_perplexity_of_a_guess() -> None:
    (text,) = make_texts(200)
    loss, _ = make_models().rightward(text.unsqueeze(0))
    assert math.exp(loss.detach()) == pytest.approx(11, rel=0.1)


@pytest.mark.parametrize("block", [1, 4, 1024])
def test_states_at_places_are_those_of_a_loop(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(charlm, "BLOCK", block)
    model, texts = make_models().rightward, make_texts(9, 1, 14)
    places = [(0, 2), (2, 13), (1, 0), (0, 8), (2, 0)]  # text and character, in any order
    rows, positions = (torch.tensor(column) for column in zip(*places, strict=True))
    found = model.states_at(padded(texts), rows, positions)
    for state, (row, position) in zip(found, places, strict=True):
        torch.testing.assert_close(state, states_by_loop(model, texts[row])[position], atol=1e-6, rtol=0)


def test_states_do_not_depend_on_the_other_texts_of_a_batch() -> None:
    model, texts = make_models(hidden_size=32).rightward, make_texts(*range(1, 40))
    last = torch.tensor([len(text) - 1 for text in texts])
    together = model.states_at(padded(texts), torch.arange(39), last)
    for i, text in enumerate(texts):
        alone = model.states_at(text.unsqueeze(0), torch.tensor([0]), last[i : i + 1])
        torch.testing.assert_close(alone[0], together[i], atol=1e-5, rtol=0)


def test_both_directions_start_with_equal_weights() -> None:
    models = BothDirections(num_chars=4, dimension=3, hidden_size=2)
    models.draw_weights(torch.Generator().manual_seed(3))
    for mine, theirs in zip(*(model.parameters() for model in models.directions), strict=True):
        assert torch.equal(mine, theirs)
        assert mine is not theirs


def test_fresh_weights_are_those_that_torch_draws() -> None:
    models = BothDirections(num_chars=4, dimension=3, hidden_size=2)
    models.draw_weights(torch.Generator().manual_seed(3))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        expected = nn.ModuleDict({"embedding": nn.Embedding(4, 3), "lstm": nn.LSTM(3, 2), "output": nn.Linear(2, 4)})
    for name, weight in models.rightward.named_parameters():
        assert torch.equal(weight, expected.get_parameter(name))
        assert weight.requires_grad
