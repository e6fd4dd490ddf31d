"""Sentences as arrays of ids, and batches cut from them.

A corpus is encoded once. Each distinct word form (type) of it is encoded once, and so each batch has its distinct words
once and, for every token, which of them it is. Arrays are numpy's; what a network does with them is its business.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.packed import Packed, ranges
from tagger.encoding.tag_arrays import MISSING
from tagger.encoding.vocabulary import Vocabulary
from tagger.text.schemes import Scheme

TAG_PAIRS = 2**23  # of all sentences of a batch; 32 MB in float32

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]
AnyIds = NDArray[np.integer[Any]]
N = TypeVar("N", bound=np.number[Any])


@dataclass(frozen=True, slots=True)
class Batch:
    """Some sentences, padded on the right.

    Args:
        types: The distinct words.
        word_ids: Vocabulary id of each distinct word, of shape (types,).
        char_ids: Characters of all distinct words, one word behind the other, of shape (chars,).
        char_lengths: Number of characters of each distinct word, of shape (types,).
        type_ids: Which distinct word each token is, of shape (batch, tokens); 0 at padding.
        lengths: Number of tokens of each sentence, of shape (batch,).
        targets: For each layer the gold ids, of shape (batch, tokens) or (batch,); -1 where a sentence lacks the
            layer and at padding.
        taught: The same from a teacher, tags where the gold ones are lacking; for labels the probability of each class,
            of shape (batch, classes).
        features: Numbers that describe each token, such as contextual vectors, frames of audio or values of sensors: by
            name arrays of shape (batch, tokens, dimension); 0 at padding.
    """

    types: Sequence[str]
    word_ids: Ids
    char_ids: Ids
    char_lengths: Ids
    type_ids: Ids
    lengths: Ids
    targets: Mapping[str, Ids] = field(default_factory=dict)
    taught: Mapping[str, Ids | Floats] = field(default_factory=dict)
    features: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def num_tokens(self) -> int:
        """Number of tokens, padding not counted."""
        return int(self.lengths.sum())


@dataclass(frozen=True, slots=True)
class EncodedSentences:
    """The ids of many sentences, from which batches are cut.

    Args:
        types: The distinct words, as an array of objects.
        word_ids: Vocabulary id of each distinct word, of shape (types,).
        char_ids: Characters of all distinct words, of shape (chars,).
        char_starts: Where the characters of each distinct word start, of shape (types + 1,).
        type_ids: Which distinct word each token is, of shape (tokens,).
        starts: Where each sentence starts, of shape (sentences + 1,).
        tag_targets: For each tag layer a gold id a token, of shape (tokens,).
        label_targets: For each label layer a gold id a sentence, of shape (sentences,).
        taught_tags: As `tag_targets`, from a teacher.
        taught_labels: For each label layer what a teacher thinks of each class, of shape (sentences, classes).
        features: Numbers that describe each token, by name, of shape (tokens, dimension).
    """

    types: NDArray[np.object_]
    word_ids: Ids
    char_ids: Ids
    char_starts: Ids
    type_ids: AnyIds
    starts: Ids
    tag_targets: Mapping[str, AnyIds] = field(default_factory=dict)
    label_targets: Mapping[str, Ids] = field(default_factory=dict)
    taught_tags: Mapping[str, AnyIds] = field(default_factory=dict)
    taught_labels: Mapping[str, Floats] = field(default_factory=dict)
    features: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def lengths(self) -> Ids:
        """Number of tokens of each sentence."""
        return np.diff(self.starts)

    def batch(self, rows: Ids) -> Batch:
        """The sentences of these rows as a batch."""
        lengths = self.lengths[rows]
        mask = np.arange(lengths.max()) < lengths[:, None]  # (batch, tokens)
        tokens = ranges(self.starts[rows], lengths)
        types, inverse = np.unique(self.type_ids[tokens], return_inverse=True)
        char_lengths = self.char_starts[types + 1] - self.char_starts[types]
        targets, taught = (
            {layer: _padded(ids[tokens].astype(np.int64), mask, MISSING) for layer, ids in tags.items()}
            for tags in (self.tag_targets, self.taught_tags)
        )
        return Batch(
            types=self.types[types].tolist(),
            word_ids=self.word_ids[types],
            char_ids=self.char_ids[ranges(self.char_starts[types], char_lengths)],
            char_lengths=char_lengths,
            type_ids=_padded(inverse, mask, 0),
            lengths=lengths,
            targets={**targets, **{layer: ids[rows] for layer, ids in self.label_targets.items()}},
            taught={**taught, **{layer: shares[rows] for layer, shares in self.taught_labels.items()}},
            features={name: _padded(values[tokens], mask, 0) for name, values in self.features.items()},
        )


def _padded(values: NDArray[N], mask: NDArray[np.bool_], fill: int) -> NDArray[N]:
    """Return the values of all tokens as rows of a batch."""
    rows = np.full((*mask.shape, *values.shape[1:]), fill, values.dtype)
    rows[mask] = values
    return rows


def encode(
    sentences: Packed, vocabulary: Vocabulary, layers: Mapping[str, Scheme | None] | None = None
) -> EncodedSentences:
    """Return the ids of sentences.

    Args:
        sentences: Sentences with at least one token each.
        vocabulary: Gives the ids.
        layers: Layers whose gold ids are wanted; for tags with spans the scheme in which the vocabulary has them.
    """
    tag_targets: dict[str, AnyIds] = {}
    label_targets: dict[str, Ids] = {}
    for layer, scheme in (layers or {}).items():
        index = {name: i for i, name in enumerate(vocabulary.labels[layer])}
        targets = sentences.targets(layer, index, scheme)
        if layer in sentences.layers and sentences.layers[layer].is_label:
            label_targets[layer] = targets.astype(np.int64)
        else:
            tag_targets[layer] = targets
    types = sentences.types
    char_lengths = [len(word) or 1 for word in types]
    return EncodedSentences(
        types=np.array(types, dtype=object),
        word_ids=np.array([vocabulary.word_id(word) for word in types], np.int64),
        char_ids=np.array(vocabulary.char_ids(types), np.int64),
        char_starts=np.concatenate([[0], np.cumsum(char_lengths)]).astype(np.int64),
        type_ids=sentences.type_ids,
        starts=sentences.starts,
        tag_targets=tag_targets,
        label_targets=label_targets,
    )


def shuffled_batches(lengths: Ids, batch_size: int, rng: np.random.Generator) -> list[Ids]:
    """Batches of sentences of like length in random order; each sentence is in one batch.

    Sentences are shuffled, then sorted by length within pools of 32 batches, so that batches have little padding and
    yet differ from epoch to epoch.
    """
    order = rng.permutation(len(lengths))
    pool = batch_size * 32
    chunks = [order[i : i + pool] for i in range(0, len(order), pool)]
    sorted_chunks = [chunk[np.argsort(lengths[chunk], kind="stable")] for chunk in chunks]
    batches = [chunk[i : i + batch_size] for chunk in sorted_chunks for i in range(0, len(chunk), batch_size)]
    rng.shuffle(batches)
    return batches


def most_rows(num_tags: int, *, n_best: int = 0) -> int:
    """Return how many sentences a batch may have, for a CRF needs memory for every pair of tags in each of them."""
    return max(1, TAG_PAIRS // (num_tags**2 * max(1, n_best)))


def batches_by_length(
    lengths: Ids, max_tokens: int, *, max_rows: int | None = None, overhead: int = 0
) -> Iterator[Ids]:
    """Batches of sentences of like length with at most `max_tokens` tokens, padding counted.

    A longer sentence is a batch of its own; one without tokens is in none.

    Args:
        lengths: Number of tokens of each sentence.
        max_tokens: Tokens of a batch.
        max_rows: Sentences of a batch; default: no limit.
        overhead: What a batch costs beyond its rows, in rows: one is closed as soon as its padding costs more.
    """
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    start = tokens = 0
    for i, length in enumerate(lengths[order].tolist()):
        rows = i - start
        if rows and (
            rows == max_rows or (rows + 1) * length > max_tokens or rows * length - tokens > overhead * length
        ):
            yield order[start:i]
            start, tokens = i, 0
        tokens += length
    if start < len(order):
        yield order[start:]
