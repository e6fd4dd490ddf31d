"""Readers of one format each, as tests call them: of a path or of lines, all faults in one error."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tagger.config import ReadingConfig
from tagger.files.reading import iter_lines
from tagger.formats.faults import Faults
from tagger.formats.source import Source, source_of
from tagger.formats.table import read_file
from tagger.formats.tally import Tally
from tagger.formats.tools.items import line_items
from tagger.formats.tools.reading import sentences_of_items
from tagger.text.sentence import Sentence
from tagger.text.tokenization import Tokenize

Layers = Mapping[str, str] | None


def read(format: str, source: str | Path | Source, *, tally: Tally | None = None, **settings: Any) -> list[Sentence]:
    source = source if isinstance(source, Source) else source_of(Path(source), settings.get("encoding"))
    return read_file(format, source, ReadingConfig.model_construct(**settings), tally or Tally(), Faults())


def parse(
    format: str, lines: Iterable[str], *, where: str, tally: Tally | None = None, **settings: Any
) -> list[Sentence]:
    held = list(lines)
    return read(format, Source(where, lambda: held), tally=tally, **settings)


def read_conll(path: str | Path, columns: Sequence[str], layers: Layers = None) -> list[Sentence]:
    return read("conll", path, columns=columns, layers=layers)


def parse_conll(lines: Iterable[str], columns: Sequence[str], layers: Layers = None, *, where: str) -> list[Sentence]:
    return parse("conll", lines, where=where, columns=columns, layers=layers)


def read_conllu(path: str | Path, layers: Layers = None, tally: Tally | None = None) -> list[Sentence]:
    return read("conllu", path, tally=tally, layers=layers)


def parse_conllu(
    lines: Iterable[str], layers: Layers = None, tally: Tally | None = None, *, where: str
) -> list[Sentence]:
    return parse("conllu", lines, where=where, tally=tally, layers=layers)


def read_jsonl(path: str | Path, layers: Layers = None, *, tokenize: Tokenize = "words") -> list[Sentence]:
    return parse_jsonl(iter_lines(Path(path)), layers, tokenize=tokenize, where=str(path))


def parse_jsonl(
    lines: Iterable[str],
    layers: Layers = None,
    *,
    tokenize: Tokenize = "words",
    where: str,
    tally: Tally | None = None,
) -> list[Sentence]:
    """Sentences of tokens, whatever the first line looks like."""
    tally, faults = tally or Tally(), Faults()
    config = ReadingConfig.model_construct(layers=layers, tokenize=tokenize)
    sentences = list(sentences_of_items(line_items(lines, where), config, tally, faults, where=where))
    faults.close()
    return tally.settled(sentences)


def read_labelled(path: str | Path, layer: str, **settings: Any) -> list[Sentence]:
    return read("labelled", path, layer=layer, **settings)
