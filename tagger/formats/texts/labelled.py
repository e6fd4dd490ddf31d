"""Texts with one label each: fields between delimiters (`rows.py`), marks (`marked.py`), or one file per class.

The text is split into words, or at blanks where it is tokenised already. Blank texts, and texts without a label, are
skipped and counted.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from tagger.config import ClassRange, ReadingConfig
from tagger.errors import DataError, gather
from tagger.formats.columns.fields import HEAD, Sample
from tagger.formats.faults import Faults
from tagger.formats.source import Source, source_of
from tagger.formats.tally import Tally
from tagger.formats.texts.marked import mark_of, marked_rows
from tagger.formats.texts.rows import Layout, Row, delimited_rows, detect_layout, split_rows
from tagger.formats.texts.several import only_label
from tagger.text.sentence import Label, Origin, Sentence
from tagger.text.tokenization import TextRules
from tagger.wording import quoted, shorten

LAYER = "label"  # the layer of the labels, where no other is named
BLANK = "skipped {} blank text|texts"
UNLABELLED = "skipped {} text|texts without a label"
OTHER = "skipped {} line|lines that is|are no text|texts with a label"


def looks_like_labelled(sample: Sample) -> bool:
    """Whether lines are marked texts, or a header or most lines show a label and a text of several words."""
    config = sample.config
    if mark_of(sample.lines) is not None:
        return True
    if config.columns is not None and "text" not in config.columns:
        return False
    layout = detect_layout(sample.lines, config.layer or LAYER, config)
    place = layout.columns.index("text")
    filled = [line for line in sample.lines if line.strip()]
    rows = [row for _, row in split_rows(filled, layout.delimiter, layout.quote)][layout.header :]
    if layout.names:
        rows = [row for row in rows if len(row) > place]
        return sum(" " in row[place].strip() for row in rows) * 2 > len(rows)
    texts = sum(len(row) == 2 and " " in row[place].strip() for row in rows)
    return texts * 2 > len(rows) and not _are_parallel(rows)


def _are_parallel(rows: Iterable[list[str]]) -> bool:
    """Whether each line has as many words in its second field as in its first, as tags beside their tokens have."""
    return all(len(row) == 2 and len(row[0].split()) == len(row[1].split()) for row in rows)


def read_labelled(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the sentences of a file of labelled text, with the label in the config's `layer`.

    Its `columns` name the fields of a line: the layer and `text`, and others that are ignored; tabs after the last
    belong to it. Without them, the first lines show what the fields are. With `classes`, labels are numbers, and the
    layer gets the class of each.
    """
    layer = config.layer or LAYER
    for row in _rows(source, config, layer, tally):
        place = f"{source.where}:{row.line}"
        try:
            label = _label_of(row, config, tally, place)
        except (ValueError, DataError) as error:
            faults.add("form", place, str(error))
        else:
            if label is not None:
                sentence = _labelled(row.text, label, layer, config.text_rules, source.where, row.line)
                tally.unread.update(name for name, value in row.others.items() if value.strip())
                yield replace(sentence, record=row.others or None)


def _rows(source: Source, config: ReadingConfig, layer: str, tally: Tally) -> Iterator[Row]:
    """Yield the rows of a file; lines that are no texts are counted."""
    head = list(islice(source.lines(), HEAD))
    given = (config.columns, config.delimiter, config.header)
    mark = mark_of(head) if given == (None, None, None) else None
    if mark is not None:
        for number, row in enumerate(marked_rows(iter(source.lines()), mark), 1):
            if row is None:
                tally.count(OTHER, f"at {source.where}:{number}")
            else:
                yield row
        return
    layout = detect_layout(head, layer, config)
    _tell(layout, layer, config, tally, source.where)
    yield from delimited_rows(source.lines(), layer, layout)


def _tell(layout: Layout, layer: str, config: ReadingConfig, tally: Tally, where: str) -> None:
    """Count a file whose header or order of columns was detected."""
    if layout.names:
        tally.count(f"read {{}} file|files with the columns {quoted(layout.names)}", f"is {where}")
    elif config.columns is None and layout.columns[0] == "text":
        tally.count("read {} file|files with the text before its label", f"is {where}")


def _label_of(row: Row, config: ReadingConfig, tally: Tally, place: str) -> str | None:
    """Return the label of a row; None if it is skipped, which is counted.

    Raises:
        ValueError: The row has another form, or a number in no range of `classes`.
        DataError: It has several labels, and that is an error.
    """
    if row.wrong:
        raise ValueError(row.wrong)
    if not row.text.strip():
        tally.count(BLANK, f"at {place}")
        return None
    if not row.labels:
        tally.count(UNLABELLED, f"at {place}")
        return None
    label = only_label(row.labels, config.several, tally, place)
    return _class_of(label, config.classes) if config.classes and label is not None else label


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


def read_classes(
    files: Mapping[str, str | Path], config: ReadingConfig, tally: Tally | None = None
) -> list[list[Sentence]]:
    """Return the sentences of each file of `class → path`, one text per line, with the class in the config's `layer`.

    Blank lines are skipped; the tally counts them. The config's `encoding` and `header` hold for each file.

    Raises:
        DataError: A file cannot be read.
    """
    same: dict[Any, Any] = {}
    tally, layer = tally or Tally(), config.layer or LAYER

    def read_class(label: str, path: str | Path) -> list[Sentence]:
        sentences = []
        numbered = enumerate(source_of(Path(path), config.encoding).lines(), 1)
        for number, text in islice(numbered, int(config.header or 0), None):
            if text.strip():
                found = _labelled(text, label, layer, config.text_rules, str(path), number)
                sentences.append(found.sharing(same))
            else:
                tally.count(BLANK, f"at {path}:{number}")
        return sentences

    return gather(partial(read_class, label, path) for label, path in files.items())


def _labelled(text: str, label: str, layer: str, rules: TextRules, where: str, number: int) -> Sentence:
    """Return the sentence of a text, with its label and its line."""
    sentence = rules.sentence(text)
    return replace(sentence, layers={layer: Label(label)}, origin=Origin(where, (number,)))
