"""The lines of a text file, or one sentence that says why it has none.

Every reader of the library opens files here, so that a missing, empty, binary or wrongly encoded file reads the same
everywhere. What the lines mean is the readers' business.
"""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tagger.errors import DataError


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, unpacked if it is gzip.

    Raises:
        DataError: There is no such file, it is a folder, it cannot be read, or its gzip data are broken.
    """
    return b"".join(raw_lines(path))


def raw_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file as bytes, unpacked if it is gzip, while it is read.

    Raises:
        DataError: There is no such file, it is a folder, it cannot be read, or its gzip data are broken.
    """
    with _one_sentence(path), path.open("rb") as file:
        packed = file.peek(2)[:2] == b"\x1f\x8b"
        yield from gzip.GzipFile(fileobj=file) if packed else file


@contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    """What can go wrong with a file, told in one sentence."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; check the path and the --data folder") from None
    except IsADirectoryError:
        raise DataError(f"{path}: must be a file, got a folder; name a file in it") from None
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise DataError(f"{path}: the gzip data are broken or cut short; fetch the file again") from None
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read: {error.strerror}") from None


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file without their ends (LF or CRLF) and without a byte order mark.

    Raises:
        DataError: The file cannot be read, is empty, is binary or is not UTF-8; names line and byte.
    """
    lines = list(decode_lines(io.BytesIO(read_bytes(path)), where=str(path)))
    if not any(line.strip() for line in lines):
        found = "blank lines only" if lines else "no bytes"
        raise DataError(f"{path}: the file must not be empty, got {found}; check the path")
    return lines


def decode_lines(raw: Iterable[bytes], *, where: str) -> Iterator[str]:
    """The lines of UTF-8 bytes as they come, each given with or without its end; `where` opens an error.

    Raises:
        DataError: The bytes are binary or not UTF-8; names line and byte.
    """
    position = 0
    for number, line in enumerate(raw, 1):
        if number == 1 and line.startswith(codecs.BOM_UTF8):
            position, line = 3, line[3:]
        if number == 1 and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise DataError(f"{where}:1: must be UTF-8, got UTF-16 (by its byte order mark); convert it to UTF-8")
        if b"\0" in line:
            raise DataError(f"{where}:{number}: must be text, got a binary file (a zero byte); name a text file")
        try:
            yield line.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{where}:{number}: must be UTF-8, got byte 0x{line[error.start]:02x} at byte {position + error.start} "
                f"of the file, byte {error.start} of the line; convert it to UTF-8"
            ) from None
        position += len(line)
