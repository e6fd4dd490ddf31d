"""The names that a model knows: its words, its characters, and the tags or classes of each layer.

Characters, tags and classes come from train only. Words also come from pretrained vectors, so that a word that does not
occur in train still has its vector.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tagger.encoding.packed import Packed
from tagger.errors import DataError
from tagger.text.schemes import Scheme, span_types, tags_of_types

DIGITS = re.compile(r"[0-9]")
UNKNOWN = 0  # id of a word that is not in the vocabulary
UNKNOWN_CHAR = 1  # id of a character that is not in the vocabulary; 0 separates words
FIRST_CHAR = 2
NO_CHAR = "\0"  # replaces an empty word; does not occur in text files


@dataclass(frozen=True, slots=True)
class Vectors:
    """A vector for each word.

    Args:
        words: The words, without duplicates.
        matrix: Their vectors, float16 of shape (words, dimension).
    """

    words: Sequence[str]
    matrix: NDArray[np.float16]

    @property
    def dimension(self) -> int:
        """Width of a vector."""
        return int(self.matrix.shape[1])


@dataclass(frozen=True)
class Vocabulary:
    """Names by id.

    Args:
        words: Word of each id from 1; id 0 is for unknown words.
        chars: Character of each id from 2; 0 separates words, 1 is for unknown characters.
        labels: The tags, classes or numbers of each layer, in the order of their ids.
        num_trainable: Number of word ids, from 0, whose vectors are trained.
    """

    words: Sequence[str]
    chars: Sequence[str]
    labels: Mapping[str, Sequence[str]]
    num_trainable: int
    word_index: Mapping[str, int] = field(init=False, repr=False, compare=False)
    char_index: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "word_index", {word: i for i, word in enumerate(self.words, 1)})
        object.__setattr__(self, "char_index", {char: i for i, char in enumerate(self.chars, FIRST_CHAR)})

    def word_id(self, word: str) -> int:
        """Return the id of a word as written, in lower case, or with zeros for digits; 0 if none of these is known."""
        return find_word(word, self.word_index) or UNKNOWN

    def word_ids(self, words: Sequence[str]) -> NDArray[np.int64]:
        """Return the id of each word."""
        ids = list(map(self.word_index.get, words))
        return np.array([self.word_id(words[i]) if found is None else found for i, found in enumerate(ids)], np.int64)

    def char_ids(self, words: Iterable[str]) -> NDArray[np.int64]:
        """Return the ids of the characters of words, one word after the other.

        An empty word is one unknown character, because a network needs at least one.
        """
        text = "".join([word or NO_CHAR for word in words])
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
        ids: NDArray[np.int64] = self._ids_of_points[np.minimum(points, len(self._ids_of_points) - 1)]
        return ids

    @cached_property
    def _ids_of_points(self) -> NDArray[np.int64]:
        """The id of each code point; the last one is that of all higher code points."""
        points = {ord(char): i for char, i in self.char_index.items() if len(char) == 1}
        ids = np.full(max(points, default=0) + 2, UNKNOWN_CHAR, np.int64)
        ids[np.fromiter(points, np.int64)] = list(points.values())
        return ids


def find_word(word: str, index: Mapping[str, int]) -> int | None:
    """Return the index of a word as written, else in lower case, else also with zeros for its digits."""
    row = index.get(word)
    if row is None:
        lower = word.lower()
        row = index.get(lower)
        if row is None:
            row = index.get(DIGITS.sub("0", lower))
    return row


def build_vocabulary(
    train: Packed,
    *,
    layers: Mapping[str, Scheme | None],
    vectors: Vectors | None = None,
    tune: bool = False,
    min_count: int = 2,
    chars: Sequence[str] = (),
    labels: Mapping[str, Sequence[str]] | None = None,
    has_words: bool = True,
) -> Vocabulary:
    """Return the vocabulary of training sentences.

    Args:
        train: The sentences to learn from.
        layers: The layers that heads predict, each with the scheme of its spans, if it has spans.
        vectors: Pretrained vectors; the vocabulary has all their words.
        tune: Whether the vectors of words that occur in train are trained.
        min_count: How often a word without a pretrained vector must occur in train.
        chars: Known characters, which keep their ids; those of train come after them.
        labels: The same for the labels of layers, which train then need not have.
        has_words: Whether words have ids of their own; otherwise all are unknown.

    Raises:
        DataError: No sentence of train has one of the layers.
    """
    known = labels or {}
    counts = train.counts()
    chars = [*chars, *sorted({char for word in counts for char in word}.difference(chars))]
    labels = {layer: label_names(train, layer, scheme, known.get(layer, ())) for layer, scheme in layers.items()}
    if not has_words:
        return Vocabulary([], chars, labels, num_trainable=1)
    if vectors is None:
        words = sorted(word for word, count in counts.items() if count >= min_count)
        return Vocabulary(words, chars, labels, num_trainable=len(words) + 1)
    if not tune:
        return Vocabulary(vectors.words, chars, labels, num_trainable=1)
    index = {word: i for i, word in enumerate(vectors.words)}
    rows = {word: find_word(word, index) for word in counts}
    tuned = {vectors.words[row] for row in rows.values() if row is not None}
    tuned |= {word for word, row in rows.items() if row is None and counts[word] >= min_count}
    words = sorted(tuned) + [word for word in vectors.words if word not in tuned]
    return Vocabulary(words, chars, labels, num_trainable=len(tuned) + 1)


def label_names(train: Packed, layer: str, scheme: Scheme | None, known: Sequence[str] = ()) -> list[str]:
    """Return the tags or classes of a layer; for entities, all tags of the scheme for the types in train. The names of
    numbers are `1`, `2` and so on.

    Those that are `known` come first, and the others after them.

    Raises:
        DataError: No sentence has the layer, and none is known.
    """
    if (numbers := train.numbers.get(layer)) is not None:
        return list(known or numbers.names)
    found = train.layers.get(layer)
    values = found.counts() if found is not None else {}
    if not values and not known:
        names = sorted([*train.numbers, *(name for name, other in train.layers.items() if other.counts())])
        raise DataError(f"no train sentence has the layer `{layer}`; they have {', '.join(names) or 'none'}")
    names = sorted(values) if scheme is None else tags_of_types(span_types(values), scheme)
    return [*known, *(name for name in names if name not in known)]
