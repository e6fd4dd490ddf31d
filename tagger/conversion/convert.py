"""One file in another scheme or another format.

To a scheme, the tags of a column file change and nothing else (`retagging.py`). To a format, sentences are read and
written one at a time, those of texts with character spans alone being held in memory: a first pass finds the schemes of
the layers and all that the new format has no place for, which is an error that names it, unless the user says by name
that it may go. What a format has a place for is a table.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

from tagger.conversion.layout import Lines
from tagger.conversion.reformatting import Reformatting
from tagger.conversion.retagging import retag
from tagger.conversion.targets import SCHEMES, Conversion
from tagger.errors import DataError
from tagger.files.reading import decode_lines
from tagger.formats.columns import is_token_line, split_fields, uses_tabs
from tagger.formats.conllu import FIELDS
from tagger.formats.detection import format_of_name
from tagger.formats.standoff.annotation_tools import ARRAY, holds_spans
from tagger.formats.standoff.brat import is_brat
from tagger.text.schemes import has_scheme
from tagger.wording import shorten

BROKEN = re.compile(r'\s*(?:\{ ?"\w|\[[{\["])')  # what opens as JSON and hardly as a token
HEAD = 200  # lines that show the format of a file


def convert(
    lines: Lines, write: Callable[[bytes], object], wanted: Conversion, *, where: str, path: Path | None = None
) -> str:
    """Write a file as it is wanted, and say in a line what was done.

    Args:
        lines: Gives the lines of the file, with their ends, from the start at each call.
        write: Takes the bytes of the converted file, as they come.
        wanted: What is to be done.
        where: Names the file in errors.
        path: The file or folder, if it has a place, for brat: its texts have their annotations beside them.

    Raises:
        DataError: The file is not right, or what is in it cannot be said in the new form; names lines and causes.
    """
    format = wanted.format or _detect(lines, where, path)
    if format == "jsonl" and holds_spans(decode_lines(lines(), where=where)):
        format = "spans"
    _check_policies(wanted, format, where)
    if wanted.to in SCHEMES:
        return _retagged(lines, write, wanted, format, where)
    if wanted.to == format and not (wanted.drop or wanted.labels or wanted.tokenize):
        return _copied(lines, write, format, where)
    return Reformatting(lines, wanted, format, where, path).write(write)


def _detect(lines: Lines, where: str, path: Path | None) -> str:
    if path is not None and is_brat(path):
        return "brat"
    if named := format_of_name(where):
        return named
    head = list(islice(decode_lines(lines(), where=where), HEAD))
    format = detect_format(head)
    if format in ("text", "conll"):
        _refuse_broken_json(head, format, where)
    return format


def _refuse_broken_json(head: Sequence[str], format: str, where: str) -> None:
    """Refuse to take for plain text, or for columns between blanks, what opens as JSON does.

    Raises:
        DataError: The first line begins with a brace or a bracket, which in columns must be more than a token.
    """
    number, line = next(((i, line) for i, line in enumerate(head, 1) if line.strip()), (1, ""))
    opens = line.lstrip().startswith(("{", "["))
    if opens and (format == "text" or (BROKEN.match(line) and "\t" not in line)):
        raise DataError(
            f"{where}:{number}: must be JSON, for it begins as such, or its format be named, got {shorten(line)}; mend "
            f"the line (an object a line, or an array of objects), or say --format {format}"
        )


def _check_policies(wanted: Conversion, format: str, where: str) -> None:
    """Refuse options that do nothing in a file of this format."""
    spanned = format in ("spans", "brat")
    for option, given in (("misaligned", wanted.misaligned), ("nested", wanted.nested)):
        if given != "error" and not spanned:
            raise DataError(f"{where}: --{option} is for character spans, got {format}; leave it out")
    if wanted.tokenize is not None and format not in ("text", "jsonl", "spans", "brat"):
        raise DataError(f"{where}: --tokenize is for raw text, got {format}, which has tokens; leave it out")
    if wanted.scheme is not None and spanned:
        raise DataError(f"{where}: --scheme is for tags, got character spans; leave it out")


def detect_format(lines: Iterable[str]) -> str:
    """The format that the first lines of a file are in: JSON objects, ten numbered columns, columns, or text.

    Columns between blanks look like text: they have tags of entities, or lines all alike and blank lines between.
    """
    head = list(lines)
    while head and not head[-1].strip():
        head.pop()
    rows = [line for line in head if is_token_line(line) and not line.startswith("#")] or [
        line for line in head if line.strip()
    ]
    if (rows and _is_object(rows[0])) or ARRAY.match("\n".join(head)):
        return "jsonl"
    tabs = uses_tabs(head)
    fields = [split_fields(line, tabs=tabs) for line in rows]
    widths = Counter(map(len, fields))
    width, count = widths.most_common(1)[0] if widths else (1, 0)
    if tabs and width == len(FIELDS) and fields[0][0].split("-")[0].isdigit():
        return "conllu"
    alike = len(widths) == 1 and not all(line.strip() for line in head)
    tagged = count > len(rows) / 2 and any(map(has_scheme, zip(*(f for f in fields if len(f) == width), strict=True)))
    return "conll" if width > 1 and (tabs or alike or tagged) else "text"


def _is_object(line: str) -> bool:
    try:
        return line.lstrip().startswith("{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _retagged(lines: Lines, write: Callable[[bytes], object], wanted: Conversion, format: str, where: str) -> str:
    if format in ("jsonl", "spans", "brat") or wanted.format == "text":
        raise DataError(f"{where}: --to {wanted.to} changes tags in columns, got {format}; convert it to conll first")
    target = next(scheme for scheme in SCHEMES if scheme == wanted.to)
    done = retag(
        lines,
        write,
        target,
        columns=wanted.columns,
        column=wanted.column,
        scheme=wanted.scheme,
        repair=wanted.repair,
        merge=wanted.merge,
        where=where,
    )
    return str(done)


def _copied(lines: Lines, write: Callable[[bytes], object], format: str, where: str) -> str:
    """The same bytes again, held to be text."""
    for _ in decode_lines(lines(), where=where):
        pass
    for line in lines():
        write(line)
    return f"{format} to {format}: copied as it is"
