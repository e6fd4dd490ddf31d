"""Copies of train sentences in which entities are replaced by others of the same type.

The copies are drawn once, before training, and everything in them comes from train.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import numpy as np

from tagger.text.gaps import all_known
from tagger.text.schemes import Boundary, spans_to_tags, tags_to_spans
from tagger.text.sentence import Label, Sentence, TagLayer

Mention = tuple[str, ...]


def with_copies(
    parts: Iterable[Sequence[Sentence]], layers: Sequence[str], *, probability: float, seed: int
) -> tuple[list[Sequence[Sentence]], int]:
    """Return the train sentences of each corpus, each followed by copies with other mentions, and the number of copies.

    Mentions are drawn from the corpus of the sentence.
    """
    rng, count = np.random.default_rng(seed), 0
    found: list[Sequence[Sentence]] = []
    for part in parts:
        copied = (copies_with_other_mentions(part, layer, probability=probability, rng=rng) for layer in layers)
        copies = list(chain.from_iterable(copied))
        found.append([*part, *copies])
        count += len(copies)
    return found, count


def copies_with_other_mentions(
    sentences: Sequence[Sentence], layer: str, *, probability: float, rng: np.random.Generator
) -> list[Sentence]:
    """Return copies of sentences in which at least one mention of an entity is replaced.

    A copy has the labels of its sentence and `layer`. It has no other tags, which would not fit its tokens, and no
    document. A sentence without a replaced mention has no copy, and nor has one whose entities are not all known.

    Args:
        sentences: The sentences of train.
        layer: The layer whose entities are replaced.
        probability: Probability of replacing a mention with one that is drawn from those of its type in `sentences`,
            as often as they occur, but for those with the same tokens.
        rng: Source of randomness.

    Source:
        Dai and Adel (2020), "An Analysis of Simple Data Augmentation for Named Entity Recognition": mention
        replacement.
    """
    found = [(sentence, _boundaries(sentence, layer)) for sentence in sentences]
    mentions: defaultdict[str, list[Mention]] = defaultdict(list)
    for sentence, spans in found:
        for span in spans:
            mentions[span.type].append(sentence.tokens[span.start : span.end])
    pools = {kind: pool for kind, pool in mentions.items() if len(set(pool)) > 1}
    copies = []
    for sentence, spans in found:
        drawn = rng.random(len(spans)) < probability
        chosen = {
            span: _another(sentence.tokens[span.start : span.end], pools[span.type], rng)
            for span, replaced in zip(spans, drawn, strict=True)
            if replaced and span.type in pools
        }
        if chosen:
            copies.append(_copy(sentence, layer, spans, chosen))
    return copies


def _boundaries(sentence: Sentence, layer: str) -> list[Boundary]:
    """Return the entities of a layer in order; none if one of them may be unknown or is not expressed by tags."""
    found = sentence.layers.get(layer)
    if not isinstance(found, TagLayer) or found.scheme is None or found.unaligned or not all_known(found.tags):
        return []
    return tags_to_spans(found.tags, found.scheme)


def _another(own: Mention, pool: Sequence[Mention], rng: np.random.Generator) -> Mention:
    """Return a mention of a pool that differs from `own`; there must be one."""
    while (drawn := pool[int(rng.integers(len(pool)))]) == own:
        pass
    return drawn


def _copy(sentence: Sentence, layer: str, spans: Sequence[Boundary], chosen: Mapping[Boundary, Mention]) -> Sentence:
    """Return the sentence with other mentions in the place of some of its entities."""
    tokens: list[str] = []
    moved: list[Boundary] = []
    copied = 0  # tokens of the sentence that are in the copy, or replaced
    for span in spans:
        tokens += sentence.tokens[copied : span.start]
        start, copied = len(tokens), span.end
        tokens += chosen.get(span, sentence.tokens[span.start : span.end])
        moved.append(Boundary(span.type, start, len(tokens)))
    tokens += sentence.tokens[copied:]
    old = sentence.tag_layer(layer)
    tags = old.tags if old.scheme is None else spans_to_tags(moved, len(tokens), old.scheme)
    labels = {name: found for name, found in sentence.layers.items() if isinstance(found, Label)}
    return Sentence.from_tokens(
        tokens, {**labels, layer: TagLayer(tuple(tags), old.scheme, old.shown, types=old.types)}
    )
