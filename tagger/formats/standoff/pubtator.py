r"""PubTator: the title and the abstract of an article, then its entities; a blank line between articles.

`ID|t|title` and `ID|a|abstract` are one text with a blank between them. `ID\tstart\tend\twords\ttype\tconcept` is an
entity. Relations, which have other columns, are counted and ignored, and so are the concepts of entities.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.columns.fields import Sample
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.standoff.sentences import check_scheme
from tagger.formats.tally import Tally
from tagger.formats.tools.annotated import Annotated
from tagger.formats.tools.layers import Found, annotated_texts
from tagger.text.sentence import Sentence
from tagger.wording import shorten

TEXT = re.compile(r"([^|\s]+)\|([ta])\|(.*)")
ENTITY = re.compile(r"[^\t]+\t([0-9]{1,9})\t([0-9]{1,9})\t([^\t]*)\t([^\t]+)(\t.*)?")
RELATION = re.compile(r"[^\t]+\t[^\t0-9][^\t]*(?:\t[^\t]*)+")
IGNORED = "ignored {} relation|relations"


class _Article(NamedTuple):
    """The lines of an article, and the number of the first."""

    first: int
    lines: Sequence[str]


def looks_like_pubtator(sample: Sample) -> bool:
    """Whether the first line is a title."""
    found = TEXT.fullmatch(sample.first)
    return found is not None and found[2] == "t"


def read_pubtator(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of the articles of a file, each a document.

    Raises:
        DataError: The scheme is none for character spans.
    """
    check_scheme(config, source.where)
    found = [_found(article, source.where, tally) for article in _articles(source)]
    if not found:
        faults.add("form", source.where, "the file must hold an article, got none")
    yield from annotated_texts(found, config, tally, faults, where=source.where)


def _articles(source: Source) -> Iterator[_Article]:
    """Yield the articles of a file, which blank lines or a new title separate."""
    first, lines = 1, list[str]()
    for number, line in enumerate(source.lines(), 1):
        opens = (match := TEXT.fullmatch(line)) is not None and match[2] == "t"
        if lines and (not line.strip() or opens):
            yield _Article(first, lines)
            lines = []
        if line.strip():
            first = first if lines else number
            lines.append(line)
    if lines:
        yield _Article(first, lines)


def _found(article: _Article, where: str, tally: Tally) -> Found:
    """Return the text of an article with its entities."""
    texts: list[str] = []
    spans = []
    name = ""
    for number, line in enumerate(article.lines, article.first):
        place = f"{where}:{number}"
        if found := TEXT.fullmatch(line):
            name = found[1]
            texts.append(found[3])
        elif found := ENTITY.fullmatch(line):
            spans.append({"start": int(found[1]), "end": int(found[2]), "text": found[3] or None, "label": found[4]})
        elif RELATION.fullmatch(line):
            tally.count(IGNORED, f"at {place}")
        else:
            expected = "ID|t|title, ID|a|abstract, or ID, start, end, words and type between tabs"
            return Found(number, place, DataError(f"must be {expected}, got {shorten(line)}; fix it"))
    annotated = Annotated(text=" ".join(texts), spans={"entities": spans}, document=name, others={"id": name})
    return Found(article.first, f"{where}:{article.first}", annotated)
