"""What a model knows by name: its words, its characters, and the tags or classes of each layer.

Characters, tags and classes come from train only. Words come from train, and from the vector files where there are any,
so that a word unseen in training still has its vector.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tagger.encoding.packed import Packed
from tagger.encoding.vectors import Vectors, find_word
from tagger.errors import DataError
from tagger.text.schemes import Scheme, split_tag, tags_of_types

UNKNOWN = 0  # the id of words and, behind the separator, of characters that are not in the vocabulary
UNKNOWN_CHAR = 1  # 0 separates words
FIRST_CHAR = 2
NO_CHAR = "\0"  # stands for an empty word; no text file has it


@dataclass(frozen=True)
class Vocabulary:
    """Names by id.

    Args:
        words: Word of each id from 1; id 0 is a word that is not among them.
        chars: Character of each id from 2; 0 separates words, 1 is a character that is not among them.
        labels: The tags or classes of each layer, in the order of their ids.
        num_trainable: How many word ids, from 0, have vectors of their own that training changes.
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
        """The id of a word as written, lower-cased, or with digits as zeros; 0 if none of these is known."""
        return find_word(word, self.word_index) or UNKNOWN

    def char_ids(self, words: Iterable[str]) -> list[int]:
        """The id of each character of words, one word behind the other; an empty word is one unknown character."""
        get = self.char_index.get
        return [get(char, UNKNOWN_CHAR) for char in "".join([word or NO_CHAR for word in words])]


def build_vocabulary(
    train: Packed,
    *,
    layers: Mapping[str, Scheme | None],
    vectors: Vectors | None = None,
    tune: bool = False,
) -> Vocabulary:
    """The vocabulary of training sentences.

    Args:
        train: The sentences to learn from.
        layers: The layers that heads predict; a scheme for those whose tags have spans.
        vectors: Pretrained vectors, all of whose words are kept.
        tune: Whether words of train get trainable vectors of their own.

    Raises:
        DataError: No sentence of train has one of the layers.
    """
    counts = train.counts()
    chars = sorted({char for word in counts for char in word})
    labels = {layer: label_names(train, layer, scheme) for layer, scheme in layers.items()}
    if vectors is None:
        words = sorted(word for word, count in counts.items() if count > 1)
        return Vocabulary(words, chars, labels, num_trainable=len(words) + 1)
    if not tune:
        return Vocabulary(vectors.words, chars, labels, num_trainable=1)
    index = {word: i for i, word in enumerate(vectors.words)}
    rows = {word: find_word(word, index) for word in counts}
    tuned = {vectors.words[row] for row in rows.values() if row is not None}
    tuned |= {word for word, row in rows.items() if row is None and counts[word] > 1}
    words = sorted(tuned) + [word for word in vectors.words if word not in tuned]
    return Vocabulary(words, chars, labels, num_trainable=len(tuned) + 1)


def label_names(train: Packed, layer: str, scheme: Scheme | None) -> list[str]:
    """Return the tags or classes of a layer; for entities, every prefix of the scheme with every type of train.

    Raises:
        DataError: No sentence has the layer.
    """
    found = train.layers.get(layer)
    values = found.counts() if found is not None else None
    if not values:
        names = sorted(name for name, other in train.layers.items() if other.counts())
        raise DataError(f"no train sentence has the layer `{layer}`; they have {', '.join(names) or 'none'}")
    if scheme is None:
        return sorted(values)
    types = sorted({split_tag(tag)[1] for tag in values} - {""})
    return tags_of_types(types, scheme)
