"""Where the texts of two files differ first: the place in both, what each has there, and what to do."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tagger.alignment.blocks import document_name
from tagger.errors import DataError
from tagger.text.sentence import Sentence, place_of
from tagger.wording import counted, shorten

NEAR = 2  # words shown on each side of a difference


class Position(NamedTuple):
    """A token: the number of its sentence and its own number."""

    sentence: int
    token: int


def first_difference(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], start: tuple[int, int] = (0, 0)
) -> DataError:
    """Return the error for two files whose texts differ.

    Args:
        gold: The gold sentences.
        predicted: The predicted sentences.
        start: Sentences of both up to which the texts are the same.
    """
    ours, theirs = _first(gold, predicted, start)
    if ours is None or theirs is None:
        return _of_length(gold, predicted, ours, theirs)
    return DataError(
        f"{_place(gold, ours)}: gold and prediction must have the same text, got {_shown(gold, ours)} in gold and "
        f"{_shown(predicted, theirs)} at {_place(predicted, theirs)} in the prediction; "
        f"{_advice(gold, predicted, ours, theirs)}{_documents(gold, predicted)}"
    )


def _first(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], start: tuple[int, int]
) -> tuple[Position | None, Position | None]:
    """Return the first tokens with different characters; None where a file has ended."""
    sides = (_tokens(gold, start[0]), _tokens(predicted, start[1]))
    at: list[Position | None] = [None, None]
    before: list[Position | None] = [None, None]
    rest, used = ["", ""], [0, 0]
    while True:
        for side, tokens in enumerate(sides):
            if not rest[side]:
                before[side], used[side] = at[side], 0
                at[side], rest[side] = next(tokens, (None, ""))
        if not (rest[0] and rest[1]):
            return at[0], at[1]
        shared = min(map(len, rest))
        if rest[0][:shared] != rest[1][:shared]:
            # A word that is longer on one side ("dog", "dogs") shows in the word after it on the other.
            return (
                before[0] if not used[0] and used[1] else at[0],
                before[1] if not used[1] and used[0] else at[1],
            )
        rest, used = [part[shared:] for part in rest], [number + shared for number in used]


def _tokens(sentences: Sequence[Sentence], start: int) -> Iterator[tuple[Position, str]]:
    """Yield each token with a visible character, and these characters, from a sentence on."""
    for number in range(start, len(sentences)):
        for i, token in enumerate(sentences[number].tokens):
            if chars := "".join(token.split()):
                yield Position(number, i), chars


def _of_length(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], ours: Position | None, theirs: Position | None
) -> DataError:
    """Return the error for a file that ends while the other goes on."""
    numbers = f"{counted(len(gold), 'sentence')} in gold and {len(predicted)} in the prediction"
    position, longer = (ours, gold) if ours is not None else (theirs, predicted)
    if position is None:
        return DataError(f"gold and prediction must have the same sentences, got {numbers}; remove the blank ones")
    which, other = ("gold", "the prediction") if longer is gold else ("the prediction", "gold")
    left = counted(len(longer) - position.sentence, "sentence")
    advice = "tag all sentences of gold" if longer is gold else "remove from the prediction what gold lacks"
    return DataError(
        f"{_place(longer, position)}: gold and prediction must have the same text, got {left} of {which} from "
        f"{_shown(longer, position)} on where {other} has ended ({numbers}); {advice}{_documents(gold, predicted)}"
    )


def _advice(gold: Sequence[Sentence], predicted: Sequence[Sentence], ours: Position, theirs: Position) -> str:
    """Return what the difference is, if it shows, and how to fix it."""
    left, right = _word(gold, ours), _word(predicted, theirs)
    if unicodedata.normalize("NFKC", left) == unicodedata.normalize("NFKC", right):
        return "they differ only in Unicode normalisation; write both files in one form, such as NFC"
    if _without_invisible(left) == _without_invisible(right):
        return "they differ only in invisible characters, such as a byte order mark; remove these"
    if left.casefold() == right.casefold():
        return "they differ only in case; write the words of the prediction as gold does"
    starts = ours.token == theirs.token == 0
    if starts and _as_often(gold, predicted, gold[ours.sentence], predicted[theirs.sentence]):
        return "both files have the two sentences, in another order; write the prediction in the order of gold"
    if starts and _same(gold, ours.sentence + 1, predicted, theirs.sentence):
        return "the prediction lacks this sentence of gold; tag it too"
    if starts and _same(gold, ours.sentence, predicted, theirs.sentence + 1):
        return "gold lacks this sentence of the prediction; remove it"
    if right == _word(gold, ours, 1):
        return "the prediction lacks this word of gold; tag the sentences of gold as they are"
    if left == _word(predicted, theirs, 1):
        return "gold lacks this word of the prediction; tag the sentences of gold as they are"
    return "tag the sentences of gold, or pass the gold file that was tagged"


def _documents(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> str:
    """Return a remark on the documents that only one of the files has, if they have others in common."""
    ours = dict.fromkeys(name for s in gold if (name := document_name(s)) is not None)
    theirs = dict.fromkeys(name for s in predicted if (name := document_name(s)) is not None)
    if not ours.keys() & theirs.keys():
        return ""
    lacking = [name for name in ours if name not in theirs]
    further = [name for name in theirs if name not in ours]
    parts = [f"the prediction lacks {_named(lacking)}"] if lacking else []
    parts += [f"gold lacks {_named(further)}"] if further else []
    return f" ({', '.join(parts)})" if parts else ""


def _named(names: Sequence[object]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"the document {shorten(names[0])}{more}"


def _same(gold: Sequence[Sentence], i: int, predicted: Sequence[Sentence], j: int) -> bool:
    return i < len(gold) and j < len(predicted) and gold[i].tokens == predicted[j].tokens


def _as_often(gold: Sequence[Sentence], predicted: Sequence[Sentence], *each: Sentence) -> bool:
    """Whether each of these sentences is in gold as often as in the prediction."""
    ours, theirs = (Counter(sentence.tokens for sentence in side) for side in (gold, predicted))
    return all(ours[sentence.tokens] == theirs[sentence.tokens] for sentence in each)


def _without_invisible(text: str) -> str:
    return "".join(char for char in text if unicodedata.category(char) != "Cf")


def _word(sentences: Sequence[Sentence], position: Position, further: int = 0) -> str:
    tokens, i = sentences[position.sentence].tokens, position.token + further
    return tokens[i] if i < len(tokens) else ""


def _shown(sentences: Sequence[Sentence], position: Position) -> str:
    """Return a token and its neighbours."""
    tokens, i = sentences[position.sentence].tokens, position.token
    near = tokens[max(0, i - NEAR) : i + NEAR + 1]
    return f"{shorten(tokens[i])} in {shorten(' '.join(near))}" if len(near) > 1 else shorten(tokens[i])


def _place(sentences: Sequence[Sentence], position: Position) -> str:
    """Return where a token is: file and line, or the number of its sentence, from 1."""
    sentence = sentences[position.sentence]
    return place_of(sentence, position.token) if sentence.origin else f"sentence {position.sentence + 1}"
