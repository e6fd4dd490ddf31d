"""Counts of entities, tokens or sentences by group: what was seen in train, lengths, documents, metadata.

A group of entities is a property of the entity itself, its text and type, so that gold and predicted entities have one
alike. A right entity is in the same group on both sides, and each group has precision and recall.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.analysis.knowledge import TrainKnowledge, surface
from tagger.analysis.listing import Mention, mention_of
from tagger.metrics.entity_layer import EntityLayer
from tagger.metrics.layer import ScoredLayer, TokenLayer
from tagger.text.sentence import Sentence, tokens_in

SEEN, OTHER_TYPE, UNSEEN = "seen in train", "seen with another type", "unseen"
IN_TRAIN, IN_VECTORS, UNKNOWN, ABSENT = "in train", "only in vectors", "unknown", "not in train"
SENTENCE_STARTS = (1, 11, 21, 31, 51)  # first length in tokens of each group of sentences
ENTITY_STARTS = (1, 2, 3, 4)
NONE = "(none)"


class Group(NamedTuple):
    """Sentences, by their numbers, and what each adds to a group: the columns of `ScoredLayer.counts`."""

    sentences: NDArray[np.int64]
    counts: NDArray[np.int64]


Groups = dict[str, Group]


def by_seen(layer: EntityLayer, train: TrainKnowledge) -> Groups:
    """Return the counts of entities whose text train has with the same type, with other types only, or not at all."""
    known = train.entities.get(layer.name, {})

    def group(sentence: Sentence, mention: Mention) -> str:
        types = known.get(surface(sentence.text, mention.start_char, mention.end_char), frozenset())
        return SEEN if mention.type in types else OTHER_TYPE if types else UNSEEN

    return _of_entities(layer, group, [SEEN, OTHER_TYPE, UNSEEN])


def by_words(layer: EntityLayer | TokenLayer, train: TrainKnowledge) -> Groups:
    """Return the counts of tokens by what is known of their word, or of entities by their least known word."""
    names = [IN_TRAIN, IN_VECTORS, UNKNOWN] if train.vectors is not None else [IN_TRAIN, ABSENT]

    def level(word: str) -> int:
        return 0 if word in train.words else 1 if train.vectors is None or word in train.vectors else 2

    if isinstance(layer, TokenLayer):
        return _of_tokens(layer, lambda word: names[level(word)], names)
    return _of_entities(layer, lambda sentence, m: names[max(map(level, _tokens(sentence, m)), default=0)], names)


def by_entity_length(layer: EntityLayer) -> Groups:
    """Return the counts of entities by their number of tokens."""
    return _of_entities(
        layer, lambda sentence, mention: _bin(len(_tokens(sentence, mention)), ENTITY_STARTS), _bins(ENTITY_STARTS)
    )


def by_sentence_length(layer: ScoredLayer) -> Groups:
    """Return the counts of sentences by their number of tokens."""
    return _of_sentences(layer, [_bin(len(gold), SENTENCE_STARTS) for gold in layer.gold], _bins(SENTENCE_STARTS))


def by_document(layer: ScoredLayer) -> Groups:
    """Return the counts of each document; nothing if no sentence has one."""
    names = [NONE if gold.document is None else gold.document for gold in layer.gold]
    return {} if {*names} <= {NONE} else _of_sentences(layer, names)


def by_meta(layer: ScoredLayer, key: str) -> Groups:
    """Return the counts of sentences by the value of a key of their metadata; nothing if no sentence has it."""
    if not any(key in gold.meta for gold in layer.gold):
        return {}
    return _of_sentences(layer, [str(gold.meta.get(key, NONE)) for gold in layer.gold])


def _of_entities(layer: EntityLayer, group: Callable[[Sentence, Mention], str], names: Sequence[str]) -> Groups:
    """Return the numbers of correct, predicted and gold entities of each sentence, by the group of an entity."""
    counts = {name: np.zeros((len(layer.gold), 3), np.int64) for name in names}
    for i, (sentence, pair) in enumerate(zip(layer.gold, layer.pairs, strict=True)):
        for entity, predicted, gold in pair.entities:
            name = group(sentence, mention_of(sentence, entity))
            counts[name][i] += (predicted and gold, predicted, gold)
    return {name: Group(np.arange(len(layer.gold)), rows) for name, rows in counts.items()}


def _of_tokens(layer: TokenLayer, group: Callable[[str], str], names: Sequence[str]) -> Groups:
    """Return the numbers of right tokens and of all tokens of each sentence, by the group of a word."""
    counts = {name: np.zeros((len(layer.gold), 2), np.int64) for name in names}
    for i, (sentence, pairs) in enumerate(zip(layer.gold, layer.pairs, strict=True)):
        tags = zip(sentence.tokens, sentence.tags(layer.name), strict=True)
        words = [word for word, tag in tags if tag is not None]
        for word, (gold, predicted) in zip(words, pairs, strict=True):
            counts[group(word)][i] += (gold == predicted, 1)
    return {name: Group(np.arange(len(layer.gold)), rows) for name, rows in counts.items()}


def _of_sentences(layer: ScoredLayer, groups: Sequence[str], names: Sequence[str] = ()) -> Groups:
    """Return the counts of the sentences of each group."""
    rows: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(groups):
        rows[name].append(i)
    order = names or sorted(rows, key=lambda name: (name == NONE, name))
    chosen = {name: np.array(rows[name], np.int64) for name in order}
    return {name: Group(numbers, layer.counts[numbers]) for name, numbers in chosen.items()}


def _tokens(sentence: Sentence, mention: Mention) -> list[str]:
    """Return the tokens that an entity touches."""
    return [sentence.tokens[i] for i in tokens_in(sentence, mention.start_char, mention.end_char)]


def _bins(starts: Sequence[int]) -> list[str]:
    ranges = [str(start) if start == after - 1 else f"{start}-{after - 1}" for start, after in pairwise(starts)]
    return [*(f"{each} token{'s' * (each != '1')}" for each in ranges), f"{starts[-1]} tokens or more"]


def _bin(length: int, starts: Sequence[int]) -> str:
    """Return the name of the group of a length; a length below the first start is in the first group."""
    return _bins(starts)[max(sum(length >= start for start in starts) - 1, 0)]
