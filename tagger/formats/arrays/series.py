"""Series in CSV: a line for each step, with its time, its numbers and perhaps its tag, cut into windows.

Tags may also come from a JSON file with labelled ranges of time for each series, as the Numenta Anomaly Benchmark has
them: `{"NAME.csv": [["2014-04-10 07:15:00", "2014-04-11 16:45:00"], ...]}`.
"""

import csv
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.config import FramesReading, ReadingConfig
from tagger.errors import DataError
from tagger.files.reading import MAX_LINE, read_text
from tagger.formats.arrays.numbers import number_of, seconds_of, time_of
from tagger.formats.faults import Faults
from tagger.formats.source import Source
from tagger.formats.tally import Tally
from tagger.text.frames import Frames, frames_of
from tagger.text.sentence import Layer, Origin, Sentence, TagLayer, Values, sentence_of_frames
from tagger.wording import quoted, shorten

TIMES = ("time", "timestamp", "datetime", "date", "ds")  # names of columns of times
LAYER = "tags"  # the layer of the tags, where no other is named
SECONDS = {"day": 86_400.0, "week": 7 * 86_400.0, "year": 365.2425 * 86_400.0}  # of cycles
NEXT = "next"  # the layer of the numbers behind a window
OUTSIDE = "O"  # the tag of steps outside all labelled ranges

Ranges = Sequence[tuple[float, float]]


class _Columns(NamedTuple):
    """Positions of the columns of a file."""

    time: int | None
    label: int | None
    values: Sequence[int]
    names: Sequence[str]


def read_series(source: Source, config: ReadingConfig, tally: Tally, faults: Faults) -> Iterator[Sentence]:
    """Yield the windows of a series; those that are only scored or tagged do not overlap.

    Raises:
        DataError: The file has no header with the columns, or the file of labelled ranges cannot be read.
    """
    how = config.frames or FramesReading()
    rows = _rows(source, config.delimiter)
    _, head = next(rows, (1, []))
    names = [name.strip() for name in head]
    if tally.missed is not None and how.label not in names:  # of what is tagged
        how = how.model_copy(update={"label": None})
    columns = _columns(names, how, source.where)
    lines: list[int] = []
    times: list[str] = []
    tags: list[str | None] = []
    values: list[list[float]] = []
    before = faults.total
    for line, row in rows:
        try:
            values.append(_numbers(row, columns, len(head)))
            if columns.time is not None:
                times.append(row[columns.time].strip())
                _check_time(times)
                if how.cycles:
                    seconds_of(times[-1])
            if columns.label is not None:
                tags.append(row[columns.label].strip() or None)
            lines.append(line)
        except DataError as error:
            faults.add("form", f"{source.where}:{line}", str(error))
    if not values or faults.total > before:
        return
    for key in ("windows", "cycles"):
        if getattr(how, key) and columns.time is None:
            raise DataError(f"{source.where}: `{key}` needs a column of times, got none; name it in `time`")
    if how.windows is not None:
        tags = _tags_of(times, _ranges(source, how.windows), how.tag)
    phases = [part for cycle in how.cycles for part in _phases(times, cycle)]
    names = [f"{part} of {cycle}" for cycle in how.cycles for part in ("sine", "cosine")]
    frames = frames_of(np.column_stack([np.array(values), *phases]), (*columns.names, *names))
    layers: dict[str, list[str | None]] = {config.layer or LAYER: tags} if tags else {}
    yield from _windows(frames, times, layers, lines, how, source, overlap=tally.missed is None)


def _windows(
    frames: Frames,
    times: Sequence[str],
    layers: dict[str, list[str | None]],
    lines: Sequence[int],
    how: FramesReading,
    source: Source,
    *,
    overlap: bool,
) -> Iterator[Sentence]:
    """Yield the windows of a whole series, the last of which may be shorter."""
    total, size = len(frames), how.window or len(frames)
    hop = (how.hop or size) if overlap or how.ahead else size
    name = Path(source.where).stem
    for start in range(0, total, hop):
        end = min(start + size, total)
        found: dict[str, Layer] = {layer: TagLayer(tuple(tags[start:end])) for layer, tags in layers.items()}
        if how.ahead is not None and end + how.ahead <= total:
            found[NEXT] = _values(frames.part(end, end + how.ahead))
        yield sentence_of_frames(
            frames.part(start, end),
            found,
            steps=times[start:end] or None,
            first=start,
            document=name,
            origin=Origin(source.where, tuple(lines[start:end])),
        )
        if end == total:
            return


def _phases(times: Sequence[str], cycle: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return sine and cosine of the phase of each time in a cycle."""
    angles = 2 * np.pi * np.array([time_of(time) for time in times]) / SECONDS[cycle]
    return np.sin(angles), np.cos(angles)


def _values(frames: Frames) -> Values:
    """Return the first number of each step as numbers of the whole window."""
    numbers = frames.values[:, 0].tolist()
    return Values(tuple([None if math.isnan(number) else number for number in numbers]), whole=True)


def _rows(source: Source, delimiter: str | None) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each line that is not blank, with its number."""
    lines = list(source.lines())
    chosen = delimiter or max(",;\t", key=(lines[0] if lines else "").count)
    csv.field_size_limit(MAX_LINE)
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, next(csv.reader([line], delimiter=chosen))


def _columns(names: Sequence[str], how: FramesReading, where: str) -> _Columns:
    """Return the columns that a header has.

    Raises:
        DataError: A named column is missing, two have one name, or none is left for numbers.
    """
    wanted = [name for name in (how.time, how.label, *(how.values or ())) if name is not None]
    if missing := [name for name in wanted if name not in names]:
        raise DataError(
            f"{where}:1: the first line must name the columns, among them {quoted(missing)}, got {shorten(list(names))}"
        )
    if twice := [name for name in names if names.count(name) > 1]:
        raise DataError(f"{where}:1: the columns must have different names, got `{twice[0]}` twice; rename one")
    others = (how.label, *(how.values or ()))
    time = how.time or next((name for name in names if name.lower() in TIMES and name not in others), None)
    values = how.values or [name for name in names if name not in (time, how.label)]
    if not values:
        raise DataError(f"{where}:1: a column must hold numbers, got only {quoted(names) or 'an empty line'}")
    if not how.values and all(map(_is_number, values)):
        raise DataError(f"{where}:1: the first line must name the columns, got the numbers {shorten(list(names))}")
    return _Columns(
        None if time is None else names.index(time),
        None if how.label is None else names.index(how.label),
        [names.index(name) for name in values],
        tuple(values),
    )


def _is_number(text: str) -> bool:
    try:
        number_of(text)
    except DataError:
        return False
    return True


def _numbers(row: Sequence[str], columns: _Columns, width: int) -> list[float]:
    """Return the numbers of a line.

    Raises:
        DataError: It has more or fewer fields than the header, or a field is no number.
    """
    if len(row) != width:
        raise DataError(f"expected {width} columns as in the header, got {len(row)}: {shorten(','.join(row))}")
    found = []
    for place, name in zip(columns.values, columns.names, strict=True):
        try:
            found.append(number_of(row[place]))
        except DataError as error:
            raise DataError(f"column `{name}` {error}; if it holds none, name the others in `values`") from None
    return found


def _check_time(times: Sequence[str]) -> None:
    """Refuse a time that comes before the one of the line before it."""
    last = time_of(times[-1])
    if len(times) > 1 and last < time_of(times[-2]):
        raise DataError(f"times must not go back, got {times[-1]!r} after {times[-2]!r}; sort the lines by time")


def _tags_of(times: Sequence[str], ranges: Ranges, tag: str) -> list[str | None]:
    """Return `tag` for each time in one of the ranges, whose ends belong to them, and `O` for the others."""
    seconds = map(time_of, times)
    return [tag if any(start <= time <= end for start, end in ranges) else OUTSIDE for time in seconds]


def _ranges(source: Source, name: str) -> Ranges:
    """Return the labelled ranges of a series from a JSON file, whose path is relative to that of the series.

    Raises:
        DataError: The file cannot be read, or has no ranges for the series.
    """
    path = Path(source.where).parent / name
    advice = 'write {"NAME.csv": [["START", "END"], ...]}'
    try:
        found = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: must be JSON, got {error}; {advice}") from None
    if not isinstance(found, dict):
        raise DataError(f"{path}: must have ranges of time for each series, got {type(found).__name__}; {advice}")
    own = Path(source.where).name
    keys = [key for key in found if Path(key).name == own]
    fitting = [key for key in keys if Path(source.where).as_posix().endswith(f"/{key}")] or keys
    if len(fitting) != 1:
        raise DataError(
            f"{path}: must have one key that ends in the name of the series, {own!r}, got {len(fitting)}; {advice}"
        )
    return [_range(pair, f"{path}: `{fitting[0]}`", advice) for pair in _listed(found[fitting[0]])]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _range(pair: Any, where: str, advice: str) -> tuple[float, float]:
    """Return the start and the end of a range."""
    if not isinstance(pair, list) or len(pair) != 2:
        raise DataError(f"{where}: a range must have a start and an end, got {shorten(pair)}; {advice}")
    try:
        start, end = (time_of(str(time)) for time in pair)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    if start > end:
        raise DataError(f"{where}: a range must not end before it starts, got {shorten(pair)}; exchange the two")
    return start, end
