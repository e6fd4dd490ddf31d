"""WebAnno TSV 3, which WebAnno and INCEpTION export: tokens with their offsets, and a column per feature of a layer.

A value is `_` for nothing, `*` for an annotation without a value, or a value; `PER[2]` goes on in the next token with
`PER[2]`, and `|` stands between values of several annotations. A layer of entities gets the name of its layer, `ner`
and `pos` for the usual ones. Relations and chains are not read, and annotations of parts of a token are misaligned.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tagger.config import ReadingConfig
from tagger.formats.columns.blocks import NO_SENTENCE
from tagger.formats.columns.fields import Sample
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.standoff.alignment import Entity
from tagger.formats.standoff.sentences import annotated_sentences
from tagger.formats.tally import Tally
from tagger.text.sentence import Origin, Sentence, TagLayer
from tagger.text.tokenization import CharSpan
from tagger.wording import shorten

FORMAT = "#FORMAT=WebAnno TSV"
LAYERS = {"NamedEntity": "ner", "POS": "pos", "Lemma": "lemma", "Chunk": "chunk"}
MAIN = ("value", "PosValue", "chunkValue")  # features that give a layer its name alone
TOKEN = re.compile(r"[0-9]+-[0-9]+")
PART = re.compile(r"[0-9]+-[0-9]+\.[0-9]+")  # a part of a token
NUMBERED = re.compile(r"(.*)\[([0-9]+)\]", re.DOTALL)
BETWEEN = re.compile(r"(?<!\\)\|")
ESCAPED = re.compile(r"\\(.)")
PER_TOKEN = ("pos", "lemma")  # layers with a value for each token


class Column(NamedTuple):
    """A column of a file: its layer, empty if it is not read."""

    layer: str
    feature: str = ""


class Row(NamedTuple):
    """A token or a part of one: the number of its line, its range in the text of its sentence, and its values."""

    line: int
    start: int
    end: int
    values: Sequence[str]


class Block(NamedTuple):
    """A sentence: its text, its tokens, and the annotated parts of tokens."""

    text: str
    tokens: list[Row]
    parts: list[Row]


def looks_like_webanno(sample: Sample) -> bool:
    """Whether the first line names the format."""
    return sample.first.startswith(FORMAT)


def read_webanno(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a file, with a layer for each feature that has values."""
    columns: list[Column] = []
    blocks = list(_blocks(source, columns, tally, faults))
    names = _names(columns, blocks)
    for block in blocks:
        yield _sentence(block, columns, names, source.where, config, tally, faults)
    if not blocks:
        faults.add("form", source.where, NO_SENTENCE)


def _columns_of(line: str, columns: list[Column]) -> None:
    """Add the columns of a layer, as a line of the head defines it."""
    kind, _, definition = line[1:].partition("=")
    name, *features = definition.strip().split("|")
    last = name.rpartition(".")[2]
    layer = LAYERS.get(last, last.lower()) if kind == "T_SP" else ""
    columns += [Column(layer, feature) for feature in features or [""]]


def _blocks(source: Source, columns: list[Column], tally: Tally, faults: Faults) -> Iterator[Block]:
    """Yield the sentences of a file, after adding its columns."""
    text: list[str] = []
    rows: list[tuple[int, list[str]]] = []
    width = 0
    for number, line in enumerate((*source.lines(), ""), 1):
        if line.startswith("#Text="):
            text.append(line.removeprefix("#Text="))
        elif line.startswith("#T_"):
            if width:
                message = "layers must be defined before the first token, got"
                faults.add("form", f"{source.where}:{number}", f"{message} {shorten(line)}")
                continue
            _columns_of(line, columns)
        elif not line.strip() and rows:
            yield from _block("\n".join(text), rows, source.where, faults)
            text, rows = [], []
        elif line.strip() and not line.startswith("#"):
            fields = line.split("\t")
            width = 3 + len(columns)  # which no later line changes
            if len(fields) < width or not (TOKEN.fullmatch(fields[0]) or PART.fullmatch(fields[0])):
                message = f"must have a token number, offsets, a token and {len(columns)} further columns, got"
                faults.add("columns", f"{source.where}:{number}", f"{message} {shorten(line)}")
                continue
            rows.append((number, fields[:width]))
            unread = (fields[3 + i] for i, column in enumerate(columns) if not column.layer)
            if any(value not in ("_", "") for value in unread):
                tally.left["relations"] += 1


def _block(text: str, rows: Sequence[tuple[int, list[str]]], where: str, faults: Faults) -> Iterator[Block]:
    """Yield the sentence of some rows; the text is that of the file if it has all tokens in order."""
    found = _located(_unescaped(text), rows) or _located(" ".join(f[2] for _, f in rows if TOKEN.fullmatch(f[0])), rows)
    if found is None:
        message = "a part of a token must have the text of the token at its offsets"
        faults.add("form", f"{where}:{rows[0][0]}", message)
    elif found.tokens:
        yield found


def _located(text: str, rows: Sequence[tuple[int, list[str]]]) -> Block | None:
    """Return the tokens of a text, found one after the other; None if one is not there."""
    tokens: list[Row] = []
    parts: list[Row] = []
    position, first = 0, 0
    for line, (number, offsets, word, *values) in rows:
        start, _, end = offsets.partition("-")
        if TOKEN.fullmatch(number):
            place = text.find(word, position)
            if place < 0 or text[position:place].strip():
                return None
            tokens.append(Row(line, place, place + len(word), values))
            position, first = place + len(word), int(start) if start.isdecimal() else 0
        elif tokens and start.isdecimal() and end.isdecimal():
            begin = tokens[-1].start + int(start) - first
            parts.append(Row(line, begin, begin + int(end) - int(start), values))
    return Block(text, tokens, parts)


def _unescaped(value: str) -> str:
    """Return a value without its escapes."""
    return ESCAPED.sub(lambda match: {"n": "\n", "r": "\r", "t": "\t"}.get(match[1], match[1]), value)


def _annotations(value: str) -> Iterator[tuple[str, str]]:
    """Yield the value and the number of each annotation of a token; no number if it ends with the token."""
    for part in BETWEEN.split(value):
        numbered = NUMBERED.fullmatch(part)
        name, number = (numbered[1], numbered[2]) if numbered else (part, "")
        if name != "_" and name:
            yield "" if name == "*" else _unescaped(name), number


def _names(columns: Sequence[Column], blocks: Sequence[Block]) -> dict[int, str]:
    """Return the layer of each column that is read: those with values, or the first of a layer without any."""
    filled: defaultdict[str, list[int]] = defaultdict(list)
    bare: dict[str, int] = {}
    for i, column in enumerate(columns):
        values = {row.values[i] for block in blocks for row in (*block.tokens, *block.parts)}
        found = {name for value in values for name, _ in _annotations(value)}
        if column.layer and found - {""}:
            filled[column.layer].append(i)
        elif column.layer and found:
            bare.setdefault(column.layer, i)
    names: dict[int, str] = {}
    for layer, places in filled.items():
        for i in places:
            feature = columns[i].feature
            main = feature in MAIN or len(places) == 1
            name = layer if main else f"{layer}_{feature.lower()}"
            names[i] = name if name not in names.values() else f"{name}{i + 1}"
    return names | {i: layer for layer, i in bare.items() if layer not in filled}


def _sentence(
    block: Block,
    columns: Sequence[Column],
    names: dict[int, str],
    where: str,
    config: ReadingConfig,
    tally: Tally,
    faults: Faults,
) -> Sentence:
    """Return a sentence with the tags of its columns."""
    per_token = {i: name for i, name in names.items() if columns[i].layer in PER_TOKEN}
    spanned = {name: _entities(block, i, columns[i].layer, where) for i, name in names.items() if i not in per_token}
    offsets: list[CharSpan] = [(row.start, row.end) for row in block.tokens]
    (sentence,) = annotated_sentences(block.text, spanned, config, tally, faults, whole=True, tokens=offsets)
    layers = dict(sentence.layers)
    for i, name in per_token.items():
        layers[name] = TagLayer(tuple([_value(row.values[i]) for row in block.tokens]))
    origin = Origin(where, tuple([row.line for row in block.tokens]))
    return Sentence(sentence.tokens, sentence.text, sentence.offsets, layers, origin=origin)


def _value(value: str) -> str:
    """Return the value of a token in a layer with one for each; `_` if it has none."""
    return next((name for name, _ in _annotations(value) if name), "_")


def _entities(block: Block, column: int, layer: str, where: str) -> list[Entity]:
    """Return the annotations of a column; those with one number are pieces of the same."""
    ranges: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for i, row in enumerate(_in_order(block)):
        for name, number in _annotations(row.values[column]):
            ranges[name, number or f"line {i}"].append(row)
    return [
        Entity(name or layer, rows[0].start, rows[-1].end, place=f"{where}:{rows[0].line}")
        for (name, _), rows in ranges.items()
    ]


def _in_order(block: Block) -> Iterable[Row]:
    """Return the tokens and the parts of tokens in the order of their lines."""
    return sorted([*block.tokens, *block.parts])
