"""Plain text, one sentence per line."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from tagger.config import ReadingConfig
from tagger.formats.columns.fields import Sample
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.tally import Tally
from tagger.text.sentence import Origin, Sentence


def looks_like_text(sample: Sample) -> bool:
    """Whether lines are not separated by tabs."""
    return not sample.tabs


def read_plain_text(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentence of each line as it arrives; blank lines become empty sentences."""
    for number, line in enumerate(source.lines(), 1):
        sentence = config.text_rules.sentence(line) if line.strip() else Sentence((), line, ())
        yield replace(sentence, origin=Origin(source.where, (number,)))


def text_lines(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[str]:
    """Yield the text of each sentence."""
    return (sentence.text for sentence in sentences)
