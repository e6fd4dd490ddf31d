"""Sentences with one label each: a file a class, or lines of a label and a text between tabs.

The text is tokenised, or split at blanks where it is tokenised already.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tagger.config import ClassRange
from tagger.errors import DataError, Problems, gather
from tagger.files.reading import iter_lines
from tagger.text.sentence import Label, Origin, Sentence
from tagger.text.tokenization import Tokenize, sentence_from_text
from tagger.wording import shorten


def read_labelled(
    path: str | Path,
    layer: str,
    *,
    tokenize: Tokenize = "words",
    columns: Sequence[str] | None = None,
    classes: Mapping[str, ClassRange] | None = None,
) -> list[Sentence]:
    """The sentences of a file of labelled text, the label in `layer`.

    Args:
        path: The file.
        layer: The name of the layer.
        tokenize: How the text is split.
        columns: What stands between the tabs of a line: `layer` and `text` among others, which are not read. A label
            and a text if left out. Tabs behind the last belong to it.
        classes: The range of numbers of each class, where labels are numbers.

    Raises:
        DataError: The file cannot be read, or a line has no label or no text, or a number that is in no class or in
            several; names all such lines.
    """
    columns = columns or (layer, "text")
    problems = Problems()
    same: dict[Any, Any] = {}
    sentences = []
    for number, line in enumerate(iter_lines(Path(path)), 1):
        try:
            label, text = _split(line, layer, columns)
            label = _class_of(label, classes) if classes else label
            sentences.append(_labelled(text, label, layer, tokenize, path, number).sharing(same))
        except ValueError as error:
            problems.append(f"{path}:{number}: {error}")
    if problems:
        raise DataError.of(problems)
    return sentences


def _split(line: str, layer: str, columns: Sequence[str]) -> tuple[str, str]:
    """Label and text of a line."""
    fields = line.split("\t", len(columns) - 1)
    values = dict(zip(columns, fields, strict=False))
    if len(fields) < len(columns) or not values[layer].strip() or not values["text"].strip():
        wanted = "a label, a tab and a text" if tuple(columns) == (layer, "text") else " TAB ".join(columns)
        raise ValueError(f"must be {wanted}, got {shorten(line)}")
    return values[layer].strip(), values["text"]


def _class_of(label: str, classes: Mapping[str, ClassRange]) -> str:
    """The class whose range a number is in; one without a range takes the rest."""
    try:
        value = float(label)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        raise ValueError(f"the label must be a number, which `classes` turns into a class, got {shorten(label)}")
    found = [name for name, part in classes.items() if part != ClassRange() and part.holds(value)]
    found = found or [name for name, part in classes.items() if part == ClassRange()]
    if len(found) != 1:
        raise ValueError(f"the label must be in one range of `classes`, got {label}, which is in {len(found)}")
    return found[0]


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
