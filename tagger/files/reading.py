"""The lines of a text file, or one sentence that says why it has none.

Every reader of the library opens files here, so that a missing, empty, binary, wrongly encoded, endless or changing
file reads the same everywhere. Lines come one at a time, so that no reader needs the whole file as bytes or as a list.
What the lines mean is the readers' business.
"""

import codecs
import gzip
import os
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from tagger.errors import DataError

MAX_LINE = 10_000_000  # bytes; what is longer is no line of a corpus, and would be held in memory whole
MAX_RATIO = 100  # how many times its size a gzip file may unpack to, once it has unpacked to MIN_BOMB bytes;
MIN_BOMB = 100_000_000  # text has a ratio of 3 to 10, a gzip bomb of about 1,000
ADVICE = "check the path"
LONE_CR = "line ends must be LF or CRLF, got a lone CR; convert the file"
SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, unpacked if it is gzip.

    Raises:
        DataError: There is no such file, it is none, it cannot be read, it changes, its gzip data are broken, or a line
            is longer than `MAX_LINE`.
    """
    return b"".join(_checked_length(line, f"{path}:{number}") for number, line in enumerate(raw_lines(path), 1))


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file as a list; see `iter_lines`, which takes less memory.

    Raises:
        DataError: The file cannot be read, is empty, is binary or is not UTF-8; names line and byte.
    """
    return list(iter_lines(path))


def iter_lines(path: Path) -> Iterator[str]:
    """The lines of a UTF-8 file without their ends (LF or CRLF) and without a byte order mark, while it is read.

    Raises:
        DataError: The file cannot be read, is empty, is binary or is not UTF-8; names line and byte.
    """
    found = "no bytes"
    for line in decode_lines(raw_lines(path), where=str(path)):
        if found:
            found = "" if line.strip() else "blank lines only"
        yield line
    if found:
        raise DataError(f"{path}: the file must not be empty, got {found}; check the path")


def raw_lines(path: Path, *, else_standard_input: bool = False) -> Iterator[bytes]:
    """The lines of a file as bytes, unpacked if it is gzip, while it is read.

    A line of more than `MAX_LINE` bytes comes in pieces, the first of which is longer than that.
    With `else_standard_input`, an error says that `-` in place of the path is standard input.

    Raises:
        DataError: There is no such file, it is none, it cannot be read, it changes, or its gzip data are broken.
    """
    instead = ", or give - for standard input" if else_standard_input else ""
    with _one_sentence(path, instead), _open(path, instead) as file:
        before = os.fstat(file.fileno())
        packed = file.peek(2)[:2] == b"\x1f\x8b"  # type: ignore[attr-defined]
        if path.suffix == ".gz" and not packed and before.st_size:
            raise DataError(f"{path}: must be gzip as its name says, got other bytes; fetch it again, or rename it")
        yield from _unpacked(file, before.st_size, path) if packed else lines_of(file)
        after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise DataError(f"{path}: the file must not change while it is read, but did; read it when it is complete")


def comes_once(path: Path) -> bool:
    """Whether a path leads to a pipe that a shell has opened, as `<(command)` or `/dev/stdin` do: it is read once."""
    try:
        return stat.S_ISFIFO(path.stat().st_mode) and _is_nameless(path)
    except (OSError, ValueError):
        return False  # told, in its own words, where the file is opened


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """The lines of a stream as bytes, a longer one than `MAX_LINE` in pieces of one byte more."""
    return iter(partial(stream.readline, MAX_LINE + 1), b"")


def read_text(path: Path) -> str:
    """The text of a UTF-8 file with its line ends as they are, which may be empty, without a byte order mark.

    Raises:
        DataError: The file cannot be read, is binary or is not UTF-8; names line and byte.
    """
    kept: list[bytes] = []

    def keeping() -> Iterator[bytes]:
        for line in raw_lines(path):
            kept.append(line)
            yield line

    for _ in decode_lines(keeping(), where=str(path)):
        pass  # holds each line against the rules while it comes, and names the one that breaks them
    return b"".join(kept).decode("utf-8-sig")


def decode_lines(raw: Iterable[bytes], *, where: str) -> Iterator[str]:
    """The lines of UTF-8 bytes as they come, each given with or without its end; `where` opens an error.

    Raises:
        DataError: The bytes are binary or not UTF-8, or a line is longer than `MAX_LINE` or holds a CR that ends no
            line; names line and byte.
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
            text = _checked_length(line, f"{where}:{number}").decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{where}:{number}: must be UTF-8, got byte 0x{line[error.start]:02x} at byte {position + error.start} "
                f"of the file, byte {error.start} of the line; convert it to UTF-8"
            ) from None
        if "\r" in text:
            raise DataError(f"{where}:{number}: {LONE_CR}")
        yield text
        position += len(line)


def _checked_length(line: bytes, place: str) -> bytes:
    """The line, which is not too long to be one."""
    if len(line) > MAX_LINE:
        raise DataError(f"{place}: a line must have at most {MAX_LINE:,} bytes, got more; split it")
    return line


def _unpacked(file: BinaryIO, size: int, path: Path) -> Iterator[bytes]:
    """The lines of a gzip file of `size` bytes, as long as it is none that unpacks to more than it can hold."""
    limit, total = max(MIN_BOMB, MAX_RATIO * size), 0
    with gzip.GzipFile(fileobj=file) as unpacked:
        for line in lines_of(unpacked):  # type: ignore[arg-type]
            total += len(line)
            if total > limit:
                raise DataError(
                    f"{path}: must unpack to at most {MAX_RATIO} times its {size:,} bytes (or {MIN_BOMB:,} bytes), got "
                    "more, as from a gzip bomb; if it is genuine, unpack it with gunzip and name the unpacked file"
                )
            yield line


def _open(path: Path, instead: str) -> BinaryIO:
    """A file opened to read bytes; never waits for somebody to write to it. `instead` ends the advice of an error."""
    try:
        mode = path.stat().st_mode
    except ValueError as error:
        raise DataError(f"{str(path)!a}: must be the path of a file ({error}); {ADVICE}{instead}") from None
    kind = SPECIAL.get(stat.S_IFMT(mode))
    if kind is not None and not (stat.S_ISFIFO(mode) and _is_nameless(path)):
        raise DataError(f"{path}: must be a regular file, got {kind}; write what comes from it to a file{instead}")
    return open(path, "rb", opener=_open_at_once)


def _is_nameless(path: Path) -> bool:
    """Whether what a path leads to has no name on the disk, as a pipe that a shell has opened for `<(command)`."""
    return not os.path.lexists(os.path.realpath(path))


def _open_at_once(name: str, flags: int) -> int:
    """A file descriptor, without waiting for the other end of what became a pipe since it was looked at."""
    descriptor = os.open(name, flags | getattr(os, "O_NONBLOCK", 0))
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(descriptor, True)
    return descriptor


@contextmanager
def _one_sentence(path: Path, instead: str) -> Iterator[None]:
    """Tell in one sentence what goes wrong while a file is opened and read."""
    try:
        yield
    except FileNotFoundError:
        found = "the link leads to no file" if path.is_symlink() else "no such file"
        raise DataError(f"{path}: {found}; {ADVICE}{instead}") from None
    except IsADirectoryError:
        raise DataError(f"{path}: must be a file, got a folder; name a file in it") from None
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise DataError(f"{path}: the gzip data are broken or cut short; fetch the file again") from None
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read: {error.strerror or error}") from None
