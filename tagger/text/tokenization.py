"""Split raw text into sentences and tokens, as character ranges of the text.

The text is never changed, and no character is lost. `TextRules` is what a recipe says about it: how texts become tokens
(`tokenize`, `language`, `split_on`) and sentences (`segment`). The rules of a language are those of spaCy, which
`splitting/word_rules.py` applies. For text that is already tokenised, use the mode `blanks` or `Sentence.from_tokens`.
"""

import re
import reprlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Literal, get_args

from tagger.errors import DataError
from tagger.text.characters import split_characters
from tagger.text.sentence import Sentence, plain
from tagger.text.splitting.segmentation import CharSpan as CharSpan
from tagger.text.splitting.segmentation import as_one, at_lines, at_marks, with_final_stop
from tagger.text.splitting.word_rules import WordRules, WordTable
from tagger.text.word_tables import check_language, installed_table, source_name

Tokenize = Literal["words", "spacy", "blanks", "characters", "symbols"]
Split = Callable[[str], Sequence[str] | Sequence[CharSpan]]  # a function of the user
Segment = Literal["rules", "lines", "none"]

MAX_RUN = 1_000  # characters without white space that are split at once; the time is quadratic in their number

_CHOICES = {"tokenize": get_args(Tokenize), "segment": get_args(Segment)}
VERSION = 2  # of the rules that `words` adds

_PICTURE = r"[©®‼-⁉\u2100-\u2bff\u3030-\u3299\U0001f000-\U0001faff]"
_MODIFIER = r"[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
_FLAG = r"[\U0001f1e6-\U0001f1ff]{2}"
_EMOJI = rf"{_FLAG}|[#*0-9]\ufe0f?\u20e3|{_PICTURE}(?:{_MODIFIER}|\u200d{_PICTURE})+"
_LONG_RUN = re.compile(rf"\S{{{MAX_RUN}}}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CHUNK = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class TextRules:
    """How a text becomes sentences and tokens: the same in training, scoring and tagging.

    To the rules of a language, `words` adds:

    - An emoji of several code points is one token.
    - No token has white space in it, and a run of more than `MAX_RUN` characters without white space is split after
      every `MAX_RUN` characters.
    - The full stop that ends a sentence is a token of its own; see `with_final_stop` (since version 2).

    Args:
        tokenize: `words` splits by the rules of a language and those above; `spacy` by the rules of the
            language alone, as spaCy does; `blanks` at white space only; `characters` splits scripts without blanks,
            such as Chinese, into characters; `symbols` makes a token of every character that is not white space, as
            in `ACGT`; `function` calls `function`.
        language: Code of the language whose rules `words` and `spacy` use.
        split_on: Characters that are always tokens of their own.
        segment: Where sentences end: at marks such as `.` (`rules`), at line breaks (`lines`), or only with the text
            (`none`). Default: at line breaks if `tokenize` is `blanks` or `symbols`, otherwise at marks.
        version: Number of the rules of this module that `words` uses; a model keeps that of its training.
        table: The rules of the language, as a model has them. Default: those of the installed spaCy.
        function: Returns the tokens of a text, or start and end of each. A model that was loaded lacks it until it is
            given again.
        function_name: Its name.
    """

    tokenize: Tokenize | Literal["function"] = "words"
    language: str = "en"
    split_on: str = ""
    segment: Segment | None = None
    version: int = VERSION
    table: WordTable | None = field(default=None, repr=False)
    function: Split | None = field(default=None, repr=False, compare=False)
    function_name: str = ""

    def __post_init__(self) -> None:
        if self.uses_table and self.table is None:
            check_language(self.language)

    @property
    def settings(self) -> dict[str, str]:
        """The settings that a recipe has, without `segment` if that is the default."""
        names = ("tokenize", "language", "split_on", "segment")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    @property
    def uses_table(self) -> bool:
        """Whether tokens depend on the rules of a language."""
        return self.tokenize in ("words", "spacy")

    @property
    def name(self) -> str:
        """What splits a text into tokens, such as `spacy 3.8.7 en` or `blanks`; it is stored with a model."""
        if self.tokenize == "function":
            return f"function {self.function_name}"
        return f"{source_name() or 'spacy'} {self.language}" if self.uses_table else self.tokenize

    @property
    def segments_at(self) -> Segment:
        """Where sentences end: `segment`, or its default."""
        return self.segment or ("lines" if self.tokenize in ("blanks", "symbols") else "rules")

    def changed(self, **settings: str) -> "TextRules":
        """Return these rules with other settings: `tokenize`, `language`, `split_on` or `segment`.

        Raises:
            ValueError: A setting is unknown or has a wrong value.
        """
        for name, value in settings.items():
            choices = _CHOICES.get(name)
            if name not in ("language", "split_on") and (choices is None or value not in choices):
                wanted = f"must be one of {', '.join(choices)}" if choices else "is not a setting of how text is split"
                raise ValueError(f"`{name}` {wanted}, got {value!r}")
        table = None if settings.get("language", self.language) != self.language else self.table
        return replace(self, **{"table": table, **settings})  # type: ignore[arg-type]

    def with_function(self, function: Split) -> "TextRules":
        """Return these rules with a function that splits texts into tokens."""
        parts = getattr(function, "__module__", None), getattr(function, "__qualname__", type(function).__qualname__)
        name = ".".join(filter(None, parts))
        return replace(self, tokenize="function", table=None, function=function, function_name=name)

    def with_table(self) -> "TextRules":
        """Return these rules with the rules of their language, to be kept with a model.

        Raises:
            DataError: They are those of spaCy, which is not installed.
        """
        if not self.uses_table or self.table is not None:
            return self
        return replace(self, table=installed_table(self.language))

    def tokens(self, text: str) -> list[CharSpan]:
        """Return start and end of each token; every character except white space is in exactly one token."""
        if text.isascii() and self.tokenize == "words" and not self.split_on and len(text) <= MAX_RUN:  # most texts
            return self._word_rules().spans(text)
        if self.tokenize == "function":
            return self._by_function(text)
        spans: list[CharSpan] = []
        position = 0
        for own in self._separate(text):
            spans += self._split(text, position, own.start())
            spans.append(own.span())
            position = own.end()
        return spans + self._split(text, position, len(text))

    def sentence(self, text: str, *, start: int = 0) -> Sentence:
        """Return a text as one sentence; `start`, its position in its document, is added to all offsets.

        Raises:
            DataError: The text is empty or white space.
        """
        text = plain(text)
        spans = self._ended(text, self.tokens(text))
        if not spans:
            raise DataError(
                "the text has no token: expected at least one character that is not white space, "
                f"got {reprlib.repr(text)}; pass a sentence"
            )
        tokens = tuple(text[first:end] for first, end in spans)
        return Sentence(tokens, text, tuple((start + first, start + end) for first, end in spans))

    def sentences(self, text: str, tokens: "Sequence[CharSpan] | None" = None) -> list[CharSpan]:
        """Return start and end of each sentence of a document. A text without tokens has none.

        Args:
            text: The document.
            tokens: Start and end of each token. Default: as these rules split the text.
        """
        if self.segments_at == "none":
            return as_one(text)
        if self.segments_at == "lines":
            return at_lines(text)
        return at_marks(text, self.tokens(text) if tokens is None else tokens)

    def split(self, text: str) -> list[Sentence]:
        """Return the sentences of a document, each with the whole text and with offsets in it.

        Their tokens are those that `sentence` gives for the part of the text, but the text is split into tokens once.
        """
        text = plain(text)
        tokens, last, sentences = self.tokens(text), 0, []
        for start, end in self.sentences(text, tokens):
            first = last
            while last < len(tokens) and tokens[last][0] < end:
                last += 1
            spans = tokens[first:last]
            if self.tokenize == "function" or _depends_on_its_neighbours(text, spans):
                spans = [(start + i, start + j) for i, j in self.tokens(text[start:end])]
            spans = self._ended(text, spans)
            sentences.append(Sentence(tuple([text[i:j] for i, j in spans]), text, tuple(spans)))
        return sentences

    def _ended(self, text: str, tokens: list[CharSpan]) -> list[CharSpan]:
        """Return the tokens of a sentence, with its full stop as a token of its own."""
        return with_final_stop(text, tokens) if self.tokenize == "words" and self.version > 1 else tokens

    def _separate(self, text: str) -> "Iterator[re.Match[str]]":
        """Yield the matches of what is one token whatever is around it."""
        pattern = _separators(self.split_on, emoji=self.tokenize in ("words", "characters"))
        return iter(()) if pattern is None else pattern.finditer(text)

    def _split(self, text: str, start: int, end: int) -> list[CharSpan]:
        """Return the tokens of `text[start:end]`, with offsets in `text`."""
        part = text[start:end]
        if self.tokenize == "blanks":
            spans = [match.span() for match in _CHUNK.finditer(part)]
        elif self.tokenize == "characters":
            spans = split_characters(part)
        elif self.tokenize == "symbols":
            spans = [(i, i + 1) for i, char in enumerate(part) if not char.isspace()]
        else:
            spans = _words(self._word_rules(), part, longest=MAX_RUN if self.tokenize == "words" else len(part))
        return [(start + first, start + last) for first, last in spans] if start else spans

    def _by_function(self, text: str) -> list[CharSpan]:
        if self.function is None:
            raise DataError(
                f"raw text must be split by the function {self.function_name}, as in training, but the model does not "
                "hold it; load the model with tokenize=FUNCTION, or pass tokens"
            )
        return checked_tokens(text, self.function(text), self.function_name)

    def _word_rules(self) -> WordRules:
        """Return the rules of the language, which are read once, when the first text is split."""
        return _rules_of(self.table or installed_table(self.language), self.tokenize == "words")


DEFAULT_RULES = TextRules()
SYMBOLS = TextRules("symbols")


def _depends_on_its_neighbours(text: str, spans: Sequence[CharSpan]) -> bool:
    """Whether the tokens of a sentence may be others if the sentence is a text of its own.

    They may be where there is no white space around it, or where it ends with a full stop that is no token.
    """
    (start, _), (last, end) = spans[0], spans[-1]
    attached = not text[start - 1 : start].isspace() if start else False
    return attached or not (text[end : end + 1].isspace() or end == len(text)) or text[last + 1 : end].endswith(".")


def checked_tokens(text: str, found: Sequence[str] | Sequence[CharSpan], name: str) -> list[CharSpan]:
    """Return start and end of the tokens that a function has found in a text.

    Raises:
        DataError: They are not in the text one after the other.
    """
    spans: list[CharSpan] = []
    for token in found:
        before = spans[-1][1] if spans else 0
        start = text.find(token, before) if isinstance(token, str) else token[0]
        end = start + len(token) if isinstance(token, str) else token[1]
        if not before <= start < end <= len(text) or not text[start:end].strip():
            raise DataError(
                f"{name} must return tokens of the text in their order, or start and end of each, got {token!r} after "
                f"character {before} of {reprlib.repr(text)}"
            )
        spans.append((start, end))
    return spans


def tokenize(text: str) -> list[CharSpan]:
    """Return start and end of each token by the default rules."""
    return DEFAULT_RULES.tokens(text)


def split_sentences(text: str) -> list[CharSpan]:
    """Return start and end of each sentence of a document by the default rules."""
    return DEFAULT_RULES.sentences(text)


def sentence_from_text(text: str, mode: Tokenize = "words", *, start: int = 0) -> Sentence:
    """Return a text as one sentence, as `TextRules.sentence`."""
    return TextRules(mode).sentence(text, start=start)


@lru_cache(maxsize=8)
def _rules_of(table: WordTable, added: bool) -> WordRules:
    return WordRules(table.with_single_words() if added else table)


@cache
def _separators(split_on: str, *, emoji: bool) -> "re.Pattern[str] | None":
    """Return what matches a character of `split_on`, or an emoji of several code points."""
    patterns = ([f"[{re.escape(split_on)}]"] if split_on else []) + ([_EMOJI] if emoji else [])
    return re.compile("|".join(patterns)) if patterns else None


def _words(rules: WordRules, text: str, *, longest: int) -> list[CharSpan]:
    """Return the words of a text, in which a longer run without white space is split after every `longest` characters.

    That keeps the time linear in the length of the text.
    """
    text = _SURROGATE.sub("\ufffd", text)
    if len(text) <= longest:
        return rules.spans(text)
    cuts = [match.end() for match in _LONG_RUN.finditer(text)]
    pieces = zip([0, *cuts], [*cuts, len(text)], strict=True)
    return [(i + first, i + last) for i, j in pieces for first, last in rules.spans(text[i:j])]
