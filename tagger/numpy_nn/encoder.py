"""A recurrent network over the packed tokens of a batch, in one direction or both; see `nn/encoder.py`.

Three things make it fast. States are computed for tokens alone, see `packing.py`. The gates of a cell are ordered so
that those with a sigmoid lie together, and their weights are halved: sigmoid(x) = tanh(x / 2) / 2 + 1 / 2, so that one
call computes all gates. And the product of the input with its weights, half of all arithmetic, depends on the word
alone in the first layer: `products` gives it for distinct words, and a backend may keep it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.numpy_nn.packing import Ids, Packing

Merge = Literal["concat", "sum", "mean"]
Floats = NDArray[np.float32]
Weights = Mapping[str, NDArray[Any]]
Memory = tuple[Floats, ...]  # of one pass: what it keeps from token to token, and room for intermediate results
BLOCK = 1024  # tokens whose input products are computed at once: few enough to stay near the processor


class Inputs(NamedTuple):
    """What the first layer reads: the words of the tokens, each with its vector or its products.

    Args:
        ids: The word of each packed token, of shape (packed,).
        vectors: The vector of each word, of shape (types, input); None if `products` are given.
        products: The input products of each word, of shape (directions, types, gates).
        features: More numbers of each packed token, which follow the vector of its word, of shape (packed, features);
            None if there are no more.
    """

    ids: Ids
    vectors: Floats | None = None
    products: Floats | None = None
    features: Floats | None = None


class Direction(ABC):
    """One direction of a layer: the weights of a cell, and its step from token to token.

    Args:
        weights: The weights of the layer, as torch names them.
        suffix: `_reverse` for the backward direction.
    """

    def __init__(self, weights: Weights, suffix: str) -> None:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        read, recurrent, *biases = (self._arranged(weights[f"{name}_l0{suffix}"]) for name in names)
        self.weight = np.ascontiguousarray(read.T)  # (input, gates)
        self.recurrent = np.ascontiguousarray(recurrent.T)  # (hidden, gates)
        self.hidden_size, self.gates = self.recurrent.shape
        self.bias, self.recurrent_bias = self._biases(*biases)

    @abstractmethod
    def _arranged(self, weight: NDArray[Any]) -> Floats:
        """Return a weight with its gates in the order of this cell, and scaled."""

    def _biases(self, bias: Floats, recurrent: Floats) -> tuple[Floats, Floats]:
        """Return the bias that belongs to the input product, and what is left of that of the recurrence."""
        return bias + recurrent, recurrent[:0]

    def of_features(self, features: Floats) -> Floats:
        """Return what features of tokens, whose weights come last, add to the input products."""
        added: Floats = features @ self.weight[-features.shape[1] :]
        return added

    def memory(self, rows: int) -> Memory:
        """Return the memory before the first token."""
        return (np.empty((rows, self.gates), np.float32), np.zeros((rows, self.hidden_size), np.float32))

    @abstractmethod
    def step(self, gates: Floats, previous: Floats, memory: Memory, out: Floats) -> None:
        """Compute the states of the next token of some rows.

        Args:
            gates: The input products, of shape (rows, gates); they are overwritten.
            previous: The states of the token before, of the first rows; the others begin here.
            memory: The memory of the pass; it is changed.
            out: Where to write the states, of shape (rows, hidden).
        """


def _halved(parts: Sequence[NDArray[Any]], plain: NDArray[Any]) -> Floats:
    """Return the weights of gates with a sigmoid, halved, and then those of a gate with a tanh."""
    return np.concatenate([*(part * np.float32(0.5) for part in parts), plain]).astype(np.float32, copy=False)


def _opened(gates: Floats) -> Floats:
    """Turn tanh(x / 2) into sigmoid(x), in place."""
    gates *= 0.5
    gates += 0.5
    return gates


class LSTM(Direction):
    """A long short-term memory; the gates are input, forget, output and candidate."""

    def _arranged(self, weight: NDArray[Any]) -> Floats:
        into, forget, candidate, out = np.split(weight, 4)
        return _halved((into, forget, out), candidate)

    def memory(self, rows: int) -> Memory:
        """Return the memory before the first token: room, cells, room for products of cells, and 1 for each sigmoid."""
        ones = np.zeros((rows, self.gates), np.float32)
        ones[:, : 3 * self.hidden_size] = 1
        return (*super().memory(rows), np.empty((rows, self.hidden_size), np.float32), ones)

    def step(self, gates: Floats, previous: Floats, memory: Memory, out: Floats) -> None:
        """Compute the states of the next token.

        NumPy is several times as fast on whole arrays as on some of their columns. So 1 is added to tanh(x / 2) by a
        table, which leaves the candidate alone, and the halves of the sigmoids are multiplied where columns lie
        together: of the cells, and of what is read from them.
        """
        room, cells, part, ones = (array[: len(gates)] for array in memory)
        size = self.hidden_size
        if len(previous):
            gates[: len(previous)] += np.dot(previous, self.recurrent, out=room[: len(previous)])
        np.tanh(gates, out=gates)
        gates += ones
        cells *= gates[:, size : 2 * size]
        cells += np.multiply(gates[:, :size], gates[:, 3 * size :], out=part)
        cells *= 0.5
        np.tanh(cells, out=part)
        part *= 0.5
        np.multiply(part, gates[:, 2 * size : 3 * size], out=out)


class GRU(Direction):
    """A gated recurrent unit; the gates are reset, update and candidate."""

    def _arranged(self, weight: NDArray[Any]) -> Floats:
        reset, update, candidate = np.split(weight, 3)
        return _halved((reset, update), candidate)

    def _biases(self, bias: Floats, recurrent: Floats) -> tuple[Floats, Floats]:
        own = 2 * self.hidden_size  # the reset gate applies to the recurrent part of the candidate, with its bias
        return np.concatenate((bias[:own] + recurrent[:own], bias[own:])), recurrent[own:]

    def step(self, gates: Floats, previous: Floats, memory: Memory, out: Floats) -> None:
        """Compute the states of the next token."""
        room, size, known = memory[0][: len(gates)], self.hidden_size, len(previous)
        candidate, recurrent = gates[:, 2 * size :], room[:, 2 * size :]
        recurrent[known:] = 0
        if known:
            np.dot(previous, self.recurrent, out=room[:known])
            gates[:known, : 2 * size] += room[:known, : 2 * size]
        recurrent += self.recurrent_bias
        np.tanh(gates[:, : 2 * size], out=gates[:, : 2 * size])
        _opened(gates[:, : 2 * size])
        recurrent *= gates[:, :size]
        candidate += recurrent
        np.tanh(candidate, out=candidate)
        # out = (1 - update) * candidate + update * previous
        np.negative(candidate, out=out)
        out[:known] += previous
        out *= gates[:, size : 2 * size]
        out += candidate


class RNN(Direction):
    """A plain recurrence with one tanh."""

    def _arranged(self, weight: NDArray[Any]) -> Floats:
        return weight.astype(np.float32, copy=False)

    def step(self, gates: Floats, previous: Floats, memory: Memory, out: Floats) -> None:
        """Compute the states of the next token."""
        if len(previous):
            gates[: len(previous)] += np.dot(previous, self.recurrent, out=memory[0][: len(previous)])
        np.tanh(gates, out=out)


CELLS: Mapping[str, type[Direction]] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


class RecurrentEncoder:
    """The state of each token after reading its sentence.

    Args:
        weights: Those of the encoder, by their names in `nn/`.
        cell: The recurrence.
        layers: How many layers are stacked.
        bidirectional: Whether a second pass reads each sentence from its end to its start.
        merge: How to combine the states of both directions.
        stride: Steps from each token that is read to the next one.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        cell: str = "lstm",
        layers: int = 1,
        bidirectional: bool = True,
        merge: Merge = "concat",
        stride: int = 1,
    ) -> None:
        suffixes = ("", "_reverse") if bidirectional else ("",)
        self.merge = merge
        self.stride = stride
        self.layers: list[list[Direction]] = []
        for layer in range(layers):
            start = f"layers.{layer}."
            own = {name.removeprefix(start): value for name, value in weights.items() if name.startswith(start)}
            self.layers.append([CELLS[cell](own, suffix) for suffix in suffixes])
        self.forward_size = self.layers[0][0].hidden_size
        self.output_size = self.forward_size * (len(suffixes) if merge == "concat" else 1)

    def products(self, vectors: Floats) -> Floats:
        """Return the input products of the first layer for words, of shape (directions, types, gates).

        Features of tokens, whose weights come last, are left to `Inputs.features`.
        """
        first = self.layers[0]
        found = np.empty((len(first), len(vectors), first[0].gates), np.float32)
        for direction, product in zip(first, found, strict=True):
            np.dot(vectors, direction.weight[: vectors.shape[1]], out=product)
            product += direction.bias
        return found

    def __call__(self, inputs: Inputs, packing: Packing) -> Floats:
        """Return the merged states of both directions of packed tokens, of shape (packed, hidden)."""
        if self.stride == 1:
            return self._states(inputs, packing)
        fewer, kept, before = packing.every(self.stride)
        features = None if inputs.features is None else inputs.features[kept]
        read: Floats = self._states(inputs._replace(ids=inputs.ids[kept], features=features), fewer)
        return read[before]

    def _states(self, inputs: Inputs, packing: Packing) -> Floats:
        """Return the states of the tokens that are read."""
        for layer in self.layers:
            size = self.forward_size
            states = np.empty((len(inputs.ids), len(layer) * size), np.float32)
            for i, direction in enumerate(layer):
                gates = _looked_up if inputs.products is not None else _multiplied
                read = gates(direction, i, inputs, packing, backwards=i == 1)
                _pass(direction, read, packing, states[:, i * size : (i + 1) * size], backwards=i == 1)
            merged = self._merged(states)
            inputs = Inputs(np.arange(len(merged)), merged)
        return merged

    def _merged(self, states: Floats) -> Floats:
        if self.merge == "concat" or states.shape[1] == self.forward_size:
            return states
        total: Floats = states[:, : self.forward_size] + states[:, self.forward_size :]
        return total if self.merge == "sum" else total * np.float32(0.5)


def _pass(direction: Direction, read: Iterator[Floats], packing: Packing, out: Floats, *, backwards: bool) -> None:
    """Write the states of one direction of a layer.

    The token before is that of the rows that are still there at this position or, backwards, of those that were there
    at the one behind it: the first rows in both cases. The other rows begin.
    """
    if not len(out):
        return
    sizes, starts = packing.sizes.tolist(), packing.starts.tolist()
    memory, previous = direction.memory(sizes[0]), out[:0]
    for t in reversed(range(len(sizes))) if backwards else range(len(sizes)):
        states = out[starts[t] : starts[t + 1]]
        direction.step(next(read), previous[: len(states)], memory, states)
        previous = states


def _looked_up(
    direction: Direction, number: int, inputs: Inputs, packing: Packing, *, backwards: bool
) -> Iterator[Floats]:
    """Yield the input products of each position, from those of words."""
    assert inputs.products is not None
    table, starts = inputs.products[number], packing.starts.tolist()
    room = np.empty((packing.sizes.max(initial=0), direction.gates), np.float32)
    for t in reversed(range(len(starts) - 1)) if backwards else range(len(starts) - 1):
        ids = inputs.ids[starts[t] : starts[t + 1]]
        # Ids are never out of range; with "clip" NumPy writes to `out` without a copy between.
        products = np.take(table, ids, axis=0, out=room[: len(ids)], mode="clip")
        if inputs.features is not None:
            products += direction.of_features(inputs.features[starts[t] : starts[t + 1]])
        yield products


def _multiplied(
    direction: Direction, number: int, inputs: Inputs, packing: Packing, *, backwards: bool
) -> Iterator[Floats]:
    """Yield the input products of each position, computed for a block of positions at a time."""
    assert inputs.vectors is not None
    for block in _blocks(packing, backwards=backwards):
        starts = packing.starts[block[0] : block[-1] + 2] - packing.starts[block[0]]
        first = packing.starts[block[0]]
        vectors = inputs.vectors[inputs.ids[first : first + starts[-1]]]
        products = vectors @ direction.weight[: vectors.shape[1]]
        products += direction.bias
        if inputs.features is not None:
            products += direction.of_features(inputs.features[first : first + starts[-1]])
        parts = [products[start:end] for start, end in zip(starts.tolist(), starts[1:].tolist(), strict=False)]
        yield from reversed(parts) if backwards else parts


def _blocks(packing: Packing, *, backwards: bool) -> Iterator[range]:
    """Yield ranges of positions that together have about `BLOCK` tokens or are one position, in order of reading."""
    number, first, blocks = len(packing.sizes), 0, []
    while first < number:
        end = int(np.searchsorted(packing.starts, packing.starts[first] + BLOCK, side="right")) - 1
        blocks.append(range(first, max(first + 1, min(end, number))))
        first = blocks[-1].stop
    yield from reversed(blocks) if backwards else blocks
