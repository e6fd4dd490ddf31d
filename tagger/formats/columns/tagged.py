"""One sentence per line, in which each word has its tag behind it: `Ada/NNP sleeps/VBZ` or `Ada_NNP sleeps_VBZ`.

The tag begins behind the last `/` or `_` of a word, so that words may have them too; `\\/` is a `/`. A word without a
tag has an unknown one, and a tag without a word is skipped; both are counted. Blank lines separate nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

from tagger.config import ReadingConfig
from tagger.formats.columns.conll import NO_SENTENCE
from tagger.formats.columns.contents import is_scheme
from tagger.formats.columns.fields import BLANKS, HEAD, Sample
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.tally import Tally
from tagger.text.sentence import Origin, Sentence, TagLayer

SEPARATORS = "/_"
MOST = 0.98  # share of words that have a tag
MAX_TAGS = 200


def looks_like_tagged(sample: Sample) -> bool:
    """Whether nearly all words have a tag, there are few distinct tags, and a line has several words."""
    lines = [line for line in sample.lines if line.strip()]
    separator = _separator(lines)
    tags = Counter(item.rpartition(separator)[2] for line in lines for item in _items(line))
    few = len(tags) <= MAX_TAGS and len(tags) * 2 <= tags.total()
    plain = all(len(tag) < 20 and "." not in tag.strip(".") and not tag.isdecimal() for tag in tags)
    return tags.total() > len(lines) and few and plain and _share(lines, separator) >= MOST


def read_tagged(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentence of each line, with the tags in the layer `pos`, or `ner` if they are entities."""
    head = [line for line in islice(source.lines(), HEAD) if line.strip()]
    separator = _separator(head)
    tags = [item.rpartition(separator)[2] for line in head for item in _items(line)]
    layer = config.layer or ("ner" if is_scheme(tags) else "pos")
    empty = True
    for number, line in enumerate(source.lines(), 1):
        words: list[str] = []
        found: list[str | None] = []
        for word, tag in _split(line, separator):
            if not word:
                tally.count("skipped {} tag|tags without a word", f"at {source.where}:{number}")
                continue
            if tag is None:
                tally.count("read {} word|words without a tag as unknown", f"at {source.where}:{number}")
            words.append(word)
            found.append(tag)
        if words:
            empty = False
            origin = Origin(source.where, (number,) * len(words))
            yield Sentence.from_tokens(words, {layer: TagLayer(tuple(found))}, origin=origin)
    if empty:
        faults.add("form", source.where, NO_SENTENCE)


def _items(line: str) -> list[str]:
    """Return the words of a line with their tags."""
    return BLANKS.split(line.strip(" \t")) if line.strip(" \t") else []


def _split(line: str, separator: str) -> Iterator[tuple[str, str | None]]:
    """Yield each word of a line and its tag, None if it has none."""
    for item in _items(line):
        word, found, tag = item.rpartition(separator)
        if separator == "/" and word.endswith("\\"):
            word, found, tag = item, "", ""
        if not found or not tag:
            word, tag = item, ""
        yield word.replace("\\/", "/") if separator == "/" else word, tag or None


def _separator(lines: Iterable[str]) -> str:
    """Return the separator that most words have."""
    lines = list(lines)
    return max(SEPARATORS, key=lambda separator: _share(lines, separator))


def _share(lines: Iterable[str], separator: str) -> float:
    """Return the share of words with a separator between word and tag."""
    items = [item for line in lines for item in _items(line)]
    return sum(separator in item[1:-1] for item in items) / max(1, len(items))
