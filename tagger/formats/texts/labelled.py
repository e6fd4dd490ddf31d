"""Sentences with one label each: lines of a label and a text between tabs, or one file per class.

The text is split into words, or at blanks where it is tokenised already.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tagger.config import ClassRange, ReadingConfig
from tagger.errors import gather
from tagger.formats.columns.fields import Sample
from tagger.formats.faults import Faults
from tagger.formats.source import Source, source_of
from tagger.formats.tally import Tally
from tagger.text.sentence import Label, Origin, Sentence
from tagger.text.tokenization import TextRules
from tagger.wording import shorten

LAYER = "label"  # the layer of the labels, where no other is named


def looks_like_labelled(sample: Sample) -> bool:
    """Whether most lines have two fields between tabs, of which the second has several words."""
    rows = sample.split(tabs=True)
    return sum(len(row) == 2 and " " in row[1].strip() for row in rows) * 2 > len(rows)


def read_labelled(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a file of labelled text, with the label in the config's `layer`.

    Its `columns` name the fields between the tabs of a line: the layer and `text`, and others that are ignored. The
    default is a label and a text. Tabs after the last column belong to it. With `classes`, labels are numbers, and the
    layer gets the class of each.
    """
    layer = config.layer or LAYER
    for number, line in enumerate(source.lines(), 1):
        try:
            label, text = _split(line, layer, config.columns or (layer, "text"))
            label = _class_of(label, config.classes) if config.classes else label
        except ValueError as error:
            faults.add("form", f"{source.where}:{number}", str(error))
        else:
            yield _labelled(text, label, layer, config.text_rules, source.where, number)


def _split(line: str, layer: str, columns: Sequence[str]) -> tuple[str, str]:
    """Return label and text of a line."""
    fields = line.split("\t", len(columns) - 1)
    values = dict(zip(columns, fields, strict=False))
    if len(fields) < len(columns) or not values[layer].strip() or not values["text"].strip():
        wanted = "a label, a tab and a text" if tuple(columns) == (layer, "text") else " TAB ".join(columns)
        raise ValueError(f"must be {wanted}, got {shorten(line)}")
    return values[layer].strip(), values["text"]


def _class_of(label: str, classes: Mapping[str, ClassRange]) -> str:
    """Return the class whose range a number is in; a class without a range takes all others."""
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


def read_classes(files: Mapping[str, str | Path], layer: str, rules: TextRules) -> list[list[Sentence]]:
    """Return the sentences of each file of `class → path`, one sentence per line, with the class in `layer`.

    Raises:
        DataError: A file cannot be read, or a line has no text; names all such lines.
    """
    same: dict[Any, Any] = {}

    def read_class(label: str, path: str | Path) -> list[Sentence]:
        faults, sentences = Faults(), []
        for number, text in enumerate(source_of(Path(path)).lines(), 1):
            if text.strip():
                sentences.append(_labelled(text, label, layer, rules, str(path), number).sharing(same))
            else:
                faults.add("form", f"{path}:{number}", "must hold a sentence, got a blank line")
        faults.close()
        return sentences

    return gather(partial(read_class, label, path) for label, path in files.items())


def _labelled(text: str, label: str, layer: str, rules: TextRules, where: str, number: int) -> Sentence:
    """Return the sentence of a text, with its label and its line."""
    sentence = rules.sentence(text)
    return replace(sentence, layers={layer: Label(label)}, origin=Origin(where, (number,)))
