"""FASTA: sequences of symbols, such as proteins and DNA, each below a header line `>ID description`.

The symbols of a sequence may be on several lines, and each is a token. Words `key=value` of the header are comments of
the sentence, as is its first word by the name `id`. `layers` of the config says where labels and tags are:

- `tags`: below the symbols, with one character for each symbol on as many lines, as in files of three lines a record;
- a number: the field of the header between vertical bars, from 1: field 2 of `>P1|EUKARYA|0` is `EUKARYA`;
- any other name: the value of this key in the header: `>P1 organism=human`.

Lines that start with `;` are ignored. Symbols are kept as they are: case, gaps (`-`) and stops (`*`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from tagger.config import ReadingConfig
from tagger.formats.columns.fields import Sample
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.tally import Tally
from tagger.text.sentence import Label, Origin, Sentence, TagLayer
from tagger.text.tokenization import SYMBOLS
from tagger.wording import counted, quoted, shorten

TAGS = "tags"  # the source of a layer below the symbols
PAIR = re.compile(r"(?<!\S)([^\s=|]+)=(.*?)(?=\s+[^\s=|]+=|\s*$)")  # a value ends where the next key begins
SYMBOL_LINE = re.compile(r"[A-Za-z*.~-]+")


class Record(NamedTuple):
    """A sequence of a file.

    Args:
        header: Its header without `>`.
        line: The number of the header, from 1.
        lines: The lines below the header, without white space at their ends and blank lines.
    """

    header: str
    line: int
    lines: list[str]


def looks_like_fasta(sample: Sample) -> bool:
    """Whether lines are headers after `>`, each with a line of letters below it."""
    lines = [line.strip() for line in sample.lines if line.strip() and not line.startswith(";")]
    firsts = [below for above, below in pairwise(lines) if above.startswith(">")]
    return bool(firsts) and lines[0].startswith(">") and all(map(SYMBOL_LINE.fullmatch, firsts))


def read_fasta(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sequences of a file, with the layers of the config."""
    layers = config.layers or {}
    for record in _records(source, faults):
        place = f"{source.where}:{record.line}"
        try:
            yield _sentence(record, layers, source.where)
        except ValueError as error:
            faults.add("form", place, str(error))


def read_symbols(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sequences of a file to be tagged, without layers.

    If the config has tags below the symbols, they are skipped where every record of the file may have them.
    """
    has_tags = TAGS in (config.layers or {}).values() and all(map(_may_have_tags, _records(source, Faults())))
    unlabelled = config.model_copy(update={"layers": {"": TAGS} if has_tags else None})
    for sentence in read_fasta(source, unlabelled, tally, faults):
        yield replace(sentence, layers={})


def _may_have_tags(record: Record) -> bool:
    """Whether the second half of the lines is as long as the first."""
    half = len(record.lines) // 2
    return len("".join(record.lines[:half])) == len("".join(record.lines[half:]))


def _records(source: Source, faults: Faults) -> Iterator[Record]:
    """Yield the records of a file; symbols before the first header are a fault."""
    record: Record | None = None
    for number, line in enumerate(source.lines(), 1):
        if line.startswith(">"):
            if record is not None:
                yield record
            record = Record(line[1:].strip(), number, [])
        elif line.strip() and not line.startswith(";"):
            if record is None:
                faults.add(
                    "form", f"{source.where}:{number}", f"must be a header that starts with >, got {shorten(line)}"
                )
                record = Record("", number, [])
            record.lines.append(line.strip())
    if record is not None:
        yield record


def _sentence(record: Record, layers: Mapping[str, str], where: str) -> Sentence:
    """Return the sentence of a record.

    Raises:
        ValueError: It has no symbols, or lacks a label or the tags of a layer.
    """
    has_tags = TAGS in layers.values()
    half = len(record.lines) // 2 if has_tags else len(record.lines)
    text, tags = "".join(record.lines[:half]), "".join(record.lines[half:])
    if not record.lines:
        raise ValueError("the header must have symbols below it, got none; remove it")
    if has_tags and len(tags) != len(text):
        raise ValueError(
            f"the record must have a tag for each symbol, on as many lines as its symbols, got "
            f"{counted(len(text), 'symbol')} and {counted(len(tags), 'tag')} on {counted(len(record.lines), 'line')}"
        )
    meta = _meta(record.header)
    found: dict[str, Label | TagLayer] = {}
    for layer, key in layers.items():
        found[layer] = TagLayer(tuple(tags)) if key == TAGS else Label(_value(record.header, key, meta, layer))
    return replace(SYMBOLS.sentence(text), layers=found, meta=meta, origin=Origin(where, (record.line + 1,)))


def _meta(header: str) -> dict[str, str]:
    """Return the id of a header and its values by their keys."""
    name, _, rest = header.partition(" ")
    return {**({"id": name} if name else {}), **dict(PAIR.findall(rest))}


def _value(header: str, key: str, meta: Mapping[str, str], layer: str) -> str:
    """Return the label of a layer.

    Raises:
        ValueError: The header does not have it.
    """
    fields = header.split("|")
    value = fields[int(key) - 1].strip() if key.isdecimal() and 0 < int(key) <= len(fields) else meta.get(key, "")
    if not value:
        wanted = f"a field {key} between vertical bars" if key.isdecimal() else f"`{key}=VALUE`"
        keys = f"; its keys are {quoted(meta)}" if meta and not key.isdecimal() else ""
        raise ValueError(f"the header must have {wanted} for the layer `{layer}`, got {shorten(header)}{keys}")
    return value
