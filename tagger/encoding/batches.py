"""Sentences as arrays of ids, and batches cut from them.

A corpus is encoded once, and so is each of its distinct words (types). A batch holds its distinct words once and, for
every token, the position of its word among them. The arrays are numpy arrays; how a network uses them is defined there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

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


class Rows(Protocol):
    """Numbers that describe each token, of shape (tokens, k): an array, or what reads parts of a file."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        ...

    def __len__(self) -> int:
        """Return the number of tokens."""
        ...

    def __getitem__(self, tokens: Ids, /) -> NDArray[Any]:
        """Return the rows of some tokens."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Sentences padded on the right.

    Args:
        types: The distinct words.
        word_ids: Vocabulary id of each distinct word, of shape (types,).
        char_ids: Characters of all distinct words, one word after the other, of shape (chars,).
        char_lengths: Number of characters of each distinct word, of shape (types,).
        type_ids: Index of each token's word in `types`, of shape (batch, tokens); 0 at padding.
        lengths: Number of tokens of each sentence, of shape (batch,).
        targets: Gold ids by layer, of shape (batch, tokens) or (batch,); -1 at padding and where a sentence does not
            have the layer. Or, if tags of the batch are not fully known, which tags each token may have, of shape
            (batch, tokens, tags); none at padding and where a sentence does not have the layer. Or, if some corpora do
            not have all classes, `NamedIds.choices` of shape (batch, classes). Or numbers, of shape (batch, tokens) or
            (batch, k); NaN at padding and where one is unknown.
        taught: What teachers say, by layer: tags of the same shapes, or probabilities: of each tag at each token, of
            shape (batch, tokens, tags), or of each class, of shape (batch, classes). Probabilities are 0 at padding and
            where teachers say nothing, and -1 for tags and classes that the model in `start` does not know.
        features: Numbers that describe each token, such as contextual vectors, audio frames or sensor values, by name,
            of shape (batch, tokens, k); at padding 0, or -1 if they are ids.
        type_features: Ids that describe each distinct word, by the name of the feature, of shape (types, k).
    """

    types: Sequence[str]
    word_ids: Ids
    char_ids: Ids
    char_lengths: Ids
    type_ids: Ids
    lengths: Ids
    targets: Mapping[str, Ids | NDArray[np.bool_] | Floats] = field(default_factory=dict)
    taught: Mapping[str, Ids | NDArray[np.bool_] | Floats] = field(default_factory=dict)
    features: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    type_features: Mapping[str, Ids] = field(default_factory=dict)

    @property
    def num_tokens(self) -> int:
        """Number of tokens without padding."""
        return int(self.lengths.sum())


@dataclass(frozen=True, slots=True)
class EncodedSentences:
    """The ids of many sentences, to cut batches from.

    Args:
        types: The distinct words, as an array of objects.
        word_ids: Vocabulary id of each distinct word, of shape (types,).
        char_ids: Characters of all distinct words, of shape (chars,).
        char_starts: Position of the first character of each distinct word, of shape (types + 1,).
        type_ids: Index of each token's word in `types`, of shape (tokens,).
        starts: Position of the first token of each sentence, of shape (sentences + 1,).
        tag_targets: Gold id of each token by tag layer, or its number, of shape (tokens,).
        label_targets: Gold id of each sentence by label layer, of shape (sentences,); or `NamedIds.choices`, of shape
            (sentences, classes), where some corpora do not have all classes; or numbers, of shape (sentences, k).
        taught_tags: The same as `tag_targets`, from teachers.
        taught_sets: The same as `tag_sets`, from teachers.
        taught_shares: Probability of each tag by tag layer, from teachers, of shape (tokens, tags); 0 for all tags of
            tokens of which teachers say nothing, -1 for tags that are left out. Float16 keeps three digits in half the
            memory.
        taught_labels: Probability of each class by label layer, from teachers, of shape (sentences, classes); -1 for
            classes that are left out.
        features: Numbers that describe each token, by name, of shape (tokens, k).
        type_features: Ids that describe each distinct word, by the name of the feature, of shape (types, k).
        tag_sets: Which tags are in each set of possible tags, by tag layer; see `with_sets`. Layers whose tags are all
            fully known are not in it.
    """

    types: NDArray[np.object_]
    word_ids: Ids
    char_ids: Ids
    char_starts: Ids
    type_ids: AnyIds
    starts: Ids
    tag_targets: Mapping[str, AnyIds | Floats] = field(default_factory=dict)
    label_targets: Mapping[str, Ids | NDArray[np.float32]] = field(default_factory=dict)
    taught_tags: Mapping[str, AnyIds | Floats] = field(default_factory=dict)
    taught_sets: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    taught_shares: Mapping[str, NDArray[np.float16]] = field(default_factory=dict)
    taught_labels: Mapping[str, Floats] = field(default_factory=dict)
    features: Mapping[str, Rows] = field(default_factory=dict)
    type_features: Mapping[str, Ids] = field(default_factory=dict)
    tag_sets: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def lengths(self) -> Ids:
        """Number of tokens of each sentence."""
        return np.diff(self.starts)

    def lengths_of(self, rows: Ids) -> Ids:
        """Return the number of tokens of the sentences of these rows, without a look at the others."""
        return self.starts[rows + 1] - self.starts[rows]

    def batch(self, rows: Ids) -> Batch:
        """Return the sentences of these rows as a batch."""
        lengths = self.lengths_of(rows)
        mask = np.arange(lengths.max()) < lengths[:, None]  # (batch, tokens)
        tokens = ranges(self.starts[rows], lengths)
        types, inverse = np.unique(self.type_ids[tokens], return_inverse=True)
        char_lengths = self.char_starts[types + 1] - self.char_starts[types]
        targets, taught = (
            {layer: _padded_targets(ids[tokens], mask) for layer, ids in tags.items()}
            for tags in (self.tag_targets, self.taught_tags)
        )
        return Batch(
            types=self.types[types].tolist(),
            word_ids=self.word_ids[types],
            char_ids=self.char_ids[ranges(self.char_starts[types], char_lengths)],
            char_lengths=char_lengths,
            type_ids=_padded(inverse, mask, 0),
            lengths=lengths,
            targets={
                **_with_sets(targets, self.tag_sets),
                **{layer: ids[rows] for layer, ids in self.label_targets.items()},
            },
            taught={
                **_with_sets(taught, self.taught_sets),
                **{n: _padded(v[tokens].astype(np.float32), mask, 0) for n, v in self.taught_shares.items()},
                **{layer: shares[rows] for layer, shares in self.taught_labels.items()},
            },
            features={
                name: _padded(rows[tokens], mask, MISSING if rows.dtype.kind == "i" else 0)
                for name, rows in self.features.items()
            },
            type_features={name: ids[types] for name, ids in self.type_features.items()},
        )


def _padded_targets(targets: AnyIds | Floats, mask: NDArray[np.bool_]) -> Ids | Floats:
    """Return the targets of all tokens as rows of a batch; none at padding."""
    if targets.dtype.kind == "f":
        return _padded(targets.astype(np.float32), mask, np.nan)
    return _padded(targets.astype(np.int64), mask, MISSING)


def _with_sets(
    targets: Mapping[str, Ids | Floats], tables: Mapping[str, NDArray[np.bool_]]
) -> dict[str, Ids | Floats | NDArray[np.bool_]]:
    """Return the targets of a batch, of layers with ids of sets as which tags each token may have."""
    sets = {layer: table for layer, table in tables.items() if targets[layer].max() >= table.shape[1]}
    return {layer: sets[layer][ids] if layer in sets else ids for layer, ids in targets.items()}


def _padded(values: NDArray[N], mask: NDArray[np.bool_], fill: float) -> NDArray[N]:
    """Return the values of all tokens as rows of a batch."""
    rows = np.full((*mask.shape, *values.shape[1:]), fill, values.dtype)
    rows[mask] = values
    return rows


def encode(
    sentences: Packed,
    vocabulary: Vocabulary,
    layers: Mapping[str, Scheme | None] | None = None,
    features: Mapping[str, Rows] | None = None,
    type_features: Mapping[str, Ids] | None = None,
) -> EncodedSentences:
    """Return the ids of sentences.

    Args:
        sentences: Sentences with at least one token each.
        vocabulary: Maps names to ids.
        layers: Layers whose gold ids to return, each with the scheme of its tags in the vocabulary; default: none.
        features: Numbers that describe each token, by name, of shape (tokens, k); default: none.
        type_features: Ids that describe each distinct word, by the name of the feature, of shape (types, k); default:
            none.
    """
    tag_targets: dict[str, AnyIds | Floats] = {}
    label_targets: dict[str, Ids | NDArray[np.float32]] = {}
    tag_sets: dict[str, NDArray[np.bool_]] = {}
    for layer, scheme in (layers or {}).items():
        if (numbers := sentences.numbers.get(layer)) is not None:
            (label_targets if numbers.whole else tag_targets)[layer] = numbers.values
            continue
        index = {name: i for i, name in enumerate(vocabulary.labels[layer])}
        targets, sets = sentences.targets(layer, index, scheme)
        found = sentences.layers.get(layer)
        if found is not None and found.is_label:
            label_targets[layer] = found.choices(index) if found.annotated else targets.astype(np.int64)
        else:
            tag_targets[layer] = targets
        if sets is not None:
            tag_sets[layer] = sets
    types = sentences.types
    char_lengths = [len(word) or 1 for word in types]
    return EncodedSentences(
        types=np.array(types, dtype=object),
        word_ids=vocabulary.word_ids(types),
        char_ids=vocabulary.char_ids(types),
        char_starts=np.concatenate([[0], np.cumsum(char_lengths)]).astype(np.int64),
        type_ids=sentences.type_ids,
        starts=sentences.starts,
        tag_targets=tag_targets,
        label_targets=label_targets,
        features=features or {},
        type_features=type_features or {},
        tag_sets=tag_sets,
    )


def shuffled_batches(lengths: Ids, batch_size: int, rng: "np.random.Generator") -> list[Ids]:
    """Return the rows of batches of sentences of similar length, in random order; each sentence is in one batch.

    Sentences are shuffled, then sorted by length within pools of 32 batches. Batches so have little padding and still
    differ from epoch to epoch.
    """
    order = rng.permutation(len(lengths))
    pool = batch_size * 32
    chunks = [order[i : i + pool] for i in range(0, len(order), pool)]
    sorted_chunks = [chunk[np.argsort(lengths[chunk], kind="stable")] for chunk in chunks]
    batches = [chunk[i : i + batch_size] for chunk in sorted_chunks for i in range(0, len(chunk), batch_size)]
    rng.shuffle(batches)
    return batches


def most_rows(num_tags: int, *, n_best: int = 0) -> int:
    """Return the largest number of sentences in a batch: a CRF needs memory for every pair of tags in each of them."""
    return max(1, TAG_PAIRS // (num_tags**2 * max(1, n_best)))


def batches_by_length(
    lengths: Ids, max_tokens: int, *, max_rows: int | None = None, overhead: int = 0
) -> Iterator[Ids]:
    """Yield the rows of batches of sentences of similar length with at most `max_tokens` tokens, including padding.

    A longer sentence is a batch of its own. A sentence without tokens is in no batch.

    Args:
        lengths: Number of tokens of each sentence.
        max_tokens: Number of tokens in a batch, including padding.
        max_rows: Number of sentences in a batch; default: no limit.
        overhead: Fixed cost of a batch, in rows: a batch ends when its padding would cost more.
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
