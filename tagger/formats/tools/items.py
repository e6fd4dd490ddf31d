"""The items of a file of JSON: one per line, those of one array, or one object over several lines."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from tagger.errors import DataError
from tagger.formats.jsonl import json_value
from tagger.wording import shorten

BLANK = " \t\r\n"


class Item(NamedTuple):
    """A value of a file (or the error in its place), the line where it begins, and its place in error messages."""

    value: Any
    line: int
    place: str


def json_items(lines: Sequence[str], where: str) -> Iterator[Item]:
    """Yield the items of a file: of its lines, of the one array that it is, or the one object."""
    first = next((number for number, line in enumerate(lines, 1) if line.strip()), 1)
    if _is_array(lines):
        yield from _array(lines, where)
    elif _is_object(lines):
        yield Item(value_of("\n".join(lines)), first, f"{where}:{first}")
    else:
        yield from line_items(lines, where)


def line_items(lines: Iterable[str], where: str) -> Iterator[Item]:
    """Yield the item of each line that is not blank."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield Item(value_of(line), number, f"{where}:{number}")


def is_whole(lines: Sequence[str]) -> bool:
    """Whether a file is one array or one object of several lines, as its first lines show."""
    return _is_array(lines) or _is_object(lines)


def value_of(line: str) -> Any:
    """Return the value of a line, or the error in its place."""
    try:
        return json_value(line)[0]
    except DataError as error:
        return error


def _is_object(lines: Sequence[str]) -> bool:
    """Whether a file opens with an object that goes on after its first line."""
    first, second, *_ = (*(line for line in lines if line.strip()), "", "")
    if not first.lstrip().startswith("{") or second.lstrip().startswith(("{", "[")):
        return False
    return first.strip() == "{" or first.rstrip().endswith((",", "[", "{"))


def _is_array(lines: Sequence[str]) -> bool:
    """Whether a file opens with a bracket that is not that of a training tuple on one line."""
    first = next((line for line in lines if line.strip()), "")
    try:
        value, _ = json_value(first)
    except DataError:
        return first.lstrip().startswith("[")
    return isinstance(value, list) and not (value and isinstance(value[0], str))


def _array(lines: Sequence[str], where: str) -> Iterator[Item]:
    """Yield the items of an array, each with the line it begins in, up to the first error."""
    text = "\n".join(lines)
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    position, number = text.index("["), 0
    while True:
        position = _behind_blanks(text, position + 1)
        if number == 0 and text[position : position + 1] == "]":
            break
        line, number = bisect_right(starts, position), number + 1
        place = f"{where}:{line}: item {number}"
        try:
            value, position = json_value(text, position)
        except DataError as error:
            yield Item(error, line, place)
            return
        yield Item(value, line, place)
        position = _behind_blanks(text, position)
        if text[position : position + 1] != ",":
            break
    if text[position:].strip() != "]":
        found = shorten(text[position : position + 100].split("\n")[0])
        line = bisect_right(starts, position)
        problem = DataError(f"the array must continue with a comma or end with ], got {found} after item {number}")
        yield Item(problem, line, f"{where}:{line}")


def _behind_blanks(text: str, position: int) -> int:
    """Return the position of the next character that is not white space."""
    while position < len(text) and text[position] in BLANK:
        position += 1
    return position
