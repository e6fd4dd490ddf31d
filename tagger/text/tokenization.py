"""Split raw English text into tokens and sentences, as character ranges of the text.

Words are split by spaCy's English rules, which `word_rules.py` applies: `don't` becomes `do` `n't`, `cannot` becomes
`can` `not`. The text is never changed, and no character is lost. This module adds three things: an emoji of several
code points stays one token, a long run without white space takes linear time, and a sentence keeps its opening quotes
and brackets. Sentences end at the marks of spaCy's sentencizer. For text that is already tokenised, use the mode
`blanks` or `Sentence.from_tokens`.
"""

import re
import reprlib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Literal

from tagger.errors import DataError
from tagger.text.sentence import Sentence, plain
from tagger.text.word_rules import CharSpan as CharSpan
from tagger.text.word_rules import read_word_rules

Tokenize = Literal["words", "blanks"]

MAX_RUN = 1_000  # characters without white space that are split at once; the time is quadratic in their number

_PICTURE = r"[©®‼-⁉\u2100-\u2bff\u3030-\u3299\U0001f000-\U0001faff]"
_MODIFIER = r"[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
_FLAG = r"[\U0001f1e6-\U0001f1ff]{2}"
_EMOJI = re.compile(rf"{_FLAG}|[#*0-9]\ufe0f?\u20e3|{_PICTURE}(?:{_MODIFIER}|\u200d{_PICTURE})+")
_LONG_RUN = re.compile(rf"\S{{{MAX_RUN}}}")
_SURROGATE = re.compile("[\ud800-\udfff]")

_word_rules = cache(read_word_rules)  # read once, when the first text is split

_LINE = re.compile(r"[^\n]*\S[^\n]*")

_SENTENCE_MARKS = frozenset(
    "!.?։؟۔܀܁܂߹।॥၊။።፧፨᙮᜵᜶᠃᠉᥄᥅᪨᪩᪪᪫᭚᭛᭞᭟᰻᰼᱾᱿‼‽⁇⁈⁉⸮⸼꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱꯫﹒﹖﹗！．？𐩖𐩗𑁇𑁈𑂾𑂿𑃀𑃁"
    "𑅁𑅂𑅃𑇅𑇆𑇍𑇞𑇟𑈸𑈹𑈻𑈼𑊩𑑋𑑌𑗂𑗃𑗉𑗊𑗋𑗌𑗍𑗎𑗏𑗐𑗑𑗒𑗓𑗔𑗕𑗖𑗗𑙁𑙂𑜼𑜽𑜾𑩂𑩃𑪛𑪜𑱁𑱂𖩮𖩯𖫵𖬷𖬸𖭄𛲟𝪈｡。"
)


def tokenize(text: str) -> list[CharSpan]:
    """Return start and end of each token; every character except white space is in exactly one token.

    A run of more than `MAX_RUN` characters without white space is split after every `MAX_RUN` characters.
    """
    if text.isascii() and len(text) <= MAX_RUN:  # no emoji, no long run: most texts
        return _word_rules().spans(text)
    spans: list[CharSpan] = []
    position = 0
    for emoji in _EMOJI.finditer(text):
        spans += _words(text, position, emoji.start())
        spans.append(emoji.span())
        position = emoji.end()
    return spans + _words(text, position, len(text))


def split_sentences(text: str) -> list[CharSpan]:
    """Return start and end of each sentence of a document; sentences begin and end with a token.

    A sentence ends after a mark such as `.` and the punctuation that follows it, and always at two or more line breaks.
    """
    spans = tokenize(text)
    starts, mark = [0], None  # `mark`: the last token that may end the sentence
    for i, (start, end) in enumerate(spans):
        if i and len((text[spans[i - 1][1] : start] + ".").splitlines()) > 2:
            starts.append(i)
            mark = None
        if text[start:end] in _SENTENCE_MARKS:
            mark = i
        elif mark is not None and not all(unicodedata.category(char).startswith("P") for char in text[start:end]):
            starts.append(_first_attached(spans, mark, i))
            mark = None
    ends = [*starts[1:], len(spans)]
    return [(spans[i][0], spans[j - 1][1]) for i, j in zip(starts, ends, strict=True)] if spans else []


def sentence_from_text(text: str, mode: Tokenize = "words", *, start: int = 0) -> Sentence:
    """Return a text as a sentence, split into words or at white space only.

    Args:
        text: One sentence; it becomes the text of the result, unchanged.
        mode: `words` splits by the rules of this module, `blanks` at white space only.
        start: Position of the text in its document; it is added to all offsets.

    Raises:
        DataError: The text is empty or white space.
    """
    text = plain(text)
    spans = tokenize(text) if mode == "words" else [match.span() for match in re.finditer(r"\S+", text)]
    if not spans:
        raise DataError(
            "the text has no token: expected at least one character that is not white space, "
            f"got {reprlib.repr(text)}; pass a sentence"
        )
    tokens = tuple(text[first:end] for first, end in spans)
    return Sentence(tokens, text, tuple((start + first, start + end) for first, end in spans))


@dataclass(frozen=True, slots=True)
class TextRules:
    """How a text becomes sentences and tokens: the same in training, scoring and tagging.

    Args:
        tokenize: `words` splits by the rules of this module, `blanks` at white space only.
    """

    tokenize: Tokenize = "words"

    def sentence(self, text: str, *, start: int = 0) -> Sentence:
        """Return a text as one sentence; `start`, its position in its document, is added to all offsets.

        Raises:
            DataError: The text is empty or white space.
        """
        return sentence_from_text(text, self.tokenize, start=start)

    def sentences(self, text: str) -> list[CharSpan]:
        """Return start and end of each sentence of a document: its lines if it is split at blanks only.

        A text without tokens has none.
        """
        if self.tokenize == "blanks":
            return [line.span() for line in _LINE.finditer(text)]
        return split_sentences(text)


DEFAULT_RULES = TextRules()


def tokenizer_name() -> str:
    """Return name, version and language of the rules, such as `spacy 3.8.7 en`, to be stored with a model."""
    return f"spacy {version('spacy')} en"


def _words(text: str, start: int, end: int) -> list[CharSpan]:
    """Return the tokens of `text[start:end]`, with offsets in `text`."""
    part = _SURROGATE.sub("\ufffd", text[start:end])
    cuts = [match.end() for match in _LONG_RUN.finditer(part)]
    pieces = zip([0, *cuts], [*cuts, len(part)], strict=True)
    return [(start + i + first, start + i + last) for i, j in pieces for first, last in _word_rules().spans(part[i:j])]


def _first_attached(spans: list[CharSpan], mark: int, token: int) -> int:
    """Return the first token of the next sentence: `token`, or an opening quote or bracket attached to it.

    Attached tokens follow the mark after white space and precede `token` without any.
    """
    first = token
    while first > mark and spans[first - 1][1] == spans[first][0]:
        first -= 1
    return first if first > mark else token
