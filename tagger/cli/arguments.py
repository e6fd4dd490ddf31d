"""Arguments of commands that need more than their type: lists of names, columns, and how a file is written."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, get_args

from tagger.cli.progress import FileLines
from tagger.errors import RecipeError
from tagger.files.reading import Arriving
from tagger.text.choices import InputFormat

TEXTUAL = tuple(name for name in get_args(InputFormat) if name not in ("brat", "docbin"))
FORMATS_OF = {
    "comments": ("conll",),
    "encoding": TEXTUAL,
    "text": ("jsonl", "csv"),
}  # by option; others are for columns


def names_of(given: str | None) -> tuple[str, ...]:
    """Return the names between commas."""
    return tuple(name.strip() for name in given.split(",")) if given else ()


def split_columns(columns: str | None, format: str | None) -> tuple[str, ...] | None:
    """Return the names in a list of columns, after checking that they fit a format; None leaves that to the library."""
    if columns is None:
        return None
    names = names_of(columns)
    if format not in (None, "conll"):
        raise RecipeError(f"--columns is for conll, got {format}; remove it")
    if format and "token" not in names:
        raise RecipeError(f'--columns {columns}: one of the columns must be "token", the others layers or _')
    return names


def settings_of_form(format: str, **given: Any) -> dict[str, Any]:
    """Return the settings that say how a file to tag is written, after checking that they fit its format."""
    from tagger.config import form_settings  # takes longer than all that `--help` needs

    given = {name: value for name, value in given.items() if value is not None}
    for name in given:
        wanted = FORMATS_OF.get(name, ("conll", "csv", "labelled"))
        if format not in wanted:
            raise RecipeError(f"--{name} is not for {format}; remove it")
    others = {name: value for name, value in given.items() if name != "text"}
    return given | form_settings(others, where="the options")


@contextmanager
def input_lines(file: str) -> Iterator[Arriving | FileLines]:
    """Return the lines of standard input or a file as bytes; the file is closed at the end of the context."""
    if file == "-":
        yield Arriving(sys.stdin.buffer)  # type: ignore[arg-type]
    else:
        with closing(FileLines(Path(file))) as lines:
            yield lines
