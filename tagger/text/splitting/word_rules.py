"""Split text into words by the rules of a language, which are plain data: patterns, and special cases such as `don't`.

Source:
    The algorithm is that of spaCy's `Tokenizer`. Compared with it in tests/text/test_word_rules.py.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from hashlib import sha256
from typing import NamedTuple

from tagger.text.splitting.segmentation import CharSpan as CharSpan

MAX_CHUNKS = 50_000  # distinct strings without white space whose words are kept, about 500 bytes each


_BLANKS = re.compile(r"(\s+)")
_GAP_OR_CHUNK = re.compile(r"\s+|\S+")


@dataclass(frozen=True, eq=False)
class WordTable:
    """The rules of a language. Two tables are equal if their `sha256` is.

    Args:
        specials: The words of each special case, a string that the other rules do not split.
        prefix: Pattern of a prefix at the start of a string.
        suffix: Pattern of a suffix at the end of a string.
        infix: Pattern of the parts inside a string that are separate words.
        token: Pattern of the start of a string that no rule splits; None if there is none.
        url: Pattern of the start of a string that is not split at infixes; None if there is none.
    """

    specials: Mapping[str, tuple[str, ...]]
    prefix: str
    suffix: str
    infix: str
    token: str | None
    url: str | None

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the rules, written as JSON with sorted keys."""
        content = json.dumps(
            {part.name: getattr(self, part.name) for part in fields(self)}, ensure_ascii=False, sort_keys=True
        )
        return sha256(content.encode("utf-8", "surrogatepass")).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WordTable) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def with_single_words(self) -> "WordTable":
        """Return these rules with special cases cut at white space: `EE. UU.` is two words, and not one."""
        cut = {
            string: tuple(piece for word in words for piece in _BLANKS.split(word) if piece)
            for string, words in self.specials.items()
        }
        return replace(self, specials=cut)


class _Cut(NamedTuple):
    """The words of one chunk, and whether a phrase may have begun before it or may continue after it."""

    spans: tuple[CharSpan, ...]
    follows: bool
    leads: bool


_ONE_WORD = _Cut((), follows=False, leads=False)  # of a chunk that is one word, and no part of a phrase


class WordRules:
    """Splits a text into words. Threads may share it.

    Args:
        table: The rules.
    """

    def __init__(self, table: WordTable) -> None:
        self.table = table
        self._specials = table.specials
        self._prefix, self._suffix, self._infix = map(re.compile, (table.prefix, table.suffix, table.infix))
        self._whole = _matcher(table.token)
        affixes = (self._prefix, self._suffix, self._infix)
        parsed = [s for s in table.specials if " " in s or any(affix.search(s) for affix in affixes)]
        self._phrases = {tuple(word for word, _ in self._tokens(string, {})) for string in parsed}
        self._longest = max(map(len, self._phrases), default=0)
        self._leads = {word for phrase in self._phrases for word in phrase[:-1]}
        self._follows = {word for phrase in self._phrases for word in phrase[1:]}
        self._cache: dict[str, _Cut] = {}

    @cached_property
    def _url(self) -> Callable[[str], object]:
        """What tells whether a string is one word for its start; compiled for the first string with an infix."""
        return _matcher(self.table.url)

    def spans(self, text: str) -> list[CharSpan]:
        """Return start and end of each word."""
        found: list[CharSpan] = []
        end, led, joined = 0, False, False
        first, before = 0, 0  # start of the chunks that phrases may join, and the number of words before them
        cached, index, add = self._cache.get, text.index, found.append
        for chunk in text.split():
            cut = cached(chunk) or self._cut(chunk)
            start = index(chunk, end)
            if joined and not (led and cut.follows):
                found[before:] = self._spans_of_all(text, first, end)
                joined = False
            if cut is _ONE_WORD:  # most chunks
                end, led = start + len(chunk), False
                add((start, end))
                continue
            if led and cut.follows:
                joined = True
            else:
                first, before = start, len(found)
            end, led = start + len(chunk), cut.leads
            found += [(start + begin, start + last) for begin, last in cut.spans]
        if joined:
            found[before:] = self._spans_of_all(text, first, end)
        return found

    def _cut(self, chunk: str) -> _Cut:
        words = self._split(chunk, self._specials)
        spans = tuple(self._joined(_placed(words, 0), chunk))
        cut = _Cut(spans, words[0] in self._follows, words[-1] in self._leads)
        cut = _ONE_WORD if len(spans) == 1 and not (cut.follows or cut.leads) else cut
        if len(self._cache) >= MAX_CHUNKS:
            self._cache.clear()
        self._cache[chunk] = cut
        return cut

    def _spans_of_all(self, text: str, first: int, last: int) -> list[CharSpan]:
        """Return the words of `text[first:last]`, whose chunks may form phrases together.

        White space is a token that separates words, except for a space after a word.
        """
        text = text[first:last]
        spans = self._joined(self._tokens(text, self._specials), text)
        return [(first + start, first + end) for start, end in spans if not text[start:end].isspace()]

    def _tokens(self, text: str, specials: Mapping[str, Sequence[str]]) -> list[tuple[str, int]]:
        """Return the tokens of a text and their positions, before phrases are looked for."""
        tokens: list[tuple[str, int]] = []
        for match in _GAP_OR_CHUNK.finditer(text):
            start, end = match.span()
            if not match[0].isspace():
                tokens += _placed(self._split(match[0], specials), start)
                continue
            start += bool(tokens) and text[start] == " "
            if start < end:
                tokens.append((text[start:end], start))
        return tokens

    def _split(self, chunk: str, specials: Mapping[str, Sequence[str]]) -> list[str]:
        """Return the words of a string without white space: prefixes, the middle, and suffixes."""
        before: list[str] = []
        behind: list[str] = []
        rest, size = chunk, -1
        while rest and len(rest) != size and not (self._whole(rest) or rest in specials):
            size = len(rest)
            prefix = self._prefix.search(rest)
            first = prefix.end() - prefix.start() if prefix else 0
            if first and rest[first:] in specials:
                before.append(rest[:first])
                rest = rest[first:]
                break
            suffix = self._suffix.search(rest[first:])
            last = suffix.end() - suffix.start() if suffix else 0
            if last:
                behind.append(rest[-last:])
                if rest[:-last] in specials:  # including its prefix, which is then not split off
                    rest = rest[:-last]
                    break
            if first:
                before.append(rest[:first])
            rest = rest[first : len(rest) - last]
        if rest in specials:
            middle = specials[rest]
        else:
            middle = self._at_infixes(rest)
            if len(middle) > 1 and (self._whole(rest) or self._url(rest)):
                middle = [rest]
        return [*before, *middle, *reversed(behind)]

    def _at_infixes(self, string: str) -> list[str]:
        words, start = [], 0
        for match in self._infix.finditer(string):
            if match.start():  # an infix at the start of the string is not split off
                words += [string[start : match.start()], match[0]]
                start = match.end()
        return [word for word in (*words, string[start:]) if word]

    def _joined(self, tokens: Sequence[tuple[str, int]], text: str) -> list[CharSpan]:
        """Return the spans of tokens of a text, with runs of tokens that are special cases split as such.

        Runs are chosen by length, then by position. A run that overlaps a longer one is skipped, but still blocks the
        shorter ones that overlap it, as in spaCy.
        """
        words = [word for word, _ in tokens]
        runs = [
            (i, i + n)
            for n in range(self._longest, 0, -1)
            for i in range(len(words) - n + 1)
            if tuple(words[i : i + n]) in self._phrases
        ]
        spans = [(start, start + len(word)) for word, start in tokens]
        if not runs:
            return spans
        seen: set[int] = set()
        chosen: dict[int, int] = {}
        for i, j in runs:
            if i not in seen and j - 1 not in seen:
                chosen[i] = j
            seen.update(range(i, j))
        out: list[CharSpan] = []
        i = 0
        while i < len(words):
            j = chosen.get(i, i + 1)
            string = text[spans[i][0] : spans[j - 1][1]]
            if i in chosen and string in self._specials:
                out += [(start, start + len(word)) for word, start in _placed(self._specials[string], spans[i][0])]
            else:
                out += spans[i:j]
            i = j
        return out


def _matcher(pattern: str | None) -> Callable[[str], object]:
    """Return what tells whether a string starts with a pattern; nothing does if there is none."""
    return re.compile(pattern).match if pattern is not None else lambda string: None


def _placed(words: Sequence[str], start: int) -> list[tuple[str, int]]:
    """Return words that follow each other without gaps, each with its position."""
    placed = []
    for word in words:
        placed.append((word, start))
        start += len(word)
    return placed
