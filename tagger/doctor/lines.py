"""Read the lines of a file that may be invalid: what `files/reading.py` refuses is noted, and read nevertheless."""

from collections.abc import Iterator
from pathlib import Path

from tagger.doctor.findings import Findings
from tagger.files.reading import LONE_CR, decode_lines, encoding_of, read_bytes
from tagger.files.signatures import refuse_known_binary

SIGNATURE = 4096  # bytes that show a kind of file
BOM = "\ufeff"


def scan_text(path: str | Path, errors: Findings, encoding: str | None = None) -> tuple[list[str], str]:
    """Return the lines of a file, and their encoding; bytes that are not UTF-8 are reported and replaced by U+FFFD.

    Another `encoding`, or the byte order mark of UTF-16, must be right.

    Raises:
        DataError: The file cannot be read at all.
    """
    data = read_bytes(Path(path))
    refuse_known_binary(data[:SIGNATURE], str(path))
    other = encoding or encoding_of(data)
    if other is not None:
        return list(decode_lines(data.splitlines(keepends=True), where=str(path), encoding=other)), other.upper()
    for number, line in enumerate(data.split(b"\n") if b"\0" in data else (), 1):
        if b"\0" in line:
            errors.add("control", f"{path}:{number}", "must be text, got a zero byte; remove it, or pass a text file")
    for number, line in enumerate(data.split(b"\n") if b"\r" in data else (), 1):
        if b"\r" in line.removesuffix(b"\r"):
            errors.add("control", f"{path}:{number}", LONE_CR)
    found = "ASCII" if data.isascii() else "UTF-8"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text, found = "\n".join(_decoded(data, path, errors)), "not UTF-8"
    if text.startswith(BOM):
        text, found = text[1:], f"{found} with byte order mark"
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines] if "\r" in text else lines, found


def _decoded(data: bytes, path: str | Path, errors: Findings) -> Iterator[str]:
    """Yield each line of bytes as text, with an error for each that is not UTF-8."""
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = f"byte 0x{line[error.start]:02x} at byte {error.start} of the line"
            errors.add(
                "encoding",
                f"{path}:{number}",
                f"must be UTF-8, got {byte}; convert the file to UTF-8, or name its encoding",
            )
            yield line.decode("utf-8", errors="replace")
