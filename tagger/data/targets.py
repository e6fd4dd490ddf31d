"""What a file can be converted to, and what is asked of a conversion.

Each format is a row of a table: how its lines are written, and what it has a place for. Reading, and refusing what
would be lost, is left to `reformatting.py`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, get_args

from tagger.data.columns import conll_lines
from tagger.data.jsonl import sentence_to_json
from tagger.data.schemes import Scheme
from tagger.data.sentence import Sentence
from tagger.errors import RecipeError

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)


class Target(NamedTuple):
    """A format that can be written: how, what it has a place for, and whether that is one layer alone."""

    lines: Callable[[Iterable[Sentence], Sequence[str]], Iterator[str]]  # of the sentences, with these tag layers
    holds: frozenset[str]
    single: bool = False


def _jsonl_lines(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[str]:
    return (json.dumps(sentence_to_json(sentence), ensure_ascii=False) for sentence in sentences)


def _text_lines(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[str]:
    return (sentence.text for sentence in sentences)


def _conll_lines(sentences: Iterable[Sentence], layers: Sequence[str]) -> Iterator[str]:
    return conll_lines((_with_text(sentence) for sentence in sentences), layers)


def _with_text(sentence: Sentence) -> Sentence:
    """The sentence with its text as a comment, where it is more than its tokens with a blank between them."""
    if "text" in sentence.meta or sentence.text == " ".join(sentence.tokens):
        return sentence
    return replace(sentence, meta={**sentence.meta, "text": sentence.text})


# What can be in a sentence: `tags` and `entities` (layers without and with a scheme), `labels`, `comments`,
# `documents`, `tokens` (where they stand in the text), `text` (white space between tokens), `offsets` (text that is no
# token), `blank lines`. Formats with spans of characters hold text, offsets and one layer of entities.
TARGETS: Mapping[str, Target] = {
    "conll": Target(_conll_lines, frozenset({"tags", "entities", "labels", "comments", "documents", "tokens", "text"})),
    "jsonl": Target(_jsonl_lines, frozenset({"tags", "entities", "labels", "tokens", "text", "offsets"})),
    "text": Target(_text_lines, frozenset({"text", "offsets", "blank lines"})),
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
        labels: Comments (`# intent = x`) that are read as label layers.
        drop: What may be lost, by name.
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
