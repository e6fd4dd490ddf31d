"""Sentences with their neighbours in the same document, for features that read beyond the sentence."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from tagger.text.frames import Frames
from tagger.text.sentence import Sentence


class Passage(NamedTuple):
    """The tokens of a sentence, and those before and after it in its document.

    Args:
        tokens: The tokens of the sentence.
        before: Tokens of the sentences before it.
        after: Tokens of the sentences after it.
        starts_before: Positions in `before` at which a sentence starts, apart from the first position.
        starts_after: The same for `after`.
        frames: The numbers of the tokens, if the sentence is a sequence of numbers.
    """

    tokens: tuple[str, ...]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    starts_before: tuple[int, ...] = ()
    starts_after: tuple[int, ...] = ()
    frames: Frames | None = None

    def within(self, context: int) -> "Passage":
        """Return the passage with at most `context` neighbouring tokens on each side."""
        cut = max(len(self.before) - context, 0)
        starts_before = tuple(start - cut for start in self.starts_before if start > cut)
        starts_after = tuple(start for start in self.starts_after if start < context)
        return self._replace(
            before=self.before[cut:],
            after=self.after[:context],
            starts_before=starts_before,
            starts_after=starts_after,
        )


def by_document(sentences: Iterable[Sentence]) -> Iterator[Iterator[Sentence]]:
    """Yield the sentences of each document; neighbours with the same name of a document belong to one.

    A sentence without such a name is alone, and is yielded before the next one is asked for. Each iterator must be
    exhausted before the next one is asked for.
    """
    source = iter(sentences)
    held: list[Sentence] = []  # the first sentence of the next document

    def rest(first: Sentence) -> Iterator[Sentence]:
        yield first
        for sentence in source:
            if sentence.document != first.document:
                held.append(sentence)
                return
            yield sentence

    while True:
        first = held.pop() if held else next(source, None)
        if first is None:
            return
        yield iter([first]) if first.document is None else rest(first)


def joined(parts: Iterable[Sequence[Sentence]]) -> list[Sentence]:
    """Return the sentences of several parts, whose documents stay apart.

    Where a part begins with a document that has the name of the last one before it, its name gets the number of the
    part: `2.NAME`.
    """
    found: list[Sentence] = []
    for number, part in enumerate(parts, 1):
        last = found[-1].document if found else None
        same = next((i for i, sentence in enumerate(part) if last is None or sentence.document != last), len(part))
        found += [replace(sentence, document=f"{number}.{last}") for sentence in part[:same]]
        found += part[same:]
    return found


def have_neighbours(sentences: Iterable[Sentence]) -> bool:
    """Whether any document has several sentences."""
    return any(len(list(islice(document, 2))) > 1 for document in by_document(sentences))


def with_passages(document: Iterable[Sentence], context: int) -> Iterator[tuple[Sentence, Passage]]:
    """Yield each sentence of a document with its passage of at most `context` neighbouring tokens on each side.

    Sentences are read no further ahead than the context needs.
    """
    source, ahead = iter(document), deque[Sentence]()
    before: deque[tuple[str, bool]] = deque(maxlen=context)
    while True:
        sentence = ahead.popleft() if ahead else next(source, None)
        if sentence is None:
            return
        ahead_tokens = sum(map(len, ahead))
        while ahead_tokens < context and (following := next(source, None)) is not None:
            ahead.append(following)
            ahead_tokens += len(following)
        tokens_before, starts_before = _split(before)
        tokens_after, starts_after = _split(islice((pair for each in ahead for pair in _marked(each)), context))
        passage = Passage(
            sentence.tokens, tokens_before, tokens_after, starts_before, starts_after, frames=sentence.frames
        )
        yield sentence, passage
        before.extend(_marked(sentence))


def _marked(sentence: Sentence) -> Iterator[tuple[str, bool]]:
    """Yield each token, and whether it is the first one."""
    return ((token, i == 0) for i, token in enumerate(sentence.tokens))


def _split(marked: Iterable[tuple[str, bool]]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return tokens, and the positions behind the first at which a sentence starts."""
    pairs = tuple(marked)
    return tuple(token for token, _ in pairs), tuple(i for i, (_, starts) in enumerate(pairs) if starts and i)


def passages_of(sentences: Iterable[Sentence], context: int) -> Iterator[tuple[Sentence, Passage]]:
    """Yield each sentence with its passage."""
    if not context:
        yield from ((sentence, Passage(sentence.tokens, frames=sentence.frames)) for sentence in sentences)
        return
    for document in by_document(sentences):
        yield from with_passages(document, context)
