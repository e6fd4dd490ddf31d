"""A recurrent network over the tokens of a batch, in one direction or both.

On a CPU each direction is a separate pass over the padded batch, the backward one over rows that are reversed within
their own length: torch's fast kernels need dense input. On a GPU it is one packed pass. Both use the parameters of the
same `nn.LSTM`, `nn.GRU` or `nn.RNN` and give the same states.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tagger.extensions import Cell, find, must_be
from tagger.nn.dropout import Dropout
from tagger.nn.own_cell import OwnLayer
from tagger.nn.side_by_side import side_by_side

Merge = Literal["concat", "sum", "mean"]
Recurrence = nn.LSTM | nn.GRU | nn.RNN
MAX_GROUPS, MIN_ROWS = 6, 16  # each group rearranges the weights again, and few rows do not fill the processor
BLOCK = 4096  # tokens of a row that run at once where no gradient is needed: the gates of all would take much memory
WORTHWHILE = 0.9  # share of the padded cells below which grouping saves more time than its copies take
CELLS: dict[str, type[nn.LSTM] | type[nn.GRU] | type[nn.RNN]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class RecurrentEncoder(nn.Module):
    """The state of each token after reading its sentence.

    Args:
        input_size: Width of a token's vector.
        hidden_size: Width of one direction's state.
        cell: The recurrence: `lstm`, `gru`, `rnn` or the name of an extension.
        layers: How many layers are stacked.
        bidirectional: Whether a second pass reads each sentence from its end to its start.
        merge: How to combine the states of both directions: concatenate, sum or average them.
        dropout: Probability with which a feature is dropped between layers.
        stride: Steps from each token that is read to the next one. Tokens between have the state of the one before.

    Attributes:
        precision: Data type in which the recurrences of the library compute while a network is trained. Parameters,
            their gradients and the states keep that of the parameters. None: computation has it too.
        helper: A thread that runs the second direction beside the first while a network is trained on a CPU. None runs
            one after the other. States and gradients are the same bits either way.

    Source:
        Schuster and Paliwal (1997); dropout between layers only, as in Zaremba et al. (2014).
        Compared with a packed bidirectional layer in tests/nn/test_encoder.py.
    """

    def __init__(
        self,
        *,
        input_size: int,
        hidden_size: int,
        cell: str = "lstm",
        layers: int = 1,
        bidirectional: bool = True,
        merge: Merge = "concat",
        dropout: float = 0.0,
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.merge = merge
        self.stride = stride
        self.precision: torch.dtype | None = None
        self.helper: Executor | None = None
        directions = 2 if bidirectional else 1
        self.output_size = hidden_size * (directions if merge == "concat" else 1)
        self.input_size, self.forward_size = input_size, hidden_size
        sizes = [input_size] + [self.output_size] * (layers - 1)
        stack = [_new_layer(cell, size, hidden_size, bidirectional) for size in sizes]
        self.layers: Iterable[Recurrence | OwnLayer] = nn.ModuleList(stack)  # type: ignore[assignment]
        self.dropout = Dropout(dropout)
        for layer in self.layers:
            if not isinstance(layer, OwnLayer):
                _initialise(layer, hidden_size)

    @property
    def dtype(self) -> torch.dtype:
        """The data type of the parameters, which the input must have."""
        return next(self.parameters()).dtype

    def forward(
        self, vectors: Float[Tensor, "batch tokens input"], mask: Bool[Tensor, "batch tokens"]
    ) -> Float[Tensor, "batch tokens hidden"]:
        """Return the merged states of both directions; values at padding are unspecified.

        Raises:
            ValueError: The vectors have another width, with which the kernels of torch would read foreign memory.
        """
        if vectors.shape[2] != self.input_size:
            raise ValueError(f"vectors must have {self.input_size} numbers per token, got {vectors.shape[2]}")
        if self.stride == 1:
            return self._states(vectors, mask)
        states = self._states(vectors[:, :: self.stride], mask[:, :: self.stride])
        return states.repeat_interleave(self.stride, 1)[:, : mask.shape[1]]

    def _states(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """Return the states of the tokens that are read."""
        if mask.numel() == 0:
            return vectors.new_zeros(*mask.shape, self.output_size)
        lengths, given = mask.sum(1), vectors.dtype
        computed = given if self.precision is None or not self.training else self.precision
        for i, layer in enumerate(self.layers):
            read = self.dropout(vectors) if i else vectors
            if isinstance(layer, OwnLayer):
                states = layer(read, reversal(lengths, mask.shape[1]))
            elif read.is_cuda:
                with torch.autocast("cuda", computed, enabled=computed != given):
                    states = _packed(layer, read, lengths)
            elif mask.shape[1] > BLOCK and not torch.is_grad_enabled():
                states = _in_blocks(layer, read, lengths)
            else:
                states = _padded(layer, read.to(computed), lengths, self.helper)
            vectors = self._merged(states.to(given))
        return vectors

    def _merged(self, states: Float[Tensor, "batch tokens directions hidden"]) -> Tensor:
        match self.merge:
            case "concat":
                return states.flatten(2)
            case "sum":
                return states.sum(2)
            case "mean":
                return states.mean(2)


def _new_layer(cell: str, input_size: int, hidden_size: int, bidirectional: bool) -> Recurrence | OwnLayer:
    """Return a layer with fresh weights."""
    if cell in CELLS:
        return CELLS[cell](input_size, hidden_size, batch_first=True, bidirectional=bidirectional)
    own = find(Cell, cell)
    if own is None:
        raise ValueError(f"cell {must_be(Cell, cell)}")
    return OwnLayer(own, input_size, hidden_size, bidirectional=bidirectional)


def _initialise(layer: Recurrence, hidden_size: int) -> None:
    """Set orthogonal recurrent weights, Glorot input weights and zero biases, but 1 for the forget gate of an LSTM.

    An open forget gate keeps the memory of an untrained LSTM, so that gradients reach tokens far away.

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
    """Return for each position the one that it changes places with when a row is reversed within its own length."""
    positions = torch.arange(num_tokens, device=lengths.device).unsqueeze(0)  # (1, tokens)
    mirrored = lengths.unsqueeze(1) - 1 - positions
    return torch.where(mirrored >= 0, mirrored, positions)


def _padded(layer: Recurrence, vectors: Tensor, lengths: Tensor, helper: Executor | None) -> Tensor:
    """Return the states of each direction, (batch, tokens, directions, hidden), by passes over padded rows.

    Rows of very different lengths run in groups. All rearrangements (rows into groups, tokens as the first dimension
    for the kernels, the reversal) are one gather before each pass and one after the last. Without this they would be
    several copies of the whole batch. States at padding are copies of the state of some token.
    """
    batch, num_tokens, _ = vectors.shape
    first = torch.arange(0, batch * num_tokens, num_tokens).unsqueeze(1)  # (batch, 1): where each row starts
    # Padding reads the last token of its row: finite values, whatever is in the padding of `vectors`.
    last = first + (lengths - 1).clamp(min=0).unsqueeze(1)
    orders = [first + torch.arange(num_tokens)]
    if layer.bidirectional:
        orders.append(first + reversal(lengths, num_tokens))
    groups = _groups(lengths, num_tokens)
    cells, inputs, targets = vectors.flatten(0, 1), [], []  # a cell is one position of one row
    for direction, order in enumerate(orders):
        parts = []
        for rows in groups:
            places = order.index_select(0, rows)[:, : max(1, int(lengths[rows].max()))].t()  # (tokens, rows)
            read = torch.minimum(places, last.index_select(0, rows).t())
            parts.append(cells.index_select(0, read.flatten()).view(*places.shape, -1))
            targets.append(places.flatten() * len(orders) + direction)
        weights = _weights(layer, "_reverse" if direction else "")
        inputs.append([*parts, *(weight.to(vectors.dtype) for weight in weights)])
    run = partial(_one_direction, layer)
    if helper is not None and len(inputs) == 2 and torch.is_grad_enabled():
        states = side_by_side(run, *inputs, helper=helper)
    else:
        states = [state for direction in inputs for state in run(direction)]
    # `target` says where each computed state belongs; its inverse, `sources`, where each cell finds its state. Cells
    # that no group has computed keep source 0; they are padding.
    target = torch.cat(targets)
    sources = target.new_zeros(len(cells) * len(orders)).scatter_(0, target, torch.arange(len(target)))
    found = torch.cat([state.flatten(0, 1) for state in states]).index_select(0, sources)
    return found.view(batch, num_tokens, len(orders), -1)


def _groups(lengths: Tensor, num_tokens: int) -> Sequence[Tensor]:
    """Return the rows of a batch in groups, longest first; one group where more would not pay."""
    batch = len(lengths)
    number = min(MAX_GROUPS, batch // MIN_ROWS)
    if number < 2 or int(lengths.sum()) > WORTHWHILE * batch * num_tokens:
        return (torch.arange(batch),)
    groups = lengths.argsort(descending=True).chunk(number)
    cells = sum(len(rows) * int(lengths[rows[0]]) for rows in groups)
    return groups if cells < WORTHWHILE * batch * num_tokens else (torch.arange(batch),)


def _in_blocks(layer: Recurrence, vectors: Tensor, lengths: Tensor) -> Tensor:
    """Return the same as `_padded`, row by row and block by block, in little memory beside the states."""
    directions = 2 if layer.bidirectional else 1
    states = vectors.new_zeros(*vectors.shape[:2], directions, layer.hidden_size)
    for row, length in enumerate(lengths.tolist()):
        for direction in range(directions):
            weights = _weights(layer, "_reverse" if direction else "")
            order = torch.arange(length).flip(0) if direction else torch.arange(length)
            state = None
            for places in order.split(BLOCK):
                block, state = _run(layer, vectors[row, places].unsqueeze(1), weights, state)
                states[row, places, direction] = block.squeeze(1)
    return states


def _weights(layer: Recurrence, suffix: str) -> list[Tensor]:
    """Return the parameters of one direction."""
    return [getattr(layer, f"{name}_l0{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


def _one_direction(layer: Recurrence, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Return the states of one direction for each group of rows, (tokens, rows, hidden).

    Args:
        layer: Says which recurrence it is.
        inputs: The vectors of each group, then the four parameters of the direction.
    """
    return [_run(layer, vectors, inputs[-4:])[0] for vectors in inputs[:-4]]


def _run(
    layer: Recurrence, vectors: Tensor, weights: Sequence[Tensor], state: tuple[Tensor, ...] | None = None
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Return the states, (tokens, rows, hidden), and the last one, which for an LSTM has two parts.

    Args:
        layer: Says which recurrence it is.
        vectors: Its input, (tokens, rows, input), in the order of reading.
        weights: The four parameters of a direction.
        state: The state before the first token; default: zeros.
    """
    initial = vectors.new_zeros(1, vectors.shape[1], layer.hidden_size)
    # has_biases, num_layers, dropout, train, bidirectional and batch_first after the weights.
    settings = (list(weights), True, 1, 0.0, layer.training, False, False)
    if isinstance(layer, nn.LSTM):
        states, *last = torch.lstm(vectors, state or (initial, initial), *settings)
    else:
        run = torch.gru if isinstance(layer, nn.GRU) else torch.rnn_tanh
        states, *last = run(vectors, state[0] if state else initial, *settings)
    return states, tuple(last)


def _packed(layer: Recurrence, vectors: Tensor, lengths: Tensor) -> Tensor:
    """Return the states of each direction, (batch, tokens, directions, hidden), by one packed pass."""
    packed = pack_padded_sequence(vectors, lengths.cpu(), batch_first=True, enforce_sorted=False)
    states = pad_packed_sequence(layer(packed)[0], batch_first=True, total_length=vectors.shape[1])[0]
    directions: Tensor = states.unflatten(2, (-1, layer.hidden_size))
    return directions
