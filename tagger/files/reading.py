"""Read the lines of a text file, or raise one sentence that says why this is impossible.

Every reader of the library opens files here, so a missing, empty, binary, wrongly encoded, endless or changing file
gets the same error everywhere. Lines are read one at a time, so memory does not grow with the file. What the lines mean
is left to the readers.
"""

import codecs
import io
import os
import re
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from tagger.errors import DataError
from tagger.files.packing import PROGRAMS, SHOWN_BYTES, Packing, packing_of_bytes, packing_of_name, unpacking
from tagger.files.signatures import refuse_known_binary

MAX_LINE = 10_000_000  # bytes; no corpus has such a line, which would be held in memory as a whole
MAX_RATIO = 100  # the size of an unpacked file over its packed size, checked from MIN_BOMB bytes on:
MIN_BOMB = 100_000_000  # text has a ratio of 3 to 10, a bomb of 1,000 or more
BLOCK = 65536  # bytes that are read at once from what arrives: the capacity of a pipe
ADVICE = "check the path"
Report = Callable[[str, str, str], None]  # takes the kind, place and message of a fault
LONE_CR = "line ends must be LF or CRLF, got a lone CR; convert the file"
NAMING = re.compile(r"; (convert it to UTF-8, or )?name (its|another) encoding$", re.MULTILINE)
SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


@contextmanager
def utf8_alone() -> Iterator[None]:
    """Advise to save a file as UTF-8 if it is not, for files whose encoding no key or option names."""
    try:
        yield
    except DataError as error:
        raise DataError(NAMING.sub("; save it as UTF-8", str(error))) from None


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, unpacked if it is gzip or zstd.

    Raises:
        DataError: The file is missing, not a regular file, unreadable, changing, or broken packed data, or has a line
            longer than `MAX_LINE`.
    """
    return b"".join(_checked_length(line, f"{path}:{number}") for number, line in enumerate(raw_lines(path), 1))


def read_binary(path: Path) -> bytes:
    """Return the bytes of a file as they are, whatever they hold.

    Raises:
        DataError: The file is missing, not a regular file, or unreadable.
    """
    with _one_sentence(path, ""), _open(path, "") as file:
        return file.read()


def read_lines(path: Path, encoding: str | None = None) -> list[str]:
    """Return the lines of a file as a list; `iter_lines` takes less memory.

    Raises:
        DataError: The file cannot be read, is empty, is binary or is not UTF-8; names line and byte.
    """
    return list(iter_lines(path, encoding))


def iter_lines(path: Path, encoding: str | None = None) -> Iterator[str]:
    """Yield the lines of a file without line ends (LF or CRLF) and byte order mark.

    Args:
        path: The file.
        encoding: Its encoding. Default: UTF-8, or UTF-16 if it starts with its byte order mark.

    Raises:
        DataError: The file cannot be read, is empty, is binary or is not UTF-8; names line and byte.
    """
    found = "no bytes"
    for line in decode_lines(raw_lines(path), where=str(path), encoding=encoding):
        if found:
            found = "" if line.strip() else "blank lines only"
        yield line
    if found:
        raise DataError(f"{path}: the file must not be empty, got {found}; check the path")


def raw_lines(
    path: Path, *, else_standard_input: bool = False, opened: Callable[[BinaryIO], object] = lambda file: None
) -> Iterator[bytes]:
    """Yield the lines of a file as bytes, unpacked if it is gzip or zstd.

    A line of more than `MAX_LINE` bytes is split into pieces of `MAX_LINE` + 1 bytes, so `decode_lines` can refuse it.

    Args:
        path: The file.
        else_standard_input: Whether an error should mention that `-` instead of a path means standard input.
        opened: Called with the opened file, whose `tell` says how many of its bytes, packed or not, have been read.

    Raises:
        DataError: The file is missing, not a regular file, unreadable, changing, or broken packed data.
    """
    instead = ", or give - for standard input" if else_standard_input else ""
    with _one_sentence(path, instead), _open(path, instead) as file:
        opened(file)
        before = os.fstat(file.fileno())
        found = packing_of_bytes(file.peek(SHOWN_BYTES)[:SHOWN_BYTES])  # type: ignore[attr-defined]
        named = packing_of_name(path)
        if named not in (None, found) and before.st_size:
            raise DataError(f"{path}: must be {named} as its name says, got other bytes; fetch it again, or rename it")
        yield from _unpacked(file, found, before.st_size, path) if found else lines_of(file)
        after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise DataError(f"{path}: the file must not change while it is read, but did; read it when it is complete")


def comes_once(path: Path) -> bool:
    """Whether a path is a pipe opened by a shell, such as `<(command)` or `/dev/stdin`, which can be read only once."""
    try:
        return stat.S_ISFIFO(path.stat().st_mode) and _is_nameless(path)
    except (OSError, ValueError):
        return False  # the reader reports it


def lines_of(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a stream as bytes; one of more than `MAX_LINE` bytes in pieces of `MAX_LINE` + 1 bytes."""
    return iter(partial(stream.readline, MAX_LINE + 1), b"")


class Arriving:
    """The lines of a stream that may still grow, such as standard input, and whether the next one has arrived.

    A line of more than `MAX_LINE` bytes comes in pieces, each of more than `MAX_LINE` bytes.

    Args:
        stream: The stream; nobody else may read it.
    """

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self._lines: deque[bytes] = deque()
        self._rest, self._ended = b"", False

    def __iter__(self) -> Iterator[bytes]:
        while self._lines or not self._ended:
            if self._lines:
                yield self._lines.popleft()
            else:
                self._read()

    def waits(self) -> bool:
        """Whether the next line has not arrived yet, so that reading it would wait."""
        while not self._lines and not self._ended and _has_arrived(self._stream):
            self._read()
        return not self._lines and not self._ended

    def _read(self) -> None:
        """Read what has arrived, or wait for it."""
        block = self._stream.read1(BLOCK)
        self._lines.extend(io.BytesIO(self._rest + block))
        self._rest, self._ended = b"", not block
        if block and not block.endswith(b"\n") and len(self._lines[-1]) <= MAX_LINE:
            self._rest = self._lines.pop()


def _has_arrived(stream: BinaryIO) -> bool:
    """Whether a stream can be read without waiting; where the system cannot say, whether it is no terminal."""
    try:
        import select  # some systems lack it

        return bool(select.select([stream], [], [], 0)[0])
    except (ImportError, OSError, ValueError):
        return not stream.isatty()


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, which may be empty, with its line ends but without a byte order mark.

    Raises:
        DataError: The file cannot be read, is binary or is not UTF-8; names line and byte.
    """
    kept: list[bytes] = []

    def keeping() -> Iterator[bytes]:
        for line in raw_lines(path):
            kept.append(line)
            yield line

    with utf8_alone():
        for _ in decode_lines(keeping(), where=str(path)):
            pass  # checks each line
    return b"".join(kept).decode("utf-8-sig")


def decode_lines(
    raw: Iterable[bytes],
    *,
    where: str,
    encoding: str | None = None,
    report: Report | None = None,
    keep_cr: bool = False,
) -> Iterator[str]:
    """Yield lines of bytes as text without line ends.

    Args:
        raw: The lines, with or without line ends.
        where: The start of an error message, such as the path.
        encoding: Their encoding. Default: UTF-8, or UTF-16 if they start with its byte order mark.
        report: Takes the kind, place and message of each line that is not UTF-8, which becomes a blank line. Default:
            it is an error.
        keep_cr: Whether the CR of a line end stays, for texts of several lines whose characters are counted.

    Raises:
        DataError: The bytes are binary or not UTF-8, or a line is longer than `MAX_LINE` or has a CR inside; names line
            and byte.
    """
    position, lines = 0, iter(raw)
    first = next(lines, b"")
    refuse_known_binary(first, where)
    encoding = encoding or encoding_of(first)
    if encoding is not None:
        yield from _recoded(chain([first], lines), encoding, where)
        return
    for number, line in enumerate(chain([first], lines) if first else (), 1):
        if number == 1 and line.startswith(codecs.BOM_UTF8):
            position, line = 3, line[3:]
        if b"\0" in line:
            raise DataError(f"{where}:{number}: must be text, got a binary file (a zero byte); name a text file")
        try:
            text = _checked_length(line, f"{where}:{number}").decode("utf-8").removesuffix("\n")
        except UnicodeDecodeError as error:
            message = (
                f"must be UTF-8, got byte 0x{line[error.start]:02x} at byte {position + error.start} "
                f"of the file, byte {error.start} of the line; convert it to UTF-8, or name its encoding"
            )
            if report is None:
                raise DataError(f"{where}:{number}: {message}") from None
            report("encoding", f"{where}:{number}", message)
            text = ""
        bare = text.removesuffix("\r")
        if "\r" in bare:
            raise DataError(f"{where}:{number}: {LONE_CR}")
        yield text if keep_cr else bare
        position += len(line)


def encoding_of(start: bytes) -> str | None:
    """Return the encoding of bytes that start with a byte order mark other than that of UTF-8; None for others."""
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    return "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None


def _recoded(raw: Iterable[bytes], encoding: str, where: str) -> Iterator[str]:
    """Yield the lines of bytes in any encoding, which may have been split at bytes that are no line ends."""
    decoder, rest, number = codecs.getincrementaldecoder(encoding)(), "", 0
    for piece in chain(raw, [None]):
        try:
            rest += decoder.decode(_checked_length(piece or b"", f"{where}:{number + 1}"), final=piece is None)
        except UnicodeError as error:
            raise DataError(f"{where}:{number + 1}: must be {encoding} ({error}); name another encoding") from None
        *lines, rest = rest.split("\n") if piece is not None else (rest.split("\n") if rest else [""])
        lines = lines if piece is not None or not rest else [*lines, rest]
        for line in lines:
            number += 1
            text = line.removesuffix("\r").removeprefix("\ufeff" if number == 1 else "")
            if "\0" in text or "\r" in text:
                problem = LONE_CR if "\r" in text else f"must be text in {encoding}, got a zero byte; name its encoding"
                raise DataError(f"{where}:{number}: {problem}")
            yield text


def _checked_length(line: bytes, place: str) -> bytes:
    """Return the line, or refuse it if it is too long."""
    if len(line) > MAX_LINE:
        raise DataError(f"{place}: a line must have at most {MAX_LINE:,} bytes, got more; split it")
    return line


def _unpacked(file: BinaryIO, packing: Packing, size: int, path: Path) -> Iterator[bytes]:
    """Yield the lines of a packed file of `size` bytes; refuse a bomb."""
    limit, total = max(MIN_BOMB, MAX_RATIO * size), 0
    with unpacking(file, packing, path) as unpacked:
        for line in lines_of(unpacked):
            total += len(line)
            if total > limit:
                raise DataError(
                    f"{path}: must unpack to at most {MAX_RATIO} times its {size:,} bytes (or {MIN_BOMB:,} bytes), got "
                    f"more, as from a {packing} bomb; if it is genuine, unpack it with {PROGRAMS[packing]} and name "
                    "the unpacked file"
                )
            yield line


def _open(path: Path, instead: str) -> BinaryIO:
    """Open a regular file, or a pipe of a shell, to read bytes. `instead` is appended to the advice of an error."""
    try:
        mode = path.stat().st_mode
    except ValueError as error:
        raise DataError(f"{str(path)!a}: must be the path of a file ({error}); {ADVICE}{instead}") from None
    kind = SPECIAL.get(stat.S_IFMT(mode))
    if kind is not None and not (stat.S_ISFIFO(mode) and _is_nameless(path)):
        raise DataError(f"{path}: must be a regular file, got {kind}; save its contents to a file{instead}")
    return path.open("rb")


def _is_nameless(path: Path) -> bool:
    """Whether a path leads to something without a name on the disk, such as a pipe that a shell opened."""
    return not os.path.lexists(os.path.realpath(path))


@contextmanager
def _one_sentence(path: Path, instead: str) -> Iterator[None]:
    """Turn an error while a file is opened and read into one sentence."""
    try:
        yield
    except FileNotFoundError:
        found = "the link points to a missing file" if path.is_symlink() else "no such file"
        raise DataError(f"{path}: {found}; {ADVICE}{instead}") from None
    except IsADirectoryError:
        raise DataError(f"{path}: must be a file, got a folder; name a file in it") from None
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read: {error.strerror or error}") from None
