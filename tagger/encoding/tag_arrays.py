"""The tags or labels of many sentences as one array: find invalid tags, and rewrite entities in another scheme.

Entities are read by conlleval's rule, which gives the entities of the scheme for valid tags of any scheme. Arrays are
processed in parts of `STRETCH` sentences, so that little memory is needed beside the result.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagger.text.schemes import CLOSING, STARTING, Scheme, legal_transitions, span_types, split_tag, tags_of_types

Int32s = NDArray[np.int32]
MISSING = -1
STRETCH = 2**15  # sentences that are processed at once
COUNTED = 2**20  # ids that are counted at once
LETTERS = {"iob1": "BI", "iob2": "BIIB", "bioes": "BIES", "bilou": "BILU"}  # begin, inside, end, alone


@dataclass(frozen=True, slots=True)
class NamedIds:
    """One layer of many sentences.

    Args:
        names: The names of its tags or classes.
        ids: Which of them each token or sentence has; -1 where it has none or it is unknown.
        is_label: Whether it has one value per sentence instead of one per token.
        scheme: How spans are written in the tags; None where tags have no spans.
        annotated: For each id of an `O` that only means the absence of some entity types, or of a class that was chosen
            from some classes: these types or classes.
    """

    names: Sequence[str]
    ids: Int32s
    is_label: bool
    scheme: Scheme | None = None
    annotated: Mapping[int, Sequence[str]] = field(default_factory=dict)

    def counts(self) -> "Counter[str]":
        """Return how often each name occurs; names that do not occur are not in it."""
        counts = occurrences(self.ids, len(self.names))
        found: Counter[str] = Counter()
        for name, count in zip(self.names, counts, strict=True):  # the name `O` may have several ids
            found[name] += count
        return +found

    def choices(self, index: Mapping[str, int]) -> NDArray[np.float32]:
        """Return, for each sentence and class by `index`, 1 for its label, 0 for another class, and -1 for a class that
        is not annotated, of shape (sentences, classes); 0 for a sentence without a label."""
        table = np.zeros((len(self.names) + 1, len(index)), np.float32)
        for i, name in enumerate(self.names):
            if i in self.annotated:
                table[i] = [0 if other in self.annotated[i] else -1 for other in index]
            if name in index:
                table[i, index[name]] = 1
        return table[self.ids]

    def having(self, names: Collection[str]) -> NDArray[np.bool_]:
        """Return where one of these names occurs, of the shape of `ids`."""
        return np.array([*(name in names for name in self.names), False])[self.ids]

    def renamed(self, rename: Mapping[str, str]) -> "NamedIds":
        """Return the layer with other names; equal new names become one name."""
        new = {rename.get(name, name): 0 for name in self.names}
        index = {name: i for i, name in enumerate(new)}
        table = np.array([*(index[rename.get(name, name)] for name in self.names), MISSING], np.int32)
        return replace(self, names=list(new), ids=table[self.ids])


def neighbours(values: NDArray[Any], starts: NDArray[np.int64], edge: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the values before and after each token in its sentence; `edge` where the sentence begins or ends."""
    before, after = np.roll(values, 1), np.roll(values, -1)
    filled = np.flatnonzero(np.diff(starts))
    before[starts[filled]] = edge
    after[starts[filled + 1] - 1] = edge
    return before, after


def smallest(size: int) -> np.dtype[Any]:
    """Return the smallest type for ids below `size`, -1, and `size` itself, which marks the edge of a sentence."""
    return np.min_scalar_type(-(size + 1))


def occurrences(ids: Int32s, size: int) -> list[int]:
    """Return how often each id below `size` occurs; -1 is not counted."""
    counts = np.zeros(size + 1, np.int64)
    for first in range(0, len(ids), COUNTED):  # `bincount` makes a copy that is twice as large as the ids
        counts += np.bincount(ids[first : first + COUNTED] + 1, minlength=size + 1)
    found: list[int] = counts[1:].tolist()
    return found


def stretches(starts: NDArray[np.int64]) -> Iterator[tuple[slice, NDArray[np.int64]]]:
    """Yield the tokens of parts of the sentences, and where each sentence of a part starts among them."""
    for first in range(0, len(starts) - 1, STRETCH):
        part = starts[first : first + STRETCH + 1]
        yield slice(int(part[0]), int(part[-1])), part - part[0]


def invalid_tokens(layer: NamedIds, starts: NDArray[np.int64], scheme: Scheme) -> NDArray[np.int64]:
    """Return the positions of tags that are invalid in a scheme, in order.

    Source:
        Equal to the `invalid_positions` of each sentence; compared in tests/encoding/test_tag_arrays.py.
    """
    edge = len(layer.names)
    legal = np.ones((edge + 2, edge + 2), bool)  # (from, to); the last row and column are for tokens without a tag
    table, first, last = legal_transitions(layer.names, scheme)
    legal[:edge, :edge] = np.array(table, bool).reshape(edge, edge)
    legal[edge, :edge], legal[:edge, edge] = first, last
    found = [np.empty(0, np.int64)]
    for tokens, places in stretches(starts):
        ids = layer.ids[tokens]
        before, after = neighbours(ids, places, edge)
        wrong = ~legal[before, ids] | (~legal[ids, after] & (after == edge))
        found.append(np.flatnonzero(wrong) + tokens.start)
    return np.concatenate(found)


def respelled(
    layer: NamedIds, starts: NDArray[np.int64], scheme: Scheme, rename: Mapping[str, str | None]
) -> tuple[NamedIds, "Counter[str]"]:
    """Return a layer of entities in a scheme and with other types, and how often each old type occurs.

    Args:
        layer: The tags.
        starts: Position of the first token of each sentence.
        scheme: The scheme of the result.
        rename: The new type of each type that changes; None drops the type.
    """
    types = {rename.get(entity_type, entity_type) for entity_type in span_types(layer.counts())}
    names = tags_of_types(sorted(filter(None, types)), scheme)
    ids, counts = spell(layer, starts, {name: i for i, name in enumerate(names)}, scheme, rename)
    return NamedIds(names, ids, is_label=False, scheme=scheme), counts


def spell(
    layer: NamedIds,
    starts: NDArray[np.int64],
    index: Mapping[str, int],
    target: Scheme,
    rename: Mapping[str, str | None] | None = None,
) -> tuple[Int32s, "Counter[str]"]:
    """Return the ids by `index` of the tags of a scheme for the entities of a layer; see `respelled`.

    Source:
        Equal to `repair_tags` and `convert_tags` sentence by sentence; compared in tests/encoding/test_tag_arrays.py.
    """
    prefixes, types = zip(*map(split_tag, [*layer.names, "O"]), strict=True)  # the last is for tokens without a tag
    old_types, rename = span_types(layer.counts()), rename or {}
    renamed = [rename.get(entity_type, entity_type) for entity_type in old_types]
    new_types = sorted(set(filter(None, renamed)))
    old_type_of = np.array([old_types.index(t) if t in old_types else -1 for t in types])  # -1 for `O`
    new_type_of = np.array([*(new_types.index(t) if t else -1 for t in renamed), -1])  # -1 also for dropped types
    opens = np.array([prefix != "" and prefix in STARTING for prefix in prefixes])
    closes = np.array([prefix != "" and prefix in CLOSING for prefix in prefixes])
    written = np.array([[index[f"{letter}-{t}"] for t in new_types] for letter in LETTERS[target]], np.int32)
    ids = np.empty(len(layer.ids), smallest(len(index)))
    counts = np.zeros(len(old_types), np.int64)
    for tokens, places in stretches(starts):
        old = layer.ids[tokens]
        kinds = old_type_of[old]
        kind_before, _ = neighbours(kinds, places, -1)
        closed, _ = neighbours(closes[old], places, edge=False)
        begins = (kinds >= 0) & (opens[old] | closed | (kind_before != kinds))
        counts += np.bincount(kinds[begins], minlength=len(old_types))
        kinds = new_type_of[kinds]
        inside = kinds >= 0
        begins &= inside
        if target == "iob1":  # only an entity after another of its type has a tag of its own
            kind_before, _ = neighbours(kinds, places, -1)
            place = np.where(begins & (kind_before == kinds), 0, 1)
        else:
            _, goes_on = neighbours(inside & ~begins, places, edge=False)
            place = np.where(begins, np.where(goes_on, 0, 3), np.where(goes_on, 1, 2))  # begin, inside, end, alone
        part = np.where(old == MISSING, MISSING, index["O"]).astype(ids.dtype)
        part[inside] = written[place[inside], kinds[inside]]
        ids[tokens] = part
    return ids, Counter({t: count for t, count in zip(old_types, counts.tolist(), strict=True) if count})
