"""Read the lines of a file that may be invalid: what `files/reading.py` refuses is noted, and read nevertheless."""

from collections.abc import Iterator
from pathlib import Path

from tagger.doctor.findings import Findings
from tagger.files.reading import LONE_CR, read_bytes
from tagger.files.signatures import refuse_known_binary

SIGNATURE = 4096  # bytes that show a kind of file
BOM = "\ufeff"
UTF16 = (b"\xff\xfe", b"\xfe\xff")


def scan_text(path: str | Path, errors: Findings) -> tuple[list[str], str]:
    """Return the lines of a file, and their encoding; bytes that are not UTF-8 are reported and replaced by U+FFFD.

    Raises:
        DataError: The file cannot be read at all.
    """
    data = read_bytes(Path(path))
    refuse_known_binary(data[:SIGNATURE], str(path))
    if data.startswith(UTF16):
        errors.add("encoding", f"{path}:1", "must be UTF-8, got UTF-16 (by its byte order mark); convert it to UTF-8")
        return [], "UTF-16"
    for number, line in enumerate(data.split(b"\n") if b"\0" in data else (), 1):
        if b"\0" in line:
            errors.add("control", f"{path}:{number}", "must be text, got a zero byte; remove it, or pass a text file")
    for number, line in enumerate(data.split(b"\n") if b"\r" in data else (), 1):
        if b"\r" in line.removesuffix(b"\r"):
            errors.add("control", f"{path}:{number}", LONE_CR)
    encoding = "ASCII" if data.isascii() else "UTF-8"
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text, encoding = "\n".join(_decoded(data, path, errors)), "not UTF-8"
    if text.startswith(BOM):
        text, encoding = text[1:], f"{encoding} with byte order mark"
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines] if "\r" in text else lines, encoding


def _decoded(data: bytes, path: str | Path, errors: Findings) -> Iterator[str]:
    """Yield each line of bytes as text, with an error for each that is not UTF-8."""
    for number, line in enumerate(data.split(b"\n"), 1):
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = f"byte 0x{line[error.start]:02x} at byte {error.start} of the line"
            errors.add("encoding", f"{path}:{number}", f"must be UTF-8, got {byte}; convert the file to UTF-8")
            yield line.decode("utf-8", errors="replace")
