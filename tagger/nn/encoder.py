"""A recurrent network over the tokens of a batch, in one direction or both.

On a CPU each direction is a pass of its own over the padded batch, the backward one over each row reversed within its
own length: this is what the fast kernels take. On a GPU it is one packed pass. Both use the parameters of the same
`nn.LSTM`, `nn.GRU` or `nn.RNN` and give the same states.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tagger.nn.dropout import Dropout

Cell = Literal["lstm", "gru", "rnn"]
Merge = Literal["concat", "sum", "mean"]
Recurrence = nn.LSTM | nn.GRU | nn.RNN
MAX_GROUPS, MIN_ROWS = 6, 16  # each group reorders the weights anew, and few rows do not keep a processor busy
WORTHWHILE = 0.9  # share of the padded cells below which grouping pays for its copies
CELLS: dict[str, type[nn.LSTM] | type[nn.GRU] | type[nn.RNN]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class RecurrentEncoder(nn.Module):
    """The state of each token after reading its sentence.

    Args:
        input_size: Width of a token's vector.
        hidden_size: Width of one direction's state.
        cell: The recurrence.
        layers: How many layers are stacked.
        bidirectional: Whether a second pass reads each sentence from its end.
        merge: How the states of both directions become one: side by side, summed or averaged.
        dropout: Probability with which a feature is dropped between layers.

    Source:
        Schuster and Paliwal (1997); dropout between layers only, as in Zaremba et al. (2014).
        Compared with a packed bidirectional layer in tests/nn/test_encoder.py.
    """

    def __init__(
        self,
        *,
        input_size: int,
        hidden_size: int,
        cell: Cell = "lstm",
        layers: int = 1,
        bidirectional: bool = True,
        merge: Merge = "concat",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.merge = merge
        directions = 2 if bidirectional else 1
        self.output_size = hidden_size * (directions if merge == "concat" else 1)
        self.forward_size = hidden_size
        sizes = [input_size] + [self.output_size] * (layers - 1)
        stack = [CELLS[cell](size, hidden_size, batch_first=True, bidirectional=bidirectional) for size in sizes]
        self.layers: Iterable[Recurrence] = nn.ModuleList(stack)  # type: ignore[assignment]
        self.dropout = Dropout(dropout)
        for layer in self.layers:
            _initialise(layer, hidden_size)

    @property
    def dtype(self) -> torch.dtype:
        """The type of its parameters, which its input must have."""
        return next(self.parameters()).dtype

    def forward(
        self, vectors: Float[Tensor, "batch tokens input"], mask: Bool[Tensor, "batch tokens"]
    ) -> Float[Tensor, "batch tokens hidden"]:
        """The states of both directions, merged; what stands at padding is unspecified."""
        if mask.numel() == 0:
            return vectors.new_zeros(*mask.shape, self.output_size)
        lengths = mask.sum(1)
        run = _packed if vectors.is_cuda else _padded
        for i, layer in enumerate(self.layers):
            states = run(layer, self.dropout(vectors) if i else vectors, lengths)
            vectors = self._merged(states)
        return vectors

    def _merged(self, states: Float[Tensor, "batch tokens directions hidden"]) -> Tensor:
        match self.merge:
            case "concat":
                return states.flatten(2)
            case "sum":
                return states.sum(2)
            case "mean":
                return states.mean(2)


def _initialise(layer: Recurrence, hidden_size: int) -> None:
    """Orthogonal recurrence, Glorot input weights, zero biases but 1 for an LSTM's forget gate.

    Source:
        Saxe et al. (2014); Jozefowicz et al. (2015) for the forget gate.
    """
    for name, parameter in layer.named_parameters():
        if name.startswith("weight_hh"):
            for gate in parameter.data.split(hidden_size):
                nn.init.orthogonal_(gate)
        elif name.startswith("weight_ih"):
            nn.init.xavier_uniform_(parameter)
        else:
            nn.init.zeros_(parameter)
            if isinstance(layer, nn.LSTM) and name.startswith("bias_ih"):
                parameter.data[hidden_size : 2 * hidden_size] = 1.0


def reversal(lengths: Int[Tensor, " batch"], num_tokens: int) -> Int[Tensor, "batch tokens"]:
    """For each position the one it changes places with when a row is reversed within its own length."""
    positions = torch.arange(num_tokens, device=lengths.device).unsqueeze(0)  # (1, tokens)
    mirrored = lengths.unsqueeze(1) - 1 - positions
    return torch.where(mirrored >= 0, mirrored, positions)


def _padded(layer: Recurrence, vectors: Tensor, lengths: Tensor) -> Tensor:
    """The states of each direction by passes over padded rows, rows of very unlike length in groups of their own.

    All that has to be moved (rows into groups, tokens to the front as the kernels want them, the reversal) is one
    gather before each pass and one after all of them; states at padding are copies of some token's.
    """
    batch, num_tokens, _ = vectors.shape
    first = torch.arange(0, batch * num_tokens, num_tokens).unsqueeze(1)  # (batch, 1): where each row starts
    last = first + (lengths - 1).clamp(min=0).unsqueeze(1)  # read again behind a row's end, in the place of padding
    orders = [first + torch.arange(num_tokens)]
    if layer.bidirectional:
        orders.append(first + reversal(lengths, num_tokens))
    groups = _groups(lengths, num_tokens)
    cells, states, homes = vectors.flatten(0, 1), [], []
    for direction, order in enumerate(orders):
        for rows in groups:
            places = order.index_select(0, rows)[:, : max(1, int(lengths[rows].max()))].t()  # (tokens, rows)
            read = torch.minimum(places, last.index_select(0, rows).t())
            part = cells.index_select(0, read.flatten()).view(*places.shape, -1)
            states.append(_one_direction(layer, part, "_reverse" if direction else "").flatten(0, 1))
            homes.append(places.flatten() * len(orders) + direction)
    home = torch.cat(homes)
    sources = home.new_zeros(len(cells) * len(orders)).scatter_(0, home, torch.arange(len(home)))
    return torch.cat(states).index_select(0, sources).view(batch, num_tokens, len(orders), -1)


def _groups(lengths: Tensor, num_tokens: int) -> Sequence[Tensor]:
    """The rows of a batch, longest first, in as many groups as are worth their padding."""
    batch = len(lengths)
    number = min(MAX_GROUPS, batch // MIN_ROWS)
    if number < 2 or int(lengths.sum()) > WORTHWHILE * batch * num_tokens:
        return (torch.arange(batch),)
    groups = lengths.argsort(descending=True).chunk(number)
    cells = sum(len(rows) * int(lengths[rows[0]]) for rows in groups)
    return groups if cells < WORTHWHILE * batch * num_tokens else (torch.arange(batch),)


def _one_direction(layer: Recurrence, vectors: Tensor, suffix: str) -> Tensor:
    """The states of one direction, tokens first, from its share of the layer's parameters."""
    weights = [getattr(layer, f"{name}_l0{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    initial = vectors.new_zeros(1, vectors.shape[1], layer.hidden_size)
    settings = (weights, True, 1, 0.0, layer.training, False, False)
    if isinstance(layer, nn.LSTM):
        return torch.lstm(vectors, (initial, initial), *settings)[0]
    return (torch.gru if isinstance(layer, nn.GRU) else torch.rnn_tanh)(vectors, initial, *settings)[0]


def _packed(layer: Recurrence, vectors: Tensor, lengths: Tensor) -> Tensor:
    """The states of each direction by one packed pass."""
    packed = pack_padded_sequence(vectors, lengths.cpu(), batch_first=True, enforce_sorted=False)
    states = pad_packed_sequence(layer(packed)[0], batch_first=True, total_length=vectors.shape[1])[0]
    directions: Tensor = states.unflatten(2, (-1, layer.hidden_size))
    return directions
