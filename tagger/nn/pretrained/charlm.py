"""A character language model: an LSTM that reads a text character by character and predicts the next one.

Two of them, of which one reads from the right, give each word two states that know the text on its left and right.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from tagger.nn.dropout import Dropout

BLOCK = 1024  # characters of a row that are read at once without gradient: their states are freed after each block
State = tuple[Tensor, Tensor]


class _Undrawn:
    """A module without first weights, which torch draws from its global generator that all threads share."""

    def reset_parameters(self) -> None:
        """Leave the weights undefined."""


class _UndrawnEmbedding(_Undrawn, nn.Embedding):
    pass


class _UndrawnLSTM(_Undrawn, nn.LSTM):
    pass


class _UndrawnLinear(_Undrawn, nn.Linear):
    pass


class CharacterModel(nn.Module):
    """Predicts the next character of a text. Its weights are undefined until they are drawn or loaded.

    Args:
        num_chars: Number of character ids.
        dimension: Width of a character's vector.
        hidden_size: Width of a state.
        dropout: Probability with which a feature of a state is dropped before the prediction, in training.

    Source:
        Akbik, Blythe and Vollgraf (2018), section 2.1.
        Compared with a loop over characters in tests/nn/test_charlm.py.
    """

    def __init__(self, *, num_chars: int, dimension: int, hidden_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding = _UndrawnEmbedding(num_chars, dimension)
        self.lstm = _UndrawnLSTM(dimension, hidden_size)
        self.dropout = Dropout(dropout)
        self.output = _UndrawnLinear(hidden_size, num_chars)

    @torch.no_grad()
    def draw_weights(self, generator: torch.Generator) -> None:
        """Draw fresh weights from a generator, as torch draws them from its global one."""
        nn.init.normal_(self.embedding.weight, generator=generator)
        for module, size in ((self.lstm, self.lstm.hidden_size), (self.output, self.output.in_features)):
            for parameter in module.parameters():
                nn.init.uniform_(parameter, -(size**-0.5), size**-0.5, generator=generator)

    def read(
        self, char_ids: Int[Tensor, "batch chars"], state: State | None = None
    ) -> tuple[Float[Tensor, "batch chars hidden"], State]:
        """Return the state after each character, and the last one, with which to read on.

        Args:
            char_ids: The characters.
            state: The state before the first of them; default: that before a text.
        """
        states, last = self.lstm(self.embedding(char_ids.t()), state)
        return states.transpose(0, 1), last

    def forward(
        self, char_ids: Int[Tensor, "batch chars"], state: State | None = None
    ) -> tuple[Float[Tensor, ""], State]:
        """Return the mean loss of each character but the first given those before it, in nats, and the last state.

        The last character is only predicted, so it is the first to be read with that state.
        """
        states, last = self.read(char_ids[:, :-1], state)
        # Characters come first in memory, so that no copy is made.
        logits = self.output(self.dropout(states.transpose(0, 1))).flatten(0, 1)
        return F.cross_entropy(logits, char_ids[:, 1:].t().flatten()), last

    @torch.no_grad()
    def states_at(
        self, char_ids: Int[Tensor, "batch chars"], rows: Int[Tensor, " places"], positions: Int[Tensor, " places"]
    ) -> Float[Tensor, "places hidden"]:
        """Return the states after the characters at some places.

        Args:
            char_ids: Texts from their start; padding comes after a text, and no place is in it.
            rows: The text of each place.
            positions: The number of its character in the text.
        """
        found = self.output.weight.new_zeros(len(rows), self.lstm.hidden_size)
        state = None
        for start in range(0, char_ids.shape[1], BLOCK):
            block = char_ids[:, start : start + BLOCK]
            states, state = self.read(block, state)
            here = ((positions >= start) & (positions < start + block.shape[1])).nonzero().squeeze(1)
            found[here] = states[rows[here], positions[here] - start]
        return found


class BothDirections(nn.Module):
    """A character model for each direction. Their weights are undefined until they are drawn or loaded.

    Args:
        settings: The arguments of a `CharacterModel`.
    """

    def __init__(self, **settings: int | float) -> None:
        super().__init__()
        self.rightward = CharacterModel(**settings)  # type: ignore[arg-type]
        self.leftward = CharacterModel(**settings)  # type: ignore[arg-type]

    def draw_weights(self, generator: torch.Generator) -> None:
        """Draw fresh weights from a generator, the same for both models."""
        self.rightward.draw_weights(generator)
        self.leftward.load_state_dict(self.rightward.state_dict())

    @property
    def directions(self) -> tuple[CharacterModel, CharacterModel]:
        """The model that reads from the left, and the one that reads from the right."""
        return self.rightward, self.leftward


class NormedStates(nn.Module):
    """Layer norm over the states of a word, and perhaps a projection to fewer features.

    Args:
        states: Width of the states.
        width: Width of the projection; None for none.
    """

    def __init__(self, states: int, width: int | None = None) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(states)
        self.projection = nn.Identity() if width is None else nn.Linear(states, width)

    def forward(self, states: Float[Tensor, "batch tokens states"]) -> Float[Tensor, "batch tokens width"]:
        """Return the features of each token."""
        features: Tensor = self.projection(self.norm(states.to(self.norm.weight.dtype)))
        return features
