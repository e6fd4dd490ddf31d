"""Plain text: one sentence per line to learn from or to convert, and documents to be tagged."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from tagger.config import ReadingConfig
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.tally import Tally
from tagger.text.choices import Unit
from tagger.text.document import Document
from tagger.text.sentence import Origin, Sentence

if TYPE_CHECKING:
    from tagger.formats.columns.fields import Sample


def looks_like_text(sample: "Sample") -> bool:
    """Whether lines are not separated by tabs."""
    return not sample.tabs


def read_plain_text(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentence of each line as it arrives, or its sentences if the settings divide texts by rules.

    Blank lines become empty sentences.
    """
    for number, line in enumerate(source.lines(), 1):
        if not line.strip():
            found = [Sentence((), line, ())]
        else:
            rules = config.text_rules
            found = rules.split(line) if rules.segment == "rules" else [rules.sentence(line)]
        yield from (replace(sentence, origin=Origin(source.where, (number,))) for sentence in found)


def text_lines(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[str]:
    """Yield the text of each sentence."""
    return (sentence.text for sentence in sentences)


def stream_text(
    source: Source, config: ReadingConfig, tally: Tally, faults: Faults, *, unit: Unit = "line"
) -> Iterator[Document]:
    """Yield a document for each line, for each block of lines between blank lines, or for the whole file."""
    for number, text in _units(source.lines(), unit):
        origin = Origin(source.where, (number,))
        sentences = config.text_rules.split(text)
        yield Document(text, tuple([replace(sentence, origin=origin) for sentence in sentences]))


def _units(lines: Iterable[str], unit: Unit) -> Iterator[tuple[int, str]]:
    """Yield the texts of plain text, each with the number of its first line."""
    numbered = enumerate(lines, 1)
    if unit == "line":
        yield from numbered
    elif unit == "file":
        yield 1, _joined(line for _, line in numbered)
    else:
        for filled, group in groupby(numbered, key=lambda pair: bool(pair[1].strip())):
            if filled:
                block = list(group)
                yield block[0][0], _joined(line for _, line in block)


def _joined(lines: Iterable[str]) -> str:
    """Return lines as one text, with the CR that they have before their line breaks."""
    return "\n".join(lines).removesuffix("\r")
