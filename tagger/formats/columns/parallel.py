"""Sentences beside their tags: `Ada sleeps TAB B-PER O` on a line, or the lines of three files in a folder.

The folder has `seq.in` with sentences, `seq.out` with their tags, and perhaps `label` with a label for each, as data of
intents and slots have them. A line may also have a label in a third field.
"""

from collections.abc import Iterator
from itertools import islice, zip_longest
from pathlib import Path

from tagger.config import ReadingConfig
from tagger.formats.columns.blocks import NO_SENTENCE
from tagger.formats.columns.contents import is_scheme
from tagger.formats.columns.fields import HEAD, Sample
from tagger.formats.faults import Faults
from tagger.formats.source import Source, source_of
from tagger.formats.tally import Tally
from tagger.text.sentence import Label, Layer, Origin, Sentence, TagLayer
from tagger.wording import shorten

TOKENS, TAGS, LABEL = "seq.in", "seq.out", "label"  # the files of a folder
LABEL_LAYER = "intent"
MIN_WORDS = 1.2  # words of a line on average, at least
MOST = 0.95
REPEATED = 3  # how often each distinct tag occurs on average, at least


def is_parallel(path: Path) -> bool:
    """Whether a path is a folder with sentences and their tags."""
    return (path / TOKENS).is_file() and (path / TAGS).is_file()


def looks_like_parallel(sample: Sample) -> bool:
    """Whether nearly all lines have as many words in the second field as in the first, and few distinct ones there."""
    rows = [line.split("\t") for line in sample.lines if line.strip()]
    pairs = [(row[0].split(), row[1].split()) for row in rows if len(row) in (2, 3)]
    fits = [(words, tags) for words, tags in pairs if len(words) == len(tags)]
    tags = [tag for _, tags in fits for tag in tags]
    several = len(tags) >= MIN_WORDS * len(fits) and len(fits) >= MOST * len(rows) > 0
    return several and (is_scheme(tags) or len(tags) >= REPEATED * len(set(tags)))


def read_parallel(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentence of each line, with its tags and, if there is one, its label in the layer `intent`.

    The layer of the tags is that of the config; default: `ner`, or `tags` if they are no entities.
    """
    head = [fields[1].split() for _, fields in islice(_rows(source, config.encoding), HEAD) if len(fields) > 1]
    layer = config.layer or ("ner" if is_scheme([tag for tags in head for tag in tags]) else "tags")
    empty = True
    for number, fields in _rows(source, config.encoding):
        if not any(map(str.strip, fields)):
            continue
        empty = False
        problem = _problem(fields)
        if problem:
            faults.add("columns", f"{source.where}:{number}", problem)
            continue
        words, tags = fields[0].split(), fields[1].split()
        layers: dict[str, Layer] = {layer: TagLayer(tuple(tags))}
        if len(fields) == 3:
            layers[LABEL_LAYER] = Label(fields[2].strip())
        yield Sentence.from_tokens(words, layers, origin=Origin(source.where, (number,) * len(words)))
    if empty:
        faults.add("form", source.where, NO_SENTENCE)


def _rows(source: Source, encoding: str | None) -> Iterator[tuple[int, list[str]]]:
    """Yield each line with its fields, or the lines of the files of a folder with the same number."""
    if source.path is None or not is_parallel(source.path):
        yield from ((number, line.split("\t")) for number, line in enumerate(source.lines(), 1))
        return
    names = [name for name in (TOKENS, TAGS, LABEL) if (source.path / name).is_file()]
    files = [source_of(source.path / name, encoding).lines() for name in names]
    for number, lines in enumerate(zip_longest(*files, fillvalue=""), 1):
        yield number, list(lines)


def _problem(fields: list[str]) -> str:
    """Return what is wrong with a line; empty if nothing is."""
    if len(fields) not in (2, 3):
        return f"must have a sentence, its tags and perhaps a label between tabs, got {len(fields)} fields"
    words, tags = fields[0].split(), fields[1].split()
    if not words or len(words) != len(tags):
        return f"must have a tag for each word, got {len(words)} words and {len(tags)} tags: {shorten(fields[0])}"
    return "" if all(map(str.strip, fields)) else "the label must not be empty"
