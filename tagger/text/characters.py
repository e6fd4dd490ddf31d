"""Split text into characters where its script has no blanks between words, as in Chinese, Japanese and Thai.

Words of other scripts and numbers stay whole, as do a letter and the marks above or below it.
"""

import re
import unicodedata
from functools import cache

# Thai, Lao, Tibetan, Myanmar, Hangul letters, Khmer, New Tai Lue, Tai Tham, Balinese, Javanese, Tai Viet, Hangul,
# kana, Bopomofo, Yi and the ideographs of China, Japan and Korea.
UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u1980-\u19df\u1a20-\u1aaf\u1b00-\u1b7f"
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b-\u303c\u3040-\u31ff\u3400-\u4dbf\u4e00-\ua4cf\ua980-\ua9df"
    "\uaa60-\uaadf\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f\U0001aff0-\U0001b16f\U00020000-\U000323af"
)
_UNSPACED = re.compile(f"[{UNSPACED}]")
_LAST_MARK = 0x1E95B  # beyond it, only selectors and tags are marks


def is_unspaced(text: str) -> bool:
    """Whether a text has a character of a script without blanks."""
    return _UNSPACED.search(text) is not None


def split_characters(text: str) -> list[tuple[int, int]]:
    """Return start and end of each character of such a script, and of each word, number and mark beside them."""
    return [match.span() for match in _pieces().finditer(text)]


@cache
def _pieces() -> "re.Pattern[str]":
    """Return what matches one token: a number, a word of a script with blanks, or one character with its marks."""
    marks = "\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef" + "".join(
        chr(code) for code in range(0x300, _LAST_MARK) if unicodedata.category(chr(code))[0] == "M"
    )
    letter = rf"(?:(?![{UNSPACED}])[^\W_][{marks}]*)"
    return re.compile(rf"\d+(?:[.,:]\d+)+|{letter}+(?:['’]{letter}+)*|\S[{marks}]*")
