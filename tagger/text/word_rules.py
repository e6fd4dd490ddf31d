"""Split text into words by spaCy's English rules, which are read from its installed files without importing it.

Importing spaCy takes more than half a second. Only its tables are executed here: regular expressions for prefixes,
suffixes and infixes, the pattern of a URL, and special cases such as `don't`.

Source:
    The algorithm is that of spaCy's `Tokenizer`. Compared with it in tests/text/test_word_rules.py.
"""

import builtins
import re
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from tagger.text.segmentation import CharSpan as CharSpan

MAX_CHUNKS = 100_000  # distinct strings without white space whose words are kept, about 500 bytes each

Special = list[dict[str, str]]

_GAP_OR_CHUNK = re.compile(r"\s+|\S+")


class _Cut(NamedTuple):
    """The words of one chunk, and whether a phrase may have begun before it or may continue after it."""

    spans: tuple[CharSpan, ...]
    follows: bool
    leads: bool


class WordRules:
    """Splits a text into words. Threads may share it.

    Args:
        specials: The words of each special case, a string that the other rules do not split.
        prefix: Finds a prefix at the start of a string.
        suffix: Finds a suffix at the end of a string.
        infixes: Finds the parts inside a string that are separate words.
        url: Matches a string that is not split.
    """

    def __init__(
        self,
        specials: Mapping[str, Sequence[str]],
        *,
        prefix: "re.Pattern[str]",
        suffix: "re.Pattern[str]",
        infixes: "re.Pattern[str]",
        url: Callable[[str], object],
    ) -> None:
        self._specials = specials
        self._prefix, self._suffix, self._infixes, self._url = prefix, suffix, infixes, url
        cuttable = [s for s in specials if prefix.search(s) or suffix.search(s) or infixes.search(s)]
        self._phrases = {tuple(self._split(string, {})) for string in cuttable}
        self._longest = max(map(len, self._phrases), default=0)
        self._leads = {word for phrase in self._phrases for word in phrase[:-1]}
        self._follows = {word for phrase in self._phrases for word in phrase[1:]}
        self._cache: dict[str, _Cut] = {}

    def spans(self, text: str) -> list[CharSpan]:
        """Return start and end of each word."""
        found: list[CharSpan] = []
        end, led = 0, False
        for chunk in text.split():
            spans, follows, leads = self._cache.get(chunk) or self._cut(chunk)
            if led and follows:
                return self._spans_of_all(text)
            start, led = text.index(chunk, end), leads
            end = start + len(chunk)
            if len(spans) == 1:
                found.append((start, end))
            else:
                found += [(start + first, start + last) for first, last in spans]
        return found

    def _cut(self, chunk: str) -> _Cut:
        words = self._split(chunk, self._specials)
        spans = tuple(self._joined(_placed(words, 0)))
        cut = _Cut(spans, words[0] in self._follows, words[-1] in self._leads)
        if len(self._cache) >= MAX_CHUNKS:
            self._cache.clear()
        self._cache[chunk] = cut
        return cut

    def _spans_of_all(self, text: str) -> list[CharSpan]:
        """Return the result of `spans` for a text in which a phrase may extend over several chunks.

        White space is a token that separates words, except for a single space after a word.
        """
        tokens: list[tuple[str, int]] = []
        for match in _GAP_OR_CHUNK.finditer(text):
            if not match[0].isspace():
                tokens += _placed(self._split(match[0], self._specials), match.start())
            elif not tokens or match[0] != " ":
                tokens.append((match[0], match.start()))
        return [(start, end) for start, end in self._joined(tokens) if not text[start].isspace()]

    def _split(self, chunk: str, specials: Mapping[str, Sequence[str]]) -> list[str]:
        """Return the words of a string without white space: prefixes, the middle, and suffixes."""
        before: list[str] = []
        behind: list[str] = []
        rest, size = chunk, -1
        while rest and len(rest) != size and rest not in specials:
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
        elif not rest or self._url(rest):
            middle = [rest] * bool(rest)
        else:
            middle = self._at_infixes(rest)
        return [*before, *middle, *reversed(behind)]

    def _at_infixes(self, string: str) -> list[str]:
        words, start = [], 0
        for match in self._infixes.finditer(string):
            if match.start():  # an infix at the start of the string is not split off
                words += [string[start : match.start()], match[0]]
                start = match.end()
        return [word for word in (*words, string[start:]) if word]

    def _joined(self, tokens: Sequence[tuple[str, int]]) -> list[CharSpan]:
        """Return the spans of tokens at these positions, with runs of tokens that are special cases split as such.

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
            string = "".join(words[i:j])
            if i in chosen and spans[j - 1][1] - spans[i][0] == len(string) and string in self._specials:
                out += [(start, start + len(word)) for word, start in _placed(self._specials[string], spans[i][0])]
            else:
                out += spans[i:j]
            i = j
        return out


def _placed(words: Sequence[str], start: int) -> list[tuple[str, int]]:
    """Return words that follow each other without gaps, each with its position."""
    placed = []
    for word in words:
        placed.append((word, start))
        start += len(word)
    return placed


def read_word_rules() -> WordRules:
    """Return the rules for English, from the files of the installed spaCy."""
    spec = find_spec("spacy")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named 'spacy'", name="spacy")
    read = _reader(Path(spec.origin).parent)
    affixes = read("lang.punctuation")
    specials = {
        chunk: [word["orth"] for word in words]
        for chunk, words in read("lang.en.tokenizer_exceptions").TOKENIZER_EXCEPTIONS.items()
        if not chunk.isspace()
    }
    return WordRules(
        specials,
        prefix=re.compile("|".join("^" + piece for piece in affixes.TOKENIZER_PREFIXES if piece.strip())),
        suffix=re.compile("|".join(piece + "$" for piece in affixes.TOKENIZER_SUFFIXES if piece.strip())),
        infixes=re.compile("|".join(filter(str.strip, read("lang.en.punctuation").TOKENIZER_INFIXES))),
        url=read("lang.tokenizer_exceptions").URL_MATCH,
    )


def _reader(root: Path) -> Callable[[str], SimpleNamespace]:
    """Return a function that executes a module in spaCy's folder without importing spaCy.

    Relative imports are executed in the same way. Apart from tables, these modules need only the names of two
    attributes and a function that merges special cases; both are replaced.
    """
    done = {"symbols": SimpleNamespace(ORTH="orth", NORM="norm"), "util": SimpleNamespace(update_exc=_merged)}

    def read(name: str) -> SimpleNamespace:
        if name not in done:
            package = name.split(".")[:-1]

            def load(module: str, *rest: Any) -> Any:
                level = rest[3] if len(rest) > 3 else 0
                if not level:
                    return builtins.__import__(module, *rest)
                return read(".".join([*package[: len(package) - level + 1], module]))

            path = str(root.joinpath(*name.split(".")).with_suffix(".py"))
            code = SourceFileLoader(name, path).get_code(name)
            values: dict[str, Any] = {"__builtins__": {**vars(builtins), "__import__": load}, "__name__": name}
            assert code is not None
            exec(code, values)
            done[name] = SimpleNamespace(**values)
        return done[name]

    return read


def _merged(base: Mapping[str, Special], *more: Mapping[str, Special]) -> dict[str, Special]:
    """Return the special cases of several tables, and copies with typographic apostrophes."""
    merged = {chunk: words for table in (base, *more) for chunk, words in table.items()}
    curly = {
        chunk.replace("'", "’"): [{**word, "orth": word["orth"].replace("'", "’")} for word in words]
        for chunk, words in merged.items()
        if "'" in chunk
    }
    return {**merged, **curly}
