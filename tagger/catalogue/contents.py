"""What is in a downloaded archive, and how it becomes the files that recipes read.

Only the members that the catalogue names are read, by their names: nothing else of an archive reaches the disk.
"""

import gzip
import json
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO

from tagger.errors import DataError
from tagger.files.reading import lines_of

BLOCK = 1 << 20
NUM_WORDS = 100_000  # word vectors: the first ones, which are the most frequent
NUM_DIMENSIONS = 100
WINK_ROW = re.compile(rb'"((?:[^"\\]|\\.)+)":\[([-+0-9.,eE]+)\]')


def converted(archive: Path, members: Iterable[str], conversion: str, *, where: str) -> Iterator[bytes]:
    """Yield the content of a file that is made of the members of an archive.

    Args:
        archive: A zip file or a tar file packed by gzip.
        members: The end of the path of each member.
        conversion: How a member becomes a part of the file: a key of `CONVERSIONS`.
        where: The start of an error message, such as the URL of the archive.

    Raises:
        DataError: The archive is broken, lacks a member, or has several that fit.
    """
    try:
        for member in members:
            with _opened(archive, member, where) as stream:
                yield from CONVERSIONS[conversion](stream)
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, RuntimeError):
        raise DataError(
            f"{where}: expected a complete zip or tar archive, got other or broken data; run the command again to "
            "fetch it again"
        ) from None


@contextmanager
def _opened(archive: Path, member: str, where: str) -> Iterator[IO[bytes]]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as packed, packed.open(_one_of(packed.namelist(), member, where)) as stream:
            yield stream
    else:
        with tarfile.open(archive, "r:gz") as bundle:
            names = [info.name for info in bundle if info.isfile()]
            unpacked = bundle.extractfile(_one_of(names, member, where))
            assert unpacked is not None  # only regular files are in the list
            with unpacked:
                yield unpacked


def _one_of(names: list[str], member: str, where: str) -> str:
    found = [name for name in names if f"/{name}".endswith(f"/{member}")]
    if len(found) != 1:
        raise DataError(
            f"{where}: the archive must have exactly one file {member}, got {len(found)}; it has changed, so give "
            "another address of the data with --from"
        )
    return found[0]


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.read(BLOCK), b"")


def _first_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the vectors of the most frequent words, which come first."""
    return islice(lines_of(stream), NUM_WORDS)  # type: ignore[arg-type]


def _wink_vectors(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield word vectors in the text format of GloVe from one line of JSON: `"WORD":[100 numbers, norm, index]`."""
    return islice(_wink_lines(stream), NUM_WORDS)


def _wink_lines(stream: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in _blocks(stream):
        rest += block
        end = 0
        for row in WINK_ROW.finditer(rest):
            end = row.end()
            numbers = (f"{float(number):g}" for number in row[2].split(b",")[:NUM_DIMENSIONS])
            word = json.loads(b'"%s"' % row[1])
            yield f"{word} {' '.join(numbers)}\n".encode()
        rest = rest[end:]


def _snips_columns(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the utterances of an intent as columns: a comment with the intent, then tokens with slots in IOB2."""
    content = stream.read()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:  # one file has bytes that are not UTF-8; its slots were published from this reading
        text = content.decode("latin-1")
    try:
        for intent, utterances in json.loads(text).items():
            for utterance in utterances:
                rows = [row for part in utterance["data"] for row in _slot_rows(part)]
                yield "".join((f"# intent = {intent}\n", *rows, "\n")).encode()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise tarfile.ReadError from None


def _slot_rows(part: dict[str, str]) -> Iterator[str]:
    slot = part.get("entity")
    for number, token in enumerate(part["text"].split()):
        tag = "O" if slot is None else f"{'I' if number else 'B'}-{slot}"
        yield f"{token}\t{tag}\n"


CONVERSIONS: dict[str, Callable[[IO[bytes]], Iterator[bytes]]] = {
    "": _blocks,
    "first-lines": _first_lines,
    "wink-vectors": _wink_vectors,
    "snips-columns": _snips_columns,
}
