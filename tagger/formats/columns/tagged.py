"""One sentence per line, in which each word has its tag behind it: `Ada/NNP sleeps/VBZ` or `Ada_NNP sleeps_VBZ`.

The tag begins behind the last `/`, `_` or `|` of a word, so that words may have them too; `\\/` is a `/`. If nearly all
words have two or more, as in `Ada|NNP|B-PER`, each is a tag. A word without a tag has an unknown one, and a tag without
a word is skipped; both are counted. Blank lines separate nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from tagger.config import ReadingConfig
from tagger.formats.columns.blocks import NO_SENTENCE
from tagger.formats.columns.contents import is_scheme
from tagger.formats.columns.fields import BLANKS, HEAD, Sample
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.tally import Tally
from tagger.text.sentence import Origin, Sentence, TagLayer

SEPARATORS = "/_|"
MOST = 0.98  # share of words that have a tag
MAX_TAGS = 200


def looks_like_tagged(sample: Sample) -> bool:
    """Whether nearly all words have a tag, a line has several words, and the tags are few or in capitals."""
    lines = [line for line in sample.lines if line.strip()]
    separator = _separator(lines)
    tags = Counter(item.rpartition(separator)[2] for line in lines for item in _items(line))
    few = len(tags) <= MAX_TAGS and (len(tags) * 2 <= tags.total() or not any(map(_has_small_letter, tags)))
    plain = all(len(tag) < 20 and "." not in tag.strip(".") and not tag.isdecimal() for tag in tags)
    return few and plain and may_be_tagged(sample)


def may_be_tagged(sample: Sample) -> bool:
    """Whether nearly all words have what could be a tag, and a line has several words."""
    lines = [line for line in sample.lines if line.strip()]
    separator = _separator(lines)
    return sum(1 for line in lines for _ in _items(line)) > len(lines) and _share(lines, separator) >= MOST


def _has_small_letter(tag: str) -> bool:
    return any(map(str.islower, tag))


def read_tagged(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentence of each line, with the tags in the layer `pos`, or `ner` if they are entities.

    `layer` of the config is the layer of the last tags.
    """
    head = [line for line in islice(source.lines(), HEAD) if line.strip()]
    separator = _separator(head)
    layers = _layers(head, separator)
    layers = [*layers[:-1], config.layer] if config.layer else layers
    empty = True
    for number, line in enumerate(source.lines(), 1):
        words: list[str] = []
        found: list[Sequence[str | None]] = []
        for word, tags in _split(line, separator, len(layers)):
            if not word:
                tally.count("skipped {} tag|tags without a word", f"at {source.where}:{number}")
                continue
            if None in tags:
                tally.count("read {} word|words without a tag as unknown", f"at {source.where}:{number}")
            words.append(word)
            found.append(tags)
        if words:
            empty = False
            origin = Origin(source.where, (number,) * len(words))
            columns = zip(layers, zip(*found, strict=True), strict=True)
            yield Sentence.from_tokens(words, {layer: TagLayer(tags) for layer, tags in columns}, origin=origin)
    if empty:
        faults.add("form", source.where, NO_SENTENCE)


def _items(line: str) -> list[str]:
    """Return the words of a line with their tags."""
    return BLANKS.split(line.strip(" \t")) if line.strip(" \t") else []


def _layers(lines: Sequence[str], separator: str) -> list[str]:
    """Return the layers of the tags of a word: more than one if nearly all words have as many."""
    items = [item.split(separator)[1:] for line in lines for item in _items(line)]
    number, count = next(iter(Counter(map(len, items)).most_common(1)), (1, 0))
    columns = list(zip(*(tags for tags in items if len(tags) == number), strict=True))
    few = all(len(set(column)) <= MAX_TAGS and len(set(column)) * 2 <= len(column) for column in columns)
    if number < 2 or count < MOST * len(items) or not few:
        columns = [tuple(tags[-1] for tags in items if tags)]
    names: list[str] = []
    for column in columns:
        name = "ner" if is_scheme(column) or (len(columns) > 1 and "O" in column) else "pos"
        names.append(name if name not in names else f"{name}{len(names) + 1}")
    return names


def _split(line: str, separator: str, number: int) -> Iterator[tuple[str, Sequence[str | None]]]:
    """Yield each word of a line and its tags; all are None if it does not have so many."""
    for item in _items(line):
        word, *tags = item.rsplit(separator, number)
        if len(tags) < number or not all(tags) or (separator == "/" and word.endswith("\\")):
            word, tags = item, []
        yield word.replace("\\/", "/") if separator == "/" else word, tags or [None] * number


def _separator(lines: Iterable[str]) -> str:
    """Return the separator that most words have."""
    lines = list(lines)
    return max(SEPARATORS, key=lambda separator: _share(lines, separator))


def _share(lines: Iterable[str], separator: str) -> float:
    """Return the share of words with a separator between word and tag."""
    items = [item for line in lines for item in _items(line)]
    return sum(separator in item[1:-1] for item in items) / max(1, len(items))
