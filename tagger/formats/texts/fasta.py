"""FASTA: sequences of symbols, such as proteins and DNA, each below a header line `>ID description`.

The symbols of a sequence may be on several lines, and each is a token. Words `key=value` of the header are comments of
the sentence, as is its first word by the name `id`. `layers` of the config says where labels and tags are:

- `tags`: below the symbols, with one character for each symbol on as many lines, as in files of three lines a record;
- a number: the field of the header between vertical bars, from 1, without keys and values behind it: field 2 of
  `>P1|EUKARYA organism=human` is `EUKARYA`;
- any other name: the value of this key in the header: `>P1 organism=human`.

Lines that start with `;` and white space are ignored. Symbols are kept as they are: case, gaps (`-`) and stops (`*`).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.columns.fields import Sample
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.tally import Tally
from tagger.text.sentence import Label, Origin, Sentence, TagLayer
from tagger.text.tokenization import SYMBOLS
from tagger.wording import counted, quoted, shorten

TAGS = "tags"  # the source of a layer below the symbols
PAIR = re.compile(r"(?<!\S)([^\s=|]+)=(.*?)(?=\s+[^\s=|]+=|\s*$)")  # a value ends where the next key begins
MOST = 0.9  # of the characters of symbols are tags of the model too, at the most
OF_SPANS = "BIOESLUM"  # the first letters of tags in all schemes
SYMBOL_LINE = re.compile(r"[A-Za-z*.~-]+")


class Record(NamedTuple):
    """A sequence of a file.

    Args:
        header: Its header without `>`.
        line: The number of the header, from 1.
        lines: The lines below the header, without white space and blank lines.
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

    If the config has tags below the symbols, they are skipped where every record of the file has them.

    Raises:
        DataError: The second halves of the records may be tags or symbols.
    """
    has_tags = TAGS in (config.layers or {}).values() and _have_tags(source, tally.tags)
    unlabelled = config.model_copy(update={"layers": {"": TAGS} if has_tags else None})
    for sentence in read_fasta(source, unlabelled, tally, faults):
        if has_tags:
            tally.count("skipped the tags below the symbols of {} record|records", source.where)
        yield replace(sentence, layers={})


def _have_tags(source: Source, tags: frozenset[str] | None) -> bool:
    """Whether the records of a file have tags below their symbols.

    Half of a sequence would be lost if its lines were only counted, because long sequences are cut into lines.

    Args:
        source: The file.
        tags: The tags of the model; None if they are unknown.

    Raises:
        DataError: The second half of each record has as many characters as the first, and may be either.
    """
    symbols, below = Counter[str](), Counter[str]()
    for record in _records(source, Faults()):
        half = len(record.lines) // 2
        first, second = "".join(record.lines[:half]), "".join(record.lines[half:])
        if len(first) != len(second):
            return False
        symbols.update(first)
        below.update(second)
    known = below.keys() if tags is None else _spellings(tags)
    share = sum(number for tag, number in below.items() if tag in known) / max(below.total(), 1)
    if share < MOST:
        return False
    if share == 1 and not (symbols.keys() <= known if tags is not None else symbols.keys() & known):
        return True
    raise DataError(
        f"{source.where}: the second half of each record must be symbols or tags of the model, got what may be either; "
        "write all symbols of a record on one line, without tags"
    )


def _spellings(tags: frozenset[str]) -> frozenset[str]:
    """Return the characters that may be written for tags; those of spans without types are some letters."""
    letters = OF_SPANS if any("-" in tag[1:] for tag in tags) else ""
    return frozenset(f"{letters}{letters.lower()}").union(tag for tag in tags if len(tag) == 1)


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
            record.lines.append("".join(line.split()))
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
    if digit := next(filter(str.isdigit, text), None):
        raise ValueError(f"symbols must not be digits, got {digit!r}; remove the numbers of residues from the lines")
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
    name, rest = [*header.split(maxsplit=1), "", ""][:2]
    return {**({"id": name} if name else {}), **dict(PAIR.findall(rest))}


def _value(header: str, key: str, meta: Mapping[str, str], layer: str) -> str:
    """Return the label of a layer.

    Raises:
        ValueError: The header does not have it.
    """
    fields = PAIR.sub("", header).split("|")
    value = fields[int(key) - 1].strip() if key.isdecimal() and 0 < int(key) <= len(fields) else meta.get(key, "")
    if not value:
        wanted = f"a field {key} between vertical bars" if key.isdecimal() else f"`{key}=VALUE`"
        keys = f"; its keys are {quoted(meta)}" if meta and not key.isdecimal() else ""
        raise ValueError(f"the header must have {wanted} for the layer `{layer}`, got {shorten(header)}{keys}")
    return value
