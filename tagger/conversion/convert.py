"""One file in another scheme or another format.

To a scheme, the tags of a column file change and nothing else (`retag.py`). To a format, sentences are read and written
one at a time, apart from texts with character spans, which are held in memory: a first pass finds the schemes of the
layers and everything that the new format cannot hold, which is an error unless the user names it as a loss.
"""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from tagger.config import ReadingConfig
from tagger.conversion.layout import Lines
from tagger.conversion.options import SCHEMES, Conversion
from tagger.conversion.reformat import READ_AS_SPANS, read_through, reformat
from tagger.conversion.retag import retag
from tagger.errors import DataError
from tagger.files.reading import decode_lines, encoding_of
from tagger.formats.columns.fields import HEAD, Sample
from tagger.formats.detection import detect_format
from tagger.formats.source import Source
from tagger.formats.table import FORMATS
from tagger.formats.tools.items import is_whole
from tagger.formats.tools.reading import holds_texts


def convert(
    lines: Lines, write: Callable[[bytes], object], wanted: Conversion, *, where: str, path: Path | None = None
) -> str:
    """Write a file as it is wanted, and return in one line what was done.

    Args:
        lines: Returns the lines of the file, with their ends, from the start at each call.
        write: Takes the bytes of the converted file, as they come.
        wanted: What is to be done.
        where: The name of the file in errors.
        path: The file or folder, if it is on the disk; brat has annotations beside it.

    Raises:
        DataError: The file is broken, or the new form cannot hold something in it; names lines and causes.
    """
    form = wanted.reading
    source = Source(where, lambda: decode_lines(lines(), where=where, encoding=form.encoding), path)
    format = wanted.format or detect_format(source.lines(), where=where, path=path, config=form)
    if format == "jsonl" and holds_texts(source.lines()):
        format = "spans"
    _check_options(wanted, format, where)
    if wanted.to in SCHEMES:
        return _retagged(lines, write, wanted, format, where)
    changes = wanted.drop or wanted.labels or wanted.splitting
    is_same = wanted.to == format and not changes and _is_usual(lines, source, form, format)
    if is_same and read_through(source, wanted, format):
        for line in lines():
            write(line)
        return f"{format} to {format}: copied as it is"
    return reformat(source, write, wanted, format)


def _is_usual(lines: Lines, source: Source, form: ReadingConfig, format: str) -> bool:
    """Whether a file is in UTF-8, one object a line, or tabs or blanks between columns without a header."""
    if form.encoding or encoding_of(next(iter(lines()), b"")):
        return False
    if format == "jsonl":
        return not is_whole(list(islice(source.lines(), HEAD)))
    return format != "conll" or not str(Sample(source.lines(), HEAD, form).form)


def _check_options(wanted: Conversion, format: str, where: str) -> None:
    """Refuse options that do nothing in a file of this format."""
    spanned = format in READ_AS_SPANS
    for option, given in (("misaligned", wanted.misaligned), ("nested", wanted.nested)):
        if given != "error" and not spanned:
            raise DataError(f"{where}: --{option} is for character spans, got {format}; remove it")
    if wanted.splitting and format not in ("jsonl", "spans") and "tokens" in FORMATS[format].holds:
        option = next(iter(wanted.splitting)).replace("_", "-")
        raise DataError(f"{where}: --{option} is for raw text, got {format}, which has tokens; remove it")
    if wanted.unknown is not None and not (format == "text" or FORMATS["jsonl" if spanned else format].has_columns):
        raise DataError(f"{where}: --unknown is for columns, got {format}; remove it")
    if wanted.scheme is not None and spanned:
        raise DataError(f"{where}: --scheme is for tags, got character spans; remove it")


def _retagged(lines: Lines, write: Callable[[bytes], object], wanted: Conversion, format: str, where: str) -> str:
    """Write the file with its tags in another scheme, and return in one line what was done."""
    looks_plain = format == "text" and wanted.format is None  # as a file of a few short lines of columns may do
    if not looks_plain and (format == "spans" or not FORMATS[format].has_columns):
        raise DataError(f"{where}: --to {wanted.to} changes tags in columns, got {format}; convert it to conll first")
    if wanted.form or encoding_of(next(iter(lines()), b"")):
        raise DataError(
            f"{where}: --to {wanted.to} needs tabs or blanks between columns in UTF-8; convert it to conll first"
        )
    target = next(scheme for scheme in SCHEMES if scheme == wanted.to)
    return str(retag(lines, write, target, wanted, where=where))
