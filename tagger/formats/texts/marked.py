"""Lines of texts whose labels are marks: fastText, one element for each text, and opinions on features.

- fastText: `__label__good a fine film`; a line may have several labels;
- an element whose name is the label: `<Pros>easy to use</Pros>`;
- opinions of customers on features: `price[+2],size[-1]##for the price it is small .`; the label is `positive` or
  `negative`, and a text without an opinion has none. Titles (`[t]`) and lines of another form are no texts.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from tagger.formats.columns.fields import HEAD
from tagger.formats.texts.rows import Row
from tagger.wording import shorten

FASTTEXT = re.compile(r"__label__(\S+)[ \t]*")
ELEMENT = re.compile(r"\s*<([A-Za-z][\w.-]*)>((?:(?!</\1>).)*)</\1>\s*")
OPINION = re.compile(r"\[([+-])[0-9]?[\]}\[]")
OPINIONS = {"+": "positive", "-": "negative"}
SOME = 0.3  # share of lines that show opinions; others are titles
MOST = 0.9


class Mark(NamedTuple):
    """A form of lines.

    Args:
        shows: Whether a line shows the form.
        share: The share of lines that must show it.
        row: Returns the row of a line; None if it is no text.
    """

    shows: Callable[[str], object]
    share: float
    row: Callable[[int, str], Row | None]


def mark_of(lines: Sequence[str]) -> Mark | None:
    """Return the form that most lines show that are not blank; None if there is none."""
    head = list(islice((line for line in lines if line.strip()), HEAD))
    return next((m for m in MARKS if head and sum(bool(m.shows(line)) for line in head) >= m.share * len(head)), None)


def marked_rows(lines: Iterator[str], mark: Mark) -> Iterator[Row | None]:
    """Yield the row of each line; None for a line that is no text."""
    for number, line in enumerate(lines, 1):
        yield mark.row(number, line) if line.strip() else Row(number)


def _fasttext_row(number: int, line: str) -> Row:
    labels = FASTTEXT.findall(line)
    if not labels:
        return Row(number, wrong=f"must be __label__ and a label before a text, got {shorten(line)}")
    return Row(number, FASTTEXT.sub("", line).strip(), tuple(labels))


def _element_row(number: int, line: str) -> Row:
    found = ELEMENT.fullmatch(line)
    if found is None:
        return Row(number, wrong=f"must be a text in one element, such as <Pros>good</Pros>, got {shorten(line)}")
    return Row(number, found[2], (found[1],))


def _opinion_row(number: int, line: str) -> Row | None:
    features, marks, text = line.partition("##")
    if not marks or features.startswith("[t]"):
        return None
    signs = dict.fromkeys(OPINION.findall(features))
    return Row(number, text, tuple(OPINIONS[sign] for sign in signs), {"features": features} if features else {})


MARKS = (
    Mark(re.compile(r"\s*__label__\S").match, MOST, _fasttext_row),
    Mark(ELEMENT.fullmatch, MOST, _element_row),
    Mark(re.compile(r"(?!\[t\])(?:[^#]*\[[+-][0-9]\][^#]*)?##").match, SOME, _opinion_row),
)
