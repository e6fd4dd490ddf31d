"""Which predicted sentences have the text of which gold sentences, in two files that may be divided differently.

Sentences with the same tokens belong together. Where tokens or sentence boundaries differ, the shortest runs of
sentences with the same characters do, without white space. `transfer.py` carries predictions over to gold's tokens,
and `differences.py` says where the texts of two files differ.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tagger.text.sentence import Sentence

Range = tuple[int, int]


class Measure(NamedTuple):
    """The characters of a sentence without white space, and the range of each token in them."""

    chars: str
    ranges: list[Range]


class Block(NamedTuple):
    """Sentences `[start, end)` of gold and of the prediction that have the same text.

    Args:
        gold: The gold sentences.
        predicted: The predicted sentences.
        measure: Gives the characters in which they are the same.
    """

    gold: Range
    predicted: Range
    measure: "Callable[[Sentence], Measure]"


def by_text(sentence: Sentence) -> Measure:
    """Return the characters of the text in which tokens are; two tokens of one word (`du` as `de le`) share them."""
    parts: list[str] = []
    ranges: list[Range] = []
    position, before = 0, None
    for start, end in sentence.offsets:
        if (start, end) != before:
            parts.append("".join(sentence.text[start:end].split()))
            position += len(parts[-1])
        ranges.append((position - len(parts[-1]), position))
        before = (start, end)
    return Measure("".join(parts), ranges)


def by_words(sentence: Sentence) -> Measure:
    """Return the characters of the tokens."""
    parts = ["".join(token.split()) for token in sentence.tokens]
    ranges: list[Range] = []
    position = 0
    for part in parts:
        ranges.append((position, position + len(part)))
        position += len(part)
    return Measure("".join(parts), ranges)


def blocks(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> Iterator[Block]:
    """Yield the shortest runs of sentences with the same text, in order, up to the first difference of the texts."""
    i = j = 0
    while i < len(gold) and j < len(predicted):
        if gold[i].tokens == predicted[j].tokens:
            block: Block | None = Block((i, i + 1), (j, j + 1), by_words)
        else:
            block = _block(gold, predicted, i, j, by_text) or _block(gold, predicted, i, j, by_words)
        if block is None:
            return
        yield block
        i, j = block.gold[1], block.predicted[1]


def _block(
    gold: Sequence[Sentence],
    predicted: Sequence[Sentence],
    first: int,
    second: int,
    measure: Callable[[Sentence], Measure],
) -> Block | None:
    """Return the shortest run that begins with these sentences; None if the texts differ before one ends."""
    i, j, left, right = first, second, "", ""
    while True:
        if not left:
            if i == len(gold):
                return None
            left, i = measure(gold[i]).chars, i + 1
        if not right:
            if j == len(predicted):
                return None
            right, j = measure(predicted[j]).chars, j + 1
        shared = min(len(left), len(right))
        if left[:shared] != right[:shared]:
            return None
        left, right = left[shared:], right[shared:]
        if not left and not right:
            return Block((first, i), (second, j), measure)


def in_order_of(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> list[Sentence] | None:
    """Return the predicted sentences with documents in gold's order; None unless names give another order.

    Names decide if every sentence has the name of a document, the sentences of each document are together, and both
    files have the same documents. Otherwise the order of the file does.
    """
    ours, theirs = _by_name(gold), _by_name(predicted)
    if ours is None or theirs is None or ours.keys() != theirs.keys() or [*ours] == [*theirs]:
        return None
    return [sentence for name in ours for sentence in theirs[name]]


def _by_name(sentences: Sequence[Sentence]) -> dict[object, list[Sentence]] | None:
    """Return the sentences of each document; None if one has no name, or its sentences are not together."""
    found: dict[object, list[Sentence]] = {}
    before: object = None
    for sentence in sentences:
        name = document_name(sentence)
        if name is None or (name != before and name in found):
            return None
        found.setdefault(name, []).append(sentence)
        before = name
    return found


def document_name(sentence: Sentence) -> str | int | None:
    """Return the name of the document of a sentence: as its file says, or the `id` of its record."""
    if sentence.document is not None:
        return sentence.document
    name = (sentence.record or {}).get("id")
    return name if isinstance(name, (str, int)) else None
