"""Tokens and sentences of raw English text, as character ranges of that text.

spaCy's English rules split the words (`don't` is `do` `n't`, `cannot` is `can` `not`); nothing of the text is changed
or lost. Added here: an emoji of several code points stays whole, any stream of texts takes bounded memory and linear
time, and sentences, which end at the marks of spaCy's sentencizer, keep their opening quotes and brackets. spaCy is
imported when the first text is split. Text that is tokenised already needs none of this: it has mode `blanks` and
`Sentence.from_tokens`.
"""

import re
import reprlib
import threading
import unicodedata
from functools import cache
from importlib.metadata import version
from typing import Any, Literal

from tagger.errors import DataError
from tagger.text.sentence import Sentence

Tokenize = Literal["words", "blanks"]

MAX_WORDS = 100_000  # distinct words that spaCy may hold, some 450 bytes each; then it starts afresh, in 0.1 seconds
MAX_RUN = 1_000  # characters without white space that are split at once: spaCy's time is quadratic in them

_PICTURE = r"[©®‼-⁉\u2100-\u2bff\u3030-\u3299\U0001f000-\U0001faff]"
_MODIFIER = r"[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
_FLAG = r"[\U0001f1e6-\U0001f1ff]{2}"
_EMOJI = re.compile(rf"{_FLAG}|[#*0-9]\ufe0f?\u20e3|{_PICTURE}(?:{_MODIFIER}|\u200d{_PICTURE})+")
_LONG_RUN = re.compile(rf"\S{{{MAX_RUN}}}")
_SURROGATE = re.compile("[\ud800-\udfff]")

CharSpan = tuple[int, int]


def tokenize(text: str) -> list[CharSpan]:
    """First and past-the-last character of each token; every character but white space is in exactly one.

    A run of more than `MAX_RUN` characters without white space is split at each `MAX_RUN`th, whatever stands there.
    """
    if text.isascii() and len(text) <= MAX_RUN:  # nothing to keep apart: most texts, the short way
        return _RULES.spans(text)
    spans: list[CharSpan] = []
    position = 0
    for emoji in _EMOJI.finditer(text):
        spans += _words(text, position, emoji.start())
        spans.append(emoji.span())
        position = emoji.end()
    return spans + _words(text, position, len(text))


def split_sentences(text: str) -> list[CharSpan]:
    """First and past-the-last character of each sentence of a document; sentences begin and end with a token.

    A sentence ends at a mark such as `.` and the punctuation that follows it, and always at two or more line breaks.
    """
    spans = tokenize(text)
    marks = _sentence_marks()
    starts, mark = [0], None  # `mark`: the last token that may end the sentence
    for i, (start, end) in enumerate(spans):
        if i and len((text[spans[i - 1][1] : start] + ".").splitlines()) > 2:
            starts.append(i)
            mark = None
        if text[start:end] in marks:
            mark = i
        elif mark is not None and not all(unicodedata.category(char).startswith("P") for char in text[start:end]):
            starts.append(_first_attached(spans, mark, i))
            mark = None
    ends = [*starts[1:], len(spans)]
    return [(spans[i][0], spans[j - 1][1]) for i, j in zip(starts, ends, strict=True)] if spans else []


def sentence_from_text(text: str, mode: Tokenize = "words", *, start: int = 0) -> Sentence:
    """The sentence that a text is, split into words or only at white space.

    Args:
        text: One sentence; it becomes the text of the result, unchanged.
        mode: `words` splits by the rules of this module, `blanks` at white space only.
        start: Where the text begins in its document; all offsets count from there, so that they are the document's.

    Raises:
        DataError: The text is empty or white space.
    """
    spans = tokenize(text) if mode == "words" else [match.span() for match in re.finditer(r"\S+", text)]
    if not spans:
        raise DataError(
            "the text holds no token: must have at least one character that is not white space, "
            f"got {reprlib.repr(text)}. Pass a sentence."
        )
    tokens = tuple(text[first:end] for first, end in spans)
    return Sentence(tokens, text, tuple((start + first, start + end) for first, end in spans))


def tokenizer_name() -> str:
    """Name, version and language of the rules, such as `spacy 3.8.7 en`, to be kept with a model."""
    return f"spacy {version('spacy')} en"


class _Rules:
    """spaCy's English tokenizer, one for all threads, made when first used and again when it holds `MAX_WORDS`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokenizer: Any = None

    def spans(self, text: str) -> list[CharSpan]:
        """The tokens of a text without lone surrogates."""
        with self._lock:
            if self._tokenizer is None or len(self._tokenizer.vocab.strings) > MAX_WORDS:
                self._tokenizer = _english_tokenizer()
            words = self._tokenizer(text)
            return [(start, start + len(word)) for word in words if not text[start := word.idx].isspace()]


_RULES = _Rules()


def _words(text: str, start: int, end: int) -> list[CharSpan]:
    """The tokens of `text[start:end]`, with offsets into `text`."""
    part = _SURROGATE.sub("\ufffd", text[start:end])  # spaCy encodes to UTF-8, which has none
    cuts = [match.end() for match in _LONG_RUN.finditer(part)]
    pieces = zip([0, *cuts], [*cuts, len(part)], strict=True)
    return [(start + i + first, start + i + last) for i, j in pieces for first, last in _RULES.spans(part[i:j])]


def _first_attached(spans: list[CharSpan], mark: int, token: int) -> int:
    """The first of the tokens that stand, after a blank behind the mark, directly before `token`: opening quotes."""
    first = token
    while first > mark and spans[first - 1][1] == spans[first][0]:
        first -= 1
    return first if first > mark else token


def _english_tokenizer() -> Any:
    """A tokenizer with spaCy's rules and an empty vocabulary, which computes no features of words."""
    from spacy.lang.en import English
    from spacy.tokenizer import Tokenizer
    from spacy.util import compile_infix_regex, compile_prefix_regex, compile_suffix_regex
    from spacy.vocab import Vocab

    rules = English.Defaults
    return Tokenizer(
        Vocab(),
        rules={chunk: words for chunk, words in rules.tokenizer_exceptions.items() if not chunk.isspace()},
        prefix_search=compile_prefix_regex(rules.prefixes or ()).search,
        suffix_search=compile_suffix_regex(rules.suffixes or ()).search,
        infix_finditer=compile_infix_regex(rules.infixes or ()).finditer,
        token_match=rules.token_match,
        url_match=rules.url_match,
        max_cache_size=MAX_WORDS,
    )


@cache
def _sentence_marks() -> frozenset[str]:
    """The tokens at which a sentence may end."""
    from spacy.pipeline import Sentencizer

    return frozenset(Sentencizer.default_punct_chars)
