"""Where the sentences of a text begin and end, given its tokens."""

import re
import unicodedata
from collections.abc import Sequence

CharSpan = tuple[int, int]

SENTENCE_MARKS = frozenset(
    "!.?։؟۔܀܁܂߹।॥၊။።፧፨᙮᜵᜶᠃᠉᥄᥅᪨᪩᪪᪫᭚᭛᭞᭟᰻᰼᱾᱿‼‽⁇⁈⁉⸮⸼꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱꯫﹒﹖﹗！．？𐩖𐩗𑁇𑁈𑂾𑂿𑃀𑃁"
    "𑅁𑅂𑅃𑇅𑇆𑇍𑇞𑇟𑈸𑈹𑈻𑈼𑊩𑑋𑑌𑗂𑗃𑗉𑗊𑗋𑗌𑗍𑗎𑗏𑗐𑗑𑗒𑗓𑗔𑗕𑗖𑗗𑙁𑙂𑜼𑜽𑜾𑩂𑩃𑪛𑪜𑱁𑱂𖩮𖩯𖫵𖬷𖬸𖭄𛲟𝪈｡。"
)

_WIDE_MARKS, _WIDE_OPENING = frozenset("。！？｡"), frozenset("「『（《〈【〔｛［“‘")  # no blank follows such a mark

_CLOSING = frozenset("\"'”’»)]}")

_LINE = re.compile(r"[^\n]*\S[^\n]*")


def at_marks(text: str, tokens: Sequence[CharSpan]) -> list[CharSpan]:
    """Return start and end of each sentence; sentences begin and end with a token.

    A sentence ends after a mark such as `.` and the punctuation that follows it, and always at two or more line breaks.
    A quote or bracket that opens the next sentence belongs to it.

    Args:
        text: The text.
        tokens: Start and end of each token.
    """
    starts, mark = [0], None  # `mark`: the last token that may end the sentence
    for i, (start, end) in enumerate(tokens):
        if i and start > tokens[i - 1][1] + 1 and len((text[tokens[i - 1][1] : start] + ".").splitlines()) > 2:
            starts.append(i)
            mark = None
        if text[start:end] in SENTENCE_MARKS:
            mark = i
        elif mark is not None and not _continues(text[start:end], text[slice(*tokens[mark])]):
            starts.append(_first_attached(tokens, mark, i))
            mark = None
    ends = [*starts[1:], len(tokens)]
    return [(tokens[i][0], tokens[j - 1][1]) for i, j in zip(starts, ends, strict=True)] if tokens else []


def _continues(token: str, mark: str) -> bool:
    """Whether a token that follows a mark still belongs to its sentence: closing quotes and other punctuation do."""
    if mark in _WIDE_MARKS and token in _WIDE_OPENING:
        return False
    return all(unicodedata.category(char).startswith("P") for char in token)


def _first_attached(tokens: Sequence[CharSpan], mark: int, token: int) -> int:
    """Return the first token of the next sentence: `token`, or an opening quote or bracket attached to it.

    Attached tokens follow the mark after white space and precede `token` without any.
    """
    first = token
    while first > mark and tokens[first - 1][1] == tokens[first][0]:
        first -= 1
    return first if first > mark else token


def at_lines(text: str) -> list[CharSpan]:
    """Return start and end of each line that is not blank."""
    return [line.span() for line in _LINE.finditer(text)]


def as_one(text: str) -> list[CharSpan]:
    """Return start and end of the text as one sentence, without white space around it; nothing for a blank text."""
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    return [(start, end)] if start < end else []


def with_final_stop(text: str, tokens: Sequence[CharSpan]) -> list[CharSpan]:
    """Return the tokens of a sentence whose full stop at the end is a token of its own.

    Rules for words keep the full stop of an initial or an abbreviation, but at the end of a sentence it may be that of
    the sentence: in `We bought a Router Z.`, an entity may end before it. So `Z.`, `Inc.`, `etc.` and `No.` are cut
    there, also before closing quotes and brackets. A token with another full stop stays whole: `U.S.`, `e.g.`, `...`.
    """
    tokens = list(tokens)
    last = len(tokens) - 1
    while last > 0 and text[slice(*tokens[last])] in _CLOSING:
        last -= 1
    if last >= 0:
        start, end = tokens[last]
        if end - start > 1 and text.find(".", start, end) == end - 1:
            tokens[last : last + 1] = [(start, end - 1), (end - 1, end)]
    return tokens
