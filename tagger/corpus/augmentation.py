"""Changed copies of train sentences: with other entities of the same types, with other tokens that have the same tags,
or in other forms (see `perturbation.py`).

The copies are drawn once, before training, and everything in them comes from train.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from tagger.config import TrainingConfig
from tagger.corpus.perturbation import perturbed_copies
from tagger.text.gaps import all_known
from tagger.text.schemes import Boundary, Scheme, convert_tags, spans_to_tags, tags_to_spans
from tagger.text.sentence import Label, Sentence, TagLayer

Mention = tuple[str, ...]
T = TypeVar("T")
DRAWS = 32  # of a mention, before those that differ are listed


def with_copies(
    parts: Iterable[Sequence[Sentence]], layers: Sequence[str], config: TrainingConfig, *, seed: int
) -> tuple[list[Sequence[Sentence]], int]:
    """Return the train sentences of each corpus, each followed by changed copies, and the number of copies.

    Mentions and tokens are drawn from the corpus of the sentence.

    Args:
        parts: The train sentences of each corpus.
        layers: Layers of entities.
        config: Says which copies there are.
        seed: Determines what is drawn.
    """
    rng, count = np.random.default_rng(seed), 0
    ways = [
        (copies_with_other_mentions, config.mention_replacement),
        (copies_with_other_tokens, config.token_replacement),
    ]
    found: list[Sequence[Sentence]] = []
    for part in parts:
        copies = [
            copy
            for make, probability in ways
            for layer in layers
            if probability
            for copy in make(part, layer, probability=probability, rng=rng)
        ]
        copies += perturbed_copies(part, config.perturbation, rng)
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
    known = ((sentence, _known(sentence, layer)) for sentence in sentences)
    found = [(sentence, tags_to_spans(*tagged), tagged[1]) for sentence, tagged in known if tagged is not None]
    mentions: defaultdict[str, list[Mention]] = defaultdict(list)
    for sentence, spans, _ in found:
        for span in spans:
            mentions[span.type].append(sentence.tokens[span.start : span.end])
    pools = {kind: _Pool(pool) for kind, pool in mentions.items() if len(set(pool)) > 1}
    copies = []
    for sentence, spans, scheme in found:
        drawn = rng.random(len(spans)) < probability
        chosen = {
            span: pools[span.type].another(sentence.tokens[span.start : span.end], rng)
            for span, replaced in zip(spans, drawn, strict=True)
            if replaced and span.type in pools
        }
        if chosen:
            tokens, moved = _exchanged(sentence.tokens, spans, chosen)
            copies.append(_relabelled(sentence, layer, tokens, spans_to_tags(moved, len(tokens), scheme)))
    return copies


def copies_with_other_tokens(
    sentences: Sequence[Sentence], layer: str, *, probability: float, rng: np.random.Generator
) -> list[Sentence]:
    """Return copies of sentences in which at least one token is replaced by another one that has the same tag.

    Apart from that, the copies are as those of `copies_with_other_mentions`, and the same sentences have none.

    Args:
        sentences: The sentences of train.
        layer: The layer whose tags are compared, in IOB2.
        probability: Probability of replacing a token with one that is drawn from those with its tag in `sentences`, as
            often as they occur. The same token may be drawn.
        rng: Source of randomness.

    Source:
        Dai and Adel (2020), as above: label-wise token replacement.
    """
    known = ((sentence, _known(sentence, layer)) for sentence in sentences)
    tagged = [(sentence, convert_tags(*found, "iob2")) for sentence, found in known if found is not None]
    pools: defaultdict[str, list[str]] = defaultdict(list)
    for sentence, tags in tagged:
        for token, tag in zip(sentence.tokens, tags, strict=True):
            pools[tag].append(token)
    copies = []
    for sentence, tags in tagged:
        replaced = rng.random(len(tags)) < probability
        tokens = [
            _drawn(pools[tag], rng) if new else token
            for token, tag, new in zip(sentence.tokens, tags, replaced, strict=True)
        ]
        if tuple(tokens) != sentence.tokens:
            copies.append(_relabelled(sentence, layer, tokens, sentence.tag_layer(layer).tags))
    return copies


def _known(sentence: Sentence, layer: str) -> tuple[Sequence[str], Scheme] | None:
    """Return the tags of a layer of entities, and their scheme; None if not all entities are known and have tags."""
    found = sentence.layers.get(layer)
    if not isinstance(found, TagLayer) or found.scheme is None or found.unaligned or not all_known(found.tags):
        return None
    return found.tags, found.scheme


class _Pool:
    """The mentions of a type, as often as they occur; at least two of them differ."""

    def __init__(self, mentions: Sequence[Mention]) -> None:
        self._mentions = mentions
        self._others: dict[Mention, list[Mention]] = {}  # only for mentions that are most of the pool

    def another(self, own: Mention, rng: np.random.Generator) -> Mention:
        """Return a mention that differs from `own`."""
        for _ in range(DRAWS):
            if (drawn := _drawn(self._mentions, rng)) != own:
                return drawn
        if own not in self._others:
            self._others[own] = [mention for mention in self._mentions if mention != own]
        return _drawn(self._others[own], rng)


def _drawn(pool: Sequence[T], rng: np.random.Generator) -> T:
    return pool[int(rng.integers(len(pool)))]


def _exchanged(
    old: Sequence[str], spans: Sequence[Boundary], chosen: Mapping[Boundary, Mention]
) -> tuple[list[str], list[Boundary]]:
    """Return the tokens with other mentions in the place of some entities, and where all entities are then."""
    tokens: list[str] = []
    moved: list[Boundary] = []
    copied = 0  # old tokens that are in the result, or replaced
    for span in spans:
        tokens += old[copied : span.start]
        start, copied = len(tokens), span.end
        tokens += chosen.get(span, old[span.start : span.end])
        moved.append(Boundary(span.type, start, len(tokens)))
    tokens += old[copied:]
    return tokens, moved


def _relabelled(sentence: Sentence, layer: str, tokens: Sequence[str], tags: Sequence[str | None]) -> Sentence:
    """Return a sentence of other tokens with these tags in a layer, and with the labels of a sentence."""
    old = sentence.tag_layer(layer)
    labels = {name: found for name, found in sentence.layers.items() if isinstance(found, Label)}
    new = TagLayer(tuple(tags), old.scheme, old.shown, types=old.types)
    return Sentence.from_tokens(tokens, {**labels, layer: new})
