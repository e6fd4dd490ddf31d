"""The words, tags, labels and numbers of many sentences as arrays, in memory or mapped from files.

Vocabularies, ids and counts of a whole corpus come from these arrays. A word is an index into `types`; a tag or class
is an index into the names of its layer. Texts and documents are not kept. The arrays can be saved as `.npy` files,
which a later run maps instead of reading the corpus again.
"""

import json
import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.possible_tags import with_sets
from tagger.encoding.tag_arrays import (
    COUNTED,
    MISSING,
    Int32s,
    NamedIds,
    neighbours,
    occurrences,
    smallest,
    spell,
    stretches,
)
from tagger.errors import DataError
from tagger.text.schemes import Scheme
from tagger.text.sentence import Label, Layer, Sentence, TagLayer, Values, place_of

NAMES = "names.json"
HELD = 2**20  # numbers of a growing array that are kept in memory before they are written


@dataclass(frozen=True, slots=True)
class Numbers:
    """One layer of numbers of many sentences.

    Args:
        values: The numbers; NaN where one is unknown. Of shape (tokens,), or (sentences, k) if sentences have k numbers
            as a whole.
    """

    values: NDArray[np.float32]

    @property
    def whole(self) -> bool:
        """Whether sentences have numbers as a whole."""
        return self.values.ndim == 2

    @property
    def names(self) -> list[str]:
        """The names of the numbers that a token or sentence has: `1`, `2` and so on."""
        return [str(i + 1) for i in range(self.values.shape[1] if self.whole else 1)]


@dataclass(frozen=True, slots=True)
class Packed:
    """The words and layers of many sentences.

    Args:
        types: The distinct words, in order of first occurrence.
        type_ids: Index of each token's word in `types`, of shape (tokens,).
        starts: Position of the first token of each sentence, of shape (sentences + 1,).
        layers: The layers of tags and labels by name.
        numbers: The layers of numbers by name.
    """

    types: Sequence[str]
    type_ids: Int32s
    starts: NDArray[np.int64]
    layers: Mapping[str, NamedIds]
    numbers: Mapping[str, Numbers] = field(default_factory=dict)

    def has(self, layer: str) -> bool:
        """Whether a sentence has a layer."""
        return layer in self.layers or layer in self.numbers

    def counts(self) -> "Counter[str]":
        """Return how often each word occurs."""
        return Counter(dict(zip(self.types, occurrences(self.type_ids, len(self.types)), strict=True)))

    def num_blank(self) -> int:
        """Return how many tokens have no visible character."""
        return sum(count for word, count in self.counts().items() if not word.strip())

    def select(self, rows: NDArray[np.int64]) -> "Packed":
        """Return the sentences of these rows, as if there were no others."""
        lengths = np.diff(self.starts)[rows]
        tokens = ranges(self.starts[rows], lengths)
        old = self.type_ids[tokens]
        first = first_positions(old, len(self.types))
        order = np.flatnonzero(first >= 0)
        order = order[np.argsort(first[order])]
        new = np.zeros(len(self.types), np.int32)
        new[order] = np.arange(len(order))
        layers = {
            name: replace(layer, ids=layer.ids[rows if layer.is_label else tokens])
            for name, layer in self.layers.items()
        }
        numbers = {name: Numbers(layer.values[rows if layer.whole else tokens]) for name, layer in self.numbers.items()}
        return Packed([self.types[i] for i in order.tolist()], new[old], _starts(lengths), layers, numbers)

    def telling_rows(self) -> list[int]:
        """Return rows that together have every layer, every class and every pair of neighbouring tags."""
        rows: set[int] = set()
        for numbers in self.numbers.values():
            known = np.flatnonzero(~np.isnan(numbers.values if numbers.whole else numbers.values[:, None]).all(1))[:1]
            rows.update((known if numbers.whole else self.rows_of(known)).tolist())
        for layer in self.layers.values():
            if layer.is_label:
                found = first_positions(layer.ids, len(layer.names) + 1)  # the last one is of -1
                rows.update(found[found >= 0].tolist())
                continue
            size = len(layer.names) + 2  # one more id for tokens without a tag, and one for the edge of the sentence
            seen = np.zeros(size * size, bool)
            for tokens, starts in stretches(self.starts):
                own = layer.ids[tokens].astype(np.int64)
                before, after = neighbours(own, starts, edge=size - 2)
                for pairs in ((before + 1) * size + own + 1, (own + 1) * size + after + 1):
                    found = first_positions(pairs, size * size)
                    new = (found >= 0) & ~seen
                    rows.update(self.rows_of(found[new] + tokens.start).tolist())
                    seen |= new
        return sorted(rows)

    def rows_of(self, tokens: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which sentence each of these tokens is in."""
        return np.searchsorted(self.starts, tokens, side="right") - 1

    def targets(
        self, layer: str, index: Mapping[str, int], scheme: Scheme | None
    ) -> tuple[Int32s, NDArray[np.bool_] | None]:
        """Return the id by `index` of each tag or class of a layer, with spans written in `scheme`.

        Where a tag is not fully known, the id is that of a set of possible tags. The second value then is the table of
        sets (see `with_sets`), otherwise None.
        """
        if (found := self.layers.get(layer)) is None:
            return np.full(len(self.type_ids), MISSING, np.int32), None
        if found.scheme is not None and scheme is not None and found.scheme != scheme:
            ids = spell(found, self.starts, index, scheme)[0]
        else:
            present = found.counts()
            table = [index[name] if name in present else MISSING for name in found.names]
            ids = np.array([*table, MISSING], smallest(len(index)))[found.ids]
        return (ids, None) if found.is_label else with_sets(found, ids, self.starts, index, scheme)

    def with_schemes(self, schemes: Mapping[str, Scheme | None]) -> "Packed":
        """Return the same sentences with their tag layers declared to be in these schemes."""
        layers = {name: replace(layer, scheme=schemes.get(name)) for name, layer in self.layers.items()}
        return replace(self, layers=layers)

    def save(self, folder: Path) -> None:
        """Write the arrays to a folder, which must exist."""
        np.save(folder / "type_ids.npy", self.type_ids)
        np.save(folder / "starts.npy", self.starts)
        for i, layer in enumerate(self.layers.values()):
            np.save(folder / f"layer{i}.npy", layer.ids)
        for i, numbers in enumerate(self.numbers.values()):
            np.save(folder / f"numbers{i}.npy", numbers.values)
        layers = [[name, list(layer.names), layer.is_label] for name, layer in self.layers.items()]
        text = json.dumps({"types": list(self.types), "layers": layers, "numbers": list(self.numbers)})
        (folder / NAMES).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Packed":
        """Return the sentences in a folder, with arrays that are mapped instead of read."""
        kept = json.loads((folder / NAMES).read_text(encoding="utf-8"))

        def mapped(name: str) -> Any:
            return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)

        layers = {
            name: NamedIds(names, mapped(f"layer{i}"), is_label)
            for i, (name, names, is_label) in enumerate(kept["layers"])
        }
        numbers = {name: Numbers(mapped(f"numbers{i}")) for i, name in enumerate(kept["numbers"])}
        return cls(kept["types"], mapped("type_ids"), mapped("starts"), layers, numbers)


class Growing:
    """An array that grows at its end.

    Args:
        code: `i` for int32, `f` for float32.
        path: A new file for the numbers; default: they stay in memory.
    """

    def __init__(self, code: Literal["i", "f"], path: Path | None = None) -> None:
        self._held: array[Any] = array(code)
        self._written = 0
        self._path = path

    def __len__(self) -> int:
        return self._written + len(self._held)

    def extend(self, values: Iterable[float]) -> None:
        """Add numbers at the end.

        Raises:
            OSError: The file cannot be written.
        """
        self._held.extend(values)
        if len(self._held) >= HELD:
            self._write()

    def fill(self, value: float, count: int) -> None:
        """Add one number several times; see `extend`."""
        for start in range(0, count, HELD):
            self.extend([value] * min(HELD, count - start))

    def array(self) -> NDArray[Any]:
        """Return the numbers, mapped if they are in a file; the array must not grow after that. See `extend`."""
        self._write()
        kind = np.dtype(self._held.typecode)
        if self._path is not None and self._written:
            return np.memmap(self._path, kind, mode="r")
        return np.frombuffer(self._held, kind) if len(self._held) else np.zeros(0, kind)

    def _write(self) -> None:
        if self._path is not None:
            with self._path.open("ab") as file:
                self._held.tofile(file)
            self._written += len(self._held)
            del self._held[:]


def _check_kind(name: str, found: Layer, kind: type[Layer]) -> None:
    """Refuse a layer of another kind than in the sentences before.

    Raises:
        DataError: It is.
    """
    if type(found) is not kind:
        raise DataError(
            f"layer `{name}` must have tags in all sentences, labels in all or numbers in all, got several; "
            "use one layer for each"
        )


class _Numbers:
    """A layer of numbers that is being packed."""

    def __init__(self, name: str, first: Values, *, tokens: int, sentences: int, path: Path | None) -> None:
        self.name, self.whole = name, first.whole
        self.width = len(first.values) if first.whole else 1
        self.values = Growing("f", path)
        self.values.fill(math.nan, self.width * sentences if first.whole else tokens)

    def add(self, sentence: Sentence) -> None:
        """Add the layer of one sentence.

        Raises:
            DataError: It is of another kind or has another number of numbers than the first one.
        """
        found = sentence.layers.get(self.name)
        size = self.width if self.whole else len(sentence)
        if found is None:
            self.values.extend([math.nan] * size)
            return
        _check_kind(self.name, found, Values)
        assert isinstance(found, Values)
        if found.whole != self.whole or len(found.values) != size:
            told = (
                f"{size} for each whole sentence, as in the first one"
                if self.whole
                else f"one per token, {size} in all"
            )
            raise DataError(
                f"{place_of(sentence)}: layer `{self.name}` must have numbers, {told}, got {len(found.values)}"
                f"{' for the whole sentence' if found.whole else ''}; fix it"
            )
        self.values.extend([math.nan if value is None else value for value in found.values])

    def numbers(self) -> Numbers:
        """Return the layer."""
        values = self.values.array()
        return Numbers(values.reshape(-1, self.width) if self.whole else values)


class _Layer:
    """A layer of tags or labels that is being packed, in the scheme of its first sentence."""

    def __init__(self, name: str, first: TagLayer | Label, *, missing: int, path: Path | None) -> None:
        self.name = name
        self.kind = type(first)
        self.scheme = first.scheme if isinstance(first, TagLayer) else None
        self.index: dict[Any, int] = {}  # by name; or by name and types, where other types are unknown
        self.ids = Growing("i", path)
        self.ids.fill(MISSING, missing)

    def add(self, sentence: Sentence) -> None:
        """Add the layer of one sentence.

        Raises:
            DataError: The layer has tags in one sentence and a label in another.
        """
        found, index = sentence.layers.get(self.name), self.index
        if found is None:
            self.ids.extend([MISSING] * (1 if self.kind is Label else len(sentence)))
        else:
            _check_kind(self.name, found, self.kind)
            assert not isinstance(found, Values)
            values = sentence.tags(self.name, scheme=self.scheme) if isinstance(found, TagLayer) else (found.value,)
            partly = found.types is not None  # then `O`, or a class, only says that there is no other of these types
            open_values = {"O"} if isinstance(found, TagLayer) else {*values}
            keys = [(value, found.types) if partly and value in open_values else value for value in values]
            self.ids.extend([MISSING if key is None else index.setdefault(key, len(index)) for key in keys])

    def named_ids(self) -> NamedIds:
        """Return the layer."""
        names = [key if isinstance(key, str) else key[0] for key in self.index]
        annotated = {i: key[1] for i, key in enumerate(self.index) if not isinstance(key, str)}
        return NamedIds(names, self.ids.array(), self.kind is Label, self.scheme, annotated)


def pack(sentences: Iterable[Sentence], layers: Collection[str] | None = None, *, room: Path | None = None) -> Packed:
    """Return the arrays of sentences, which are taken one at a time.

    Args:
        sentences: The sentences; tags in several schemes are converted to the first one of their layer.
        layers: The layers to pack; default: all.
        room: An empty folder for the arrays, which are then mapped; default: they are in memory.

    Raises:
        DataError: A layer is of several kinds, or has more numbers in one sentence than in another.
        OSError: The folder cannot be written.
    """
    types: defaultdict[str, int] = defaultdict()
    types.default_factory = types.__len__  # the index of a new word is the number of words before it

    def path(name: str) -> Path | None:
        return None if room is None else room / name

    type_ids, lengths = Growing("i", path("words")), Growing("i", path("lengths"))
    made: dict[str, _Layer | _Numbers] = {}
    for sentence in sentences:
        for name, value in sentence.layers.items():
            if name not in made and (layers is None or name in layers):
                place = path(f"layer{len(made)}")
                made[name] = _new_layer(name, value, tokens=len(type_ids), sentences=len(lengths), path=place)
        for layer in made.values():
            layer.add(sentence)
        type_ids.extend(map(types.__getitem__, sentence.tokens))
        lengths.extend((len(sentence),))
    packed = {name: layer.named_ids() for name, layer in made.items() if isinstance(layer, _Layer)}
    numbers = {name: layer.numbers() for name, layer in made.items() if isinstance(layer, _Numbers)}
    return Packed(list(types), type_ids.array(), _starts(lengths.array()), packed, numbers)


def _new_layer(name: str, first: Layer, *, tokens: int, sentences: int, path: Path | None) -> "_Layer | _Numbers":
    """Return a layer to be packed that so many sentences with so many tokens lack."""
    if isinstance(first, Values):
        return _Numbers(name, first, tokens=tokens, sentences=sentences, path=path)
    return _Layer(name, first, missing=sentences if isinstance(first, Label) else tokens, path=path)


def _starts(lengths: NDArray[Any]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def ranges(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of several half-open ranges, one range after the other."""
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + lengths, lengths)


def first_positions(ids: NDArray[Any], size: int) -> NDArray[np.int64]:
    """Return the position of the first occurrence of each id below `size`; -1 for ids that do not occur."""
    first = np.full(size, -1, np.int64)
    for end in range(len(ids), 0, -COUNTED):  # from the last part to the first one, in little memory
        start = max(0, end - COUNTED)
        first[ids[start:end][::-1]] = np.arange(start, end)[::-1]  # numpy keeps the last value assigned to an index
    return first
