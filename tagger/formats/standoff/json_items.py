"""The items of a file of JSON, which has one a line or is one array; each with its place, for errors."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tagger.errors import DataError
from tagger.formats.columns import shorten
from tagger.formats.jsonl import json_value

BLANK = " \t\r\n"
ARRAY = re.compile(r'\s*\[\s*(?:[{\[]\s*"|".*"\s*,\s*\{)')  # how an array of items, or a training tuple, begins


class Item(NamedTuple):
    """A value of a file, the line it begins in, and what opens an error about it."""

    value: Any
    line: int
    place: str


def json_items(lines: Sequence[str], where: str, problems: list[str]) -> Iterator[Item]:
    """The items of a file, one a line, or those of the one array that it is."""
    if _is_array(lines):
        yield from _array(lines, where, problems)
        return
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                yield Item(json_value(line)[0], number, f"{where}:{number}")
        except DataError as error:
            problems.append(f"{where}:{number}: {error}")


def _is_array(lines: Sequence[str]) -> bool:
    """Whether a file opens with a bracket that is not that of a training tuple, a line of its own."""
    first = next((line for line in lines if line.strip()), "")
    try:
        value, _ = json_value(first)
    except DataError:
        return first.lstrip().startswith("[")
    return isinstance(value, list) and not (value and isinstance(value[0], str))


def _array(lines: Sequence[str], where: str, problems: list[str]) -> Iterator[Item]:
    """The items of an array, each with the line it begins in; the first break in it ends the reading."""
    text = "\n".join(lines)
    position, line, seen, number = text.index("[") + 1, 1, 0, 0
    while True:
        position = _behind_blanks(text, position)
        if number == 0 and text[position : position + 1] == "]":
            break
        line += text.count("\n", seen, position)
        seen, number = position, number + 1
        place = f"{where}:{line}: item {number}"
        try:
            value, position = json_value(text, position)
        except DataError as error:
            problems.append(f"{place}: {error}")
            return
        yield Item(value, line, place)
        position = _behind_blanks(text, position)
        if text[position : position + 1] != ",":
            break
        position += 1
    if text[position:].strip() != "]":
        found = shorten(text[position : position + 100].split("\n")[0])
        problems.append(f"{where}: the array must go on with a comma or end with ], got {found} behind item {number}")


def _behind_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position] in BLANK:
        position += 1
    return position
