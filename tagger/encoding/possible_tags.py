"""Gold tags that are not fully known, as sets of possible tags.

A set has an id, like a tag. So the gold tags of a corpus remain an array of integers, and only a batch that has such
tags becomes a table of booleans.
"""

from collections.abc import Mapping
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.tag_arrays import MISSING, Int32s, NamedIds, neighbours, stretches
from tagger.text.gaps import spellings
from tagger.text.schemes import Scheme, split_tag

Sets = NDArray[np.bool_]


def with_sets(
    layer: NamedIds, ids: Int32s, starts: NDArray[np.int64], index: Mapping[str, int], scheme: Scheme | None
) -> tuple[Int32s, Sets | None]:
    """Return gold ids in which tags that are not fully known have the id of a set, and the table of sets.

    A tag is not fully known in three cases: it is unknown, and another one of its sentence is not; it is an `O` that
    only means the absence of some entity types; or it is beside an unknown tag, and how it is written in the scheme of
    the head depends on that one.

    Args:
        layer: The gold tags.
        ids: Their ids by `index`, converted as if unknown tags were `O`.
        starts: Position of the first token of each sentence.
        index: The id of each tag of the head.
        scheme: The scheme of the head.

    Returns:
        The ids, and which tags are in each set, of shape (sets + 1, tags). The first rows are sets of one tag each, in
        the order of the ids; the last one is empty, for the id -1. None if all tags are fully known.
    """
    missing = layer.ids == MISSING
    unknown = _beside_known(missing, starts) if missing.any() else missing
    if not (layer.annotated or unknown.any()):
        return ids, None
    sets = _Sets(index)
    out = ids.astype(np.int32)  # a copy, with room for the ids of sets
    for own, types in layer.annotated.items():
        others = [tag for tag in index if (found := split_tag(tag)[1]) and found not in types]
        out[layer.ids == own] = sets.id_of(["O", *others])
    if unknown.any():
        out[unknown] = sets.id_of(index)
        if layer.scheme is not None and scheme is not None and layer.scheme != scheme:
            _spell_beside(layer, out, unknown, starts, sets, (layer.scheme, scheme))
    return out, sets.table() if len(sets.rows) > len(index) else None


def _beside_known(missing: NDArray[np.bool_], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which missing tags are in a sentence that has other tags."""
    unknown = np.zeros(len(missing), bool)
    for tokens, places in stretches(starts):
        row_of, gone = np.repeat(np.arange(len(places) - 1), np.diff(places)), missing[tokens]
        has_tags = np.zeros(len(places) - 1, bool)
        has_tags[row_of[~gone]] = True
        unknown[tokens] = gone & has_tags[row_of]
    return unknown


class _Sets:
    """Sets of tags with an id each; that of a set of one tag is the id of the tag."""

    def __init__(self, index: Mapping[str, int]) -> None:
        self.index = index
        self.rows = {frozenset([i]): i for i in range(len(index))}

    def id_of(self, tags: "Mapping[str, int] | list[str] | tuple[str, ...]") -> int:
        """Return the id of a set; tags that the head does not have are ignored."""
        return self.rows.setdefault(frozenset(self.index[tag] for tag in tags if tag in self.index), len(self.rows))

    def table(self) -> Sets:
        """Return which tags are in each set, with an empty one at the end."""
        table = np.zeros((len(self.rows) + 1, len(self.index)), bool)
        pairs = ((row, tag) for tags, row in self.rows.items() for tag in tags)
        places = np.fromiter(chain.from_iterable(pairs), np.int64).reshape(-1, 2)
        table[places[:, 0], places[:, 1]] = True
        return table


def _spell_beside(
    layer: NamedIds,
    out: Int32s,
    unknown: NDArray[np.bool_],
    starts: NDArray[np.int64],
    sets: _Sets,
    schemes: tuple[Scheme, Scheme],
) -> None:
    """Replace the ids of the tags beside unknown ones by those of the sets of their possible spellings."""
    edge = len(layer.names)
    before, after = neighbours(layer.ids, starts, edge)
    places = np.flatnonzero(~unknown & ((before == MISSING) | (after == MISSING)))
    found, which = np.unique(np.stack([before, layer.ids, after])[:, places], axis=1, return_inverse=True)
    names: list[str | None] = [*layer.names, "O", None]  # the edge of the sentence, then the unknown tag
    new = []
    for left, own, right in found.T.tolist():
        tag = names[own]
        known = tag is not None and split_tag(tag)[1]
        new.append(sets.id_of(spellings(names[left], tag, names[right], *schemes)) if tag and known else MISSING)
    ids = np.array(new, np.int32)[which.reshape(-1)]
    changed = ids != MISSING
    out[places[changed]] = ids[changed]
