"""Texts with entities as elements, one text per line: `<PER>Ada</PER> lives in <LOC>Oslo</LOC>.`

The type of an entity is the name of its element, or its attribute `type`, as in `<ENAMEX TYPE="PERSON">`. Elements may
be nested. `&amp;` and other references to characters are read as these. A `<` that opens no element is text.
"""

import html
import re
from collections.abc import Iterator
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

TAG = re.compile(r"<(/?)([A-Za-z][\w.-]*)((?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'))*)\s*>")
TYPE = re.compile(r"\stype\s*=\s*(?:\"([^\"]+)\"|'([^']+)')", re.IGNORECASE)
ELEMENT = re.compile(r"<([A-Za-z][\w.-]*)(?:\s[^<>]*)?>[^<>]+</\1>")
SOME = 0.3  # share of lines with an element


class _Opened(NamedTuple):
    """An element that is not closed yet."""

    name: str
    type: str
    start: int


def looks_like_inline_xml(sample: Sample) -> bool:
    """Whether elements are in some of the lines, and more than words on most lines."""
    lines = [line for line in sample.lines if line.strip()]
    if not lines or lines[0].lstrip().startswith(("<?", "<!", "{", "[")):
        return False
    return sum(bool(ELEMENT.search(line)) for line in lines) >= SOME * len(lines) and not sample.tabs


def read_inline_xml(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a file of texts, one per line.

    Raises:
        DataError: The scheme is none for character spans.
    """
    check_scheme(config, source.where)
    found = [_found(number, line, source.where) for number, line in enumerate(source.lines(), 1)]
    yield from annotated_texts(found, config, tally, faults, where=source.where)


def _found(number: int, line: str, where: str) -> Found:
    place = f"{where}:{number}"
    try:
        return Found(number, place, _annotated(line))
    except DataError as error:
        return Found(number, place, error)


def _annotated(line: str) -> Annotated:
    """Return a line without its elements, which are spans.

    Raises:
        DataError: An element is not closed, or closed without being open.
    """
    text, end = "", 0
    opened: list[_Opened] = []
    spans = []
    for tag in TAG.finditer(line):
        text += html.unescape(line[end : tag.start()])
        end = tag.end()
        if not tag[1]:
            opened.append(_Opened(tag[2], _type_of(tag), len(text)))
        elif opened and opened[-1].name == tag[2]:
            element = opened.pop()
            spans.append([element.start, len(text), element.type])
        else:
            expected = f"</{opened[-1].name}>" if opened else f"<{tag[2]}> before it"
            raise DataError(
                f"each element must be closed in its line, got {shorten(tag[0])} instead of {expected}; fix it"
            )
    if opened:
        raise DataError(f"each element must be closed in its line, got <{opened[-1].name}> without its end; fix it")
    return Annotated(text=text + html.unescape(line[end:]), spans={"elements": spans})


def _type_of(tag: re.Match[str]) -> str:
    """Return the type of an entity: the attribute of its element, or the name."""
    found = TYPE.search(tag[3])
    return (found[1] or found[2]) if found else tag[2]
