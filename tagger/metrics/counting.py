"""Find and count the entities in the tags of whole corpora, with the tables of the scheme.

Which tags begin, continue and end an entity depends only on two neighbouring tags. So all pairs of neighbours are
looked up at once, which is much faster than reading sentence by sentence. What is computed from the entities is left to
`entities.py` and `readings.py`.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.text.schemes import (
    RULES,
    Scheme,
    goes_on,
    legal_transitions,
    span_tables,
    span_types,
    split_tag,
    tags_of_types,
)

Rule = Literal["strict", "discarded", "repaired"]
Bools = NDArray[np.bool_]

OUTSIDE, EDGE = -1, -2  # the type of `O`, and of the edge between two sentences
ANY_TWO = ("X", "Y")  # rules depend on whether two types are equal, so tables of two types serve for all


class PairTables(NamedTuple):
    """What two neighbouring tags mean, each `[left][right]` over `tags_of_types(ANY_TWO)` and the edge."""

    begins: Bools  # an entity begins with the right tag
    continues: Bools  # the entity of the left tag continues in the right tag
    closes: Bools  # an entity may end with the left tag
    illegal: Bools  # the right tag may not follow the left tag


@dataclass(frozen=True, slots=True)
class PackedTags:
    """The tags of many sentences in a row, with an edge before, between and after the sentences.

    Args:
        scheme: How entities are written in the tags.
        names: The entity types.
        types: For each tag the index of its type, `OUTSIDE` or `EDGE`.
        left: For each tag but the last its state as the left one of two neighbours; see `PairTables`.
        right: For each tag but the first its state as the right one.
    """

    scheme: Scheme
    names: Sequence[str]
    types: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]

    def num_invalid(self) -> int:
        """Return the number of sentences whose tags are invalid in the scheme.

        Source:
            Equal to the sentences with `invalid_positions`; compared in tests/metrics/test_counting.py.
        """
        wrong = np.flatnonzero(_tables(self.scheme, lenient=False).illegal[self.left, self.right])
        edges = np.flatnonzero(self.types == EDGE)
        return len(np.unique(np.searchsorted(edges, wrong, side="right")))


@dataclass(frozen=True, slots=True)
class SpanSets:
    """Entities by type, each as its place in the corpus, in the form in which seqeval takes them for its rates."""

    by_type: Mapping[str, set[Hashable]]

    @classmethod
    def of(cls, spans: Iterable[tuple[str, Hashable]]) -> "SpanSets":
        """Return entities that are given as their type and place."""
        by_type: dict[str, set[Hashable]] = defaultdict(set)
        for name, place in spans:
            by_type[name].add(place)
        return cls(dict(by_type))

    @property
    def unique_tags(self) -> set[str]:
        """The types that have an entity."""
        return set(self.by_type)

    def filter(self, name: str) -> set[Hashable]:
        """Return the entities of a type."""
        return self.by_type.get(name, set())

    def __len__(self) -> int:
        return sum(map(len, self.by_type.values()))

    def __bool__(self) -> bool:
        return True  # seqeval would read the tags again for an object that is false

    def num_shared(self, other: "SpanSets") -> int:
        """Return the number of entities that are also in the other sets."""
        return sum(len(spans & other.filter(name)) for name, spans in self.by_type.items())


def pack_tags(sentences: Iterable[Iterable[str]], names: Sequence[str], scheme: Scheme) -> PackedTags:
    """Return the tags of sentences in a row.

    Args:
        sentences: Tags of the scheme.
        names: The entity types, at least those of the tags.
        scheme: The scheme of the tags.
    """
    prefixes, number = RULES[scheme].prefixes, {name: i for i, name in enumerate(names)}
    tags = tags_of_types(names, scheme)
    index = {tag: i for i, tag in enumerate(tags)}
    edge = len(tags)
    rows = (chain(map(index.__getitem__, tags), (edge,)) for tags in sentences)
    ids = np.fromiter(chain((edge,), chain.from_iterable(rows)), np.int32)
    split = [split_tag(tag) for tag in tags]
    kinds = np.array([*(number.get(name, OUTSIDE) for _, name in split), EDGE], np.int32)
    states = np.array([*(prefixes.find(prefix) + 1 if prefix else 0 for prefix, _ in split), _edge(scheme)], np.int32)
    types, left = kinds[ids], states[ids]
    other = (types[1:] >= 0) & (types[1:] != types[:-1])
    return PackedTags(scheme, names, types, left[:-1], left[1:] + len(prefixes) * other.astype(np.int32))


def pack_both(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], scheme: Scheme
) -> tuple[PackedTags, PackedTags]:
    """Return gold and predicted tags in a row, with the types of both in the order of their names."""
    names = span_types(set(chain.from_iterable(chain(gold, predicted))))
    return pack_tags(gold, names, scheme), pack_tags(predicted, names, scheme)


def find_spans(tags: PackedTags, rule: Rule) -> SpanSets:
    """Return the entities in the tags.

    Args:
        tags: The tags of a corpus.
        rule: `strict` finds what seqeval's strict mode finds, `discarded` what `tags_to_spans` finds, `repaired` what
            `lenient_spans` finds.

    Source:
        Compared with seqeval and with these functions, on valid and invalid tags, in tests/metrics/test_counting.py.
    """
    tables = _tables(tags.scheme, lenient=rule == "repaired")
    begins, continues, closes = (table[tags.left, tags.right] for table in tables[:3])
    if rule == "strict" and tags.scheme == "iob1":
        begins, closes = _as_in_seqeval(tags, begins, continues, closes)
    starts, stops = np.flatnonzero(begins) + 1, np.flatnonzero(~continues)  # a pair has the index of its left tag
    lasts = stops[np.searchsorted(stops, starts)]
    starts, lasts = starts[closes[lasts]], lasts[closes[lasts]]
    return _by_type(starts * len(tags.types) + lasts, tags.types[starts], tags.names)


def _as_in_seqeval(tags: PackedTags, begins: Bools, continues: Bools, closes: Bools) -> tuple[Bools, Bools]:
    """Return where entities begin and may end in IOB1 as seqeval reads it, which differs for invalid tags.

    An `I-X` after a `B-X` that separates nothing begins an entity there, and none can end with a `B-X` before a `B-Y`.
    """
    dividing = 1 + RULES["iob1"].prefixes.index("B")
    is_left = tags.left == dividing
    idle = is_left & ~np.concatenate([[False], begins[:-1]])  # a `B-` that begins nothing
    before_other = is_left & (tags.right == dividing + len(RULES["iob1"].prefixes))
    return begins | (idle & continues), closes & ~before_other


def _by_type(spans: NDArray[np.int64], types: NDArray[np.int32], names: Sequence[str]) -> SpanSets:
    """Return the entities of each type that has any."""
    order = np.argsort(types, kind="stable")
    borders = np.searchsorted(types[order], np.arange(len(names) + 1))
    parts = zip(names, np.split(spans[order], borders[1:-1]), strict=True) if names else ()
    return SpanSets({name: set(part.tolist()) for name, part in parts if len(part)})


def _edge(scheme: Scheme) -> int:
    """Return the state of the edge of a sentence."""
    return 1 + len(ANY_TWO) * len(RULES[scheme].prefixes)


@lru_cache
def _tables(scheme: Scheme, *, lenient: bool) -> PairTables:
    """Return what pairs of tags mean in a scheme; if lenient, as conlleval reads them."""
    tags = tags_of_types(ANY_TWO, scheme)
    legal, first, last = legal_transitions(tags, scheme)
    illegal = ~np.array([[*row, end] for row, end in zip(legal, last, strict=True)] + [[*first, True]])
    if not lenient:
        found = span_tables(tags, scheme)
        begins, continues, closes = (_square(t, len(tags) + 1) for t in (found.begins, found.continues, found.closes))
        return PairTables(begins, continues, closes, illegal)
    edged = [*tags, "O"]
    goes = np.array([[goes_on(left, right) for right in edged] for left in edged])
    inside = np.array([tag != "O" for tag in edged])
    return PairTables(inside & ~goes, goes, inside[:, None] & ~goes, illegal)


def _square(table: Sequence[Sequence[bool]], size: int) -> Bools:
    """Return a table with False where it has no row or column for the edge."""
    full = np.zeros((size, size), bool)
    full[: len(table), : len(table[0])] = table
    return full
