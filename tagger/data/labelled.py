"""Sentences with one label each: a file a class, or lines `label TAB text`.

The text is tokenised, or split at blanks where it is tokenised already.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tagger.data.columns import shorten
from tagger.data.files import iter_lines
from tagger.data.sentence import Label, Origin, Sentence
from tagger.data.tokenization import sentence_from_text
from tagger.errors import DataError, Problems, gather

Tokenize = Literal["words", "blanks"]


def read_labelled(path: str | Path, layer: str, *, tokenize: Tokenize = "words") -> list[Sentence]:
    """The sentences of a file of lines `label TAB text`, the label in `layer`.

    Raises:
        DataError: The file cannot be read, or a line has no label or no text; names all such lines.
    """
    problems = Problems()
    same: dict[Any, Any] = {}
    sentences = []
    for number, line in enumerate(iter_lines(Path(path)), 1):
        label, _, text = line.partition("\t")
        if label.strip() and text.strip():
            sentences.append(_labelled(text, label.strip(), layer, tokenize, path, number).sharing(same))
        else:
            problems.append(f"{path}:{number}: must be a label, a tab and a text, got {shorten(line)}")
    if problems:
        raise DataError.of(problems)
    return sentences


def read_classes(files: Mapping[str, str | Path], layer: str, *, tokenize: Tokenize = "words") -> list[list[Sentence]]:
    """The sentences of each file of `class → path`, a sentence a line, the class in `layer`.

    Raises:
        DataError: A file cannot be read, or a line has no text; names all such lines.
    """
    same: dict[Any, Any] = {}

    def read_class(label: str, path: str | Path) -> list[Sentence]:
        problems = Problems()
        sentences = []
        for number, text in enumerate(iter_lines(Path(path)), 1):
            if text.strip():
                sentences.append(_labelled(text, label, layer, tokenize, path, number).sharing(same))
            else:
                problems.append(f"{path}:{number}: must hold a sentence, got a blank line")
        if problems:
            raise DataError.of(problems)
        return sentences

    return gather(partial(read_class, label, path) for label, path in files.items())


def _labelled(text: str, label: str, layer: str, tokenize: Tokenize, path: str | Path, number: int) -> Sentence:
    sentence = sentence_from_text(text, tokenize)
    return replace(sentence, layers={layer: Label(label)}, origin=Origin(str(path), (number,)))
