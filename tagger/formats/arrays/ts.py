"""The `.ts` files of the time-series community: one series per line, with a class at its end.

Numbers have commas between them, and the dimensions of a series colons; `?` is a missing number.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from tagger.config import ReadingConfig
from tagger.errors import DataError
from tagger.formats.arrays.numbers import number_of
from tagger.formats.columns.fields import Sample
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.text.frames import frames_of
from tagger.text.sentence import Label, Origin, Sentence, sentence_of_frames
from tagger.wording import quoted, shorten

LAYER = "label"  # the layer of the classes, where no other is named


def looks_like_ts(sample: Sample) -> bool:
    """Whether the first line that is no comment begins the head of such a file."""
    first = next((line for line in sample.lines if line.strip() and not line.startswith("#")), "")
    return first.lower().startswith(("@problemname", "@timestamps", "@univariate", "@data"))


def read_ts(source: Source, config: ReadingConfig, faults: Faults) -> Iterator[Sentence]:
    """Yield the series of a file, with their classes in the config's `layer` (default: `label`).

    Raises:
        DataError: The numbers have time stamps, series have targets that are numbers, or no line begins the data.
    """
    head: dict[str, str] = {}
    lines = enumerate(source.lines(), 1)
    for _, line in lines:
        key, value = [*line.split(maxsplit=1), "", ""][:2]
        if key.lower() == "@data":
            break
        if key.startswith("@"):
            head[key[1:].lower()] = value.strip()
    else:
        raise DataError(f"{source.where}: a .ts file must have a line @data before its series, got none; add it")
    if head.get("timestamps", "false").lower().startswith("true"):
        raise DataError(
            f"{source.where}: numbers must have no time stamps (@timestamps false), got @timestamps true; write the "
            "numbers alone, or a CSV file with a column of times"
        )
    if head.get("targetlabel", "false").lower().startswith("true"):
        raise DataError(
            f"{source.where}: series must have classes (@classLabel), got numbers as their targets (@targetlabel "
            "true); write them as JSON lines with `values`"
        )
    for number, line in lines:
        if line.strip() and not line.startswith("#"):
            try:
                yield _series(line, head, config.layer or LAYER, Origin(source.where, (number,)))
            except DataError as error:
                faults.add("form", f"{source.where}:{number}", str(error))


def _series(line: str, head: Mapping[str, str], layer: str, origin: Origin) -> Sentence:
    """Return the series of a line.

    Raises:
        DataError: The line has no such series.
    """
    parts = [part.strip() for part in line.split(":")]
    labelled = head.get("classlabel", "false").lower().startswith("true")
    label = parts.pop() if labelled else ""
    size = "1" if head.get("univariate", "false").lower().startswith("true") else head.get("dimensions")
    if size is not None and size != str(len(parts)):
        raise DataError(f"the number of dimensions of a series must be {size}, as the head says, got {len(parts)}")
    rows = [[number_of(value) for value in part.split(",")] for part in parts]
    if len({len(row) for row in rows}) != 1:
        raise DataError(
            f"all dimensions of a series must have as many numbers, got {shorten([len(row) for row in rows])}"
        )
    if labelled and not label:
        raise DataError("a series must end with a colon and its class, as @classLabel true says, got none")
    classes = head.get("classlabel", "").split()[1:]
    if classes and label and label not in classes:
        raise DataError(f"the class must be one of those of @classLabel ({quoted(classes)}), got {shorten(label)}")
    layers = {layer: Label(label)} if labelled else {}
    return sentence_of_frames(frames_of(np.array(rows).T), layers, origin=origin)
