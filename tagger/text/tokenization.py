"""Tokens and sentences of raw English text, as character ranges of that text.

spaCy's English rules split the words (`don't` is `do` `n't`, `cannot` is `can` `not`); `word_rules.py` applies them.
Nothing of the text is changed or lost. Three things are added here: an emoji of several code points stays whole, a long
run without white space takes linear time, and a sentence keeps its opening quotes and brackets. Sentences end at the
marks of spaCy's sentencizer. Text that is already tokenised needs none of this: it has mode `blanks` and
`Sentence.from_tokens`.
"""

import re
import reprlib
import unicodedata
from functools import cache
from importlib.metadata import version
from typing import Literal

from tagger.errors import DataError
from tagger.text.sentence import Sentence, plain
from tagger.text.word_rules import CharSpan as CharSpan
from tagger.text.word_rules import read_word_rules

Tokenize = Literal["words", "blanks"]

MAX_RUN = 1_000  # characters without white space that are split at once: the time is quadratic in them

_PICTURE = r"[©®‼-⁉\u2100-\u2bff\u3030-\u3299\U0001f000-\U0001faff]"
_MODIFIER = r"[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
_FLAG = r"[\U0001f1e6-\U0001f1ff]{2}"
_EMOJI = re.compile(rf"{_FLAG}|[#*0-9]\ufe0f?\u20e3|{_PICTURE}(?:{_MODIFIER}|\u200d{_PICTURE})+")
_LONG_RUN = re.compile(rf"\S{{{MAX_RUN}}}")
_SURROGATE = re.compile("[\ud800-\udfff]")

_word_rules = cache(read_word_rules)  # read when the first text is split

_SENTENCE_MARKS = frozenset(
    "!.?։؟۔܀܁܂߹।॥၊။።፧፨᙮᜵᜶᠃᠉᥄᥅᪨᪩᪪᪫᭚᭛᭞᭟᰻᰼᱾᱿‼‽⁇⁈⁉⸮⸼꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱꯫﹒﹖﹗！．？𐩖𐩗𑁇𑁈𑂾𑂿𑃀𑃁"
    "𑅁𑅂𑅃𑇅𑇆𑇍𑇞𑇟𑈸𑈹𑈻𑈼𑊩𑑋𑑌𑗂𑗃𑗉𑗊𑗋𑗌𑗍𑗎𑗏𑗐𑗑𑗒𑗓𑗔𑗕𑗖𑗗𑙁𑙂𑜼𑜽𑜾𑩂𑩃𑪛𑪜𑱁𑱂𖩮𖩯𖫵𖬷𖬸𖭄𛲟𝪈｡。"
)


def tokenize(text: str) -> list[CharSpan]:
    """First and past-the-last character of each token; every character but white space is in exactly one.

    A run of more than `MAX_RUN` characters without white space is split at each `MAX_RUN`th, whatever stands there.
    """
    if text.isascii() and len(text) <= MAX_RUN:  # nothing to keep apart: most texts, the short way
        return _word_rules().spans(text)
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
    """The sentence that a text is, split into words or only at white space.

    Args:
        text: One sentence; it becomes the text of the result, unchanged.
        mode: `words` splits by the rules of this module, `blanks` at white space only.
        start: Where the text begins in its document; all offsets count from there, so that they are the document's.

    Raises:
        DataError: The text is empty or white space.
    """
    text = plain(text)
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


def _words(text: str, start: int, end: int) -> list[CharSpan]:
    """The tokens of `text[start:end]`, with offsets into `text`."""
    part = _SURROGATE.sub("\ufffd", text[start:end])
    cuts = [match.end() for match in _LONG_RUN.finditer(part)]
    pieces = zip([0, *cuts], [*cuts, len(part)], strict=True)
    return [(start + i + first, start + i + last) for i, j in pieces for first, last in _word_rules().spans(part[i:j])]


def _first_attached(spans: list[CharSpan], mark: int, token: int) -> int:
    """The first of the tokens that stand, after a blank behind the mark, directly before `token`: opening quotes."""
    first = token
    while first > mark and spans[first - 1][1] == spans[first][0]:
        first -= 1
    return first if first > mark else token
