"""What a file can be converted to, and what is asked of a conversion.

Each format is a row of a table: how its lines are written, and what it has a place for. Reading, and refusing what
would be lost, is left to `reformatting.py`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, get_args

from tagger.errors import RecipeError
from tagger.formats.columns import conll_lines
from tagger.formats.conllu import FIELDS, conllu_lines
from tagger.formats.jsonl import sentence_to_json
from tagger.formats.standoff.annotation_tools import Dialect, spanned_lines
from tagger.text.choices import Misaligned, Nested
from tagger.text.schemes import Scheme
from tagger.text.sentence import Sentence
from tagger.text.tokenization import Tokenize

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)


class Target(NamedTuple):
    """A format that can be written: how, what it has a place for, whether that is one layer alone, and which layers."""

    lines: Callable[[Iterable[Sentence], Sequence[str]], Iterator[str]]  # of the sentences, with these tag layers
    holds: frozenset[str]
    single: bool = False
    layers: tuple[str, ...] | None = None  # the only names that tag layers can have; None for any


def _jsonl_lines(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[str]:
    return (json.dumps(sentence_to_json(sentence), ensure_ascii=False) for sentence in sentences)


def _text_lines(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[str]:
    return (sentence.text for sentence in sentences)


def _conll_lines(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[str]:
    return conll_lines((_with_text(sentence) for sentence in sentences), layers)


def _spanned(sentences: Iterable[Sentence], layers: Sequence[str], dialect: Dialect) -> Iterator[str]:
    return spanned_lines(sentences, layers[0] if layers else None, dialect)


def _with_text(sentence: Sentence) -> Sentence:
    """The sentence with its text as a comment, where it is more than its tokens with a blank between them."""
    if "text" in sentence.meta or sentence.text == " ".join(sentence.tokens):
        return sentence
    return replace(sentence, meta={**sentence.meta, "text": sentence.text})


# What can be in a sentence: `tags` and `entities` (layers without and with a scheme), `labels`, `comments`,
# `documents`, `document names` (other than their number), `tokens` (where they stand in the text), `text` (white space
# between tokens), `offsets` (text that is no token), `blank lines`.
ALL = frozenset({"tags", "entities", "labels", "comments", "documents", "document names", "tokens", "text"})
SPANS = frozenset({"entities", "text", "offsets"})
TARGETS: Mapping[str, Target] = {
    "conll": Target(_conll_lines, ALL - {"document names"}),
    "conllu": Target(conllu_lines, ALL, layers=FIELDS[2:]),
    "jsonl": Target(_jsonl_lines, ALL | {"offsets"}),
    "text": Target(_text_lines, frozenset({"text", "offsets", "blank lines"})),
    "doccano": Target(partial(_spanned, dialect="doccano"), SPANS, single=True),
    "labelstudio": Target(partial(_spanned, dialect="labelstudio"), SPANS, single=True),
    "spacy": Target(partial(_spanned, dialect="spacy"), SPANS, single=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What is to be done to a file, as the options of the command say it.

    Args:
        to: A scheme or a format.
        format: Of the file; detected if left out.
        columns: Of a column file, as in a recipe; detected if left out.
        column: Number or name of the column to change; the last that holds a scheme if left out.
        scheme: Of the file; detected if left out.
        repair: Read invalid sequences by conlleval's rule where they else are an error.
        merge: Let entities that IO cannot tell apart become one.
        labels: Comments (`# intent = x`), or keys of texts with spans, that are read as label layers.
        drop: What may be lost, by name.
        misaligned: What becomes of character spans that are not whole tokens of one sentence.
        nested: Which of two character spans stays where one stands in the other.
        tokenize: How raw text is split into tokens: `words` if left out, or `blanks`.
    """

    to: str
    format: str | None = None
    columns: tuple[str, ...] | None = None
    column: str | None = None
    scheme: Scheme | None = None
    repair: bool = False
    merge: bool = False
    labels: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    misaligned: Misaligned = "error"
    nested: Nested = "error"
    tokenize: Tokenize | None = None

    def __post_init__(self) -> None:
        known = (*SCHEMES, *TARGETS)
        if self.to not in known:
            raise RecipeError(f"--to must be one of {', '.join(known)}, got {self.to!r}")
        to_scheme = self.to in SCHEMES
        idle = {
            "--column": self.column is not None and not to_scheme,
            "--merge": self.merge and self.to != "io",
            "--drop": bool(self.drop) and to_scheme,
            "--labels": bool(self.labels) and to_scheme,
        }
        for option in (name for name, given in idle.items() if given):
            raise RecipeError(f"{option} does nothing with --to {self.to}; leave it out")
