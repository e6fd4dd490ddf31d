"""Files that are packed by gzip or zstd: how they are recognised, read and written.

A packed file may have several members, as gzip calls them, or frames, as zstd does. They are read as one file.
`Packed` writes them, so that a file which is cut after a member is whole.
"""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from tagger.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    from os import PathLike

Packing = Literal["gzip", "zstd"]
SUFFIXES: dict[str, Packing] = {".gz": "gzip", ".zst": "zstd"}
PROGRAMS: dict[Packing, str] = {"gzip": "gunzip", "zstd": "unzstd"}  # that unpack a file
LEVEL = 6  # of gzip; 9 takes four times as long for 2% less
SHOWN_BYTES = 4  # bytes at the start of a file that show how it is packed


def packing_of_name(name: "str | PathLike[str]") -> Packing | None:
    """Return how a file is packed as the end of its name says; None for a file that is not."""
    return SUFFIXES.get(PurePath(name).suffix.lower())


def unpacked_name(name: "str | PathLike[str]") -> str:
    """Return the name of a file without the ending that says how it is packed."""
    return str(name)[: -len(PurePath(name).suffix)] if packing_of_name(name) else str(name)


def packing_of_bytes(start: bytes) -> Packing | None:
    """Return how a file is packed as its first bytes show; None for a file that is not."""
    if start[:2] == b"\x1f\x8b":
        return "gzip"
    skippable = start[1:4] == b"\x2a\x4d\x18" and start[0] >> 4 == 5  # a frame of zstd that holds no data
    return "zstd" if skippable or start[:4] == b"\x28\xb5\x2f\xfd" else None


@contextmanager
def unpacking(file: BinaryIO, packing: Packing, where: object) -> Iterator[BinaryIO]:
    """Read the content of a packed file.

    Args:
        file: The packed bytes.
        packing: How they are packed.
        where: The name of the file in errors.

    Raises:
        DataError: The packed data are broken or cut short.
        MissingExtraError: The package that unpacks them is not installed.
    """
    opened: Any = partial(gzip.GzipFile, None, "rb", LEVEL)
    broken: tuple[type[Exception], ...] = (gzip.BadGzipFile, zlib.error, EOFError)
    if packing == "zstd":
        zstd = _zstd(where)
        opened, broken = zstd.ZstdFile, (zstd.ZstdError, EOFError)
    try:
        with opened(file) as content:
            yield content
    except broken as error:
        if "memory" in str(error):  # a frame that needs a window larger than zstd's default limit
            raise DataError(
                f"{where}: must unpack in 128 MB of memory, but its zstd frames need more; unpack it with "
                "unzstd --long=31, and name the unpacked file"
            ) from None
        raise DataError(f"{where}: the {packing} data are broken or cut short; fetch the file again") from None


class Packed(io.RawIOBase):
    """Packs what is written. Equal content gives equal bytes.

    Args:
        stream: Takes the packed bytes; it stays open.
        packing: How to pack.
        where: The name of the file in errors.
        begun: Whether the stream has members already.

    Raises:
        MissingExtraError: The package that packs is not installed.
    """

    def __init__(self, stream: BinaryIO, packing: Packing, where: object, *, begun: bool = False) -> None:
        self._stream = stream
        self._packing = packing
        self._zstd = _zstd(where) if packing == "zstd" else None
        self._member: Any = None
        self._empty = not begun  # whether the stream has no member yet

    def writable(self) -> bool:
        """Whether it can be written to: always."""
        return True

    def write(self, content: Any) -> int:
        """Pack bytes."""
        size = memoryview(content).nbytes
        if size:
            self._member = self._member or self._begun()
            self._stream.write(self._member.compress(content))
        return size

    def end_member(self) -> None:
        """End the member, if one was begun, so that the packed file is whole here."""
        if self._member is not None:
            self._stream.write(self._member.flush())  # both kinds of compressors end with it
            self._member, self._empty = None, False

    def close(self) -> None:
        """End the last member; content without a byte is packed too."""
        if not self.closed:
            if self._empty and self._member is None:
                self._member = self._begun()
            self.end_member()
        super().close()

    def _begun(self) -> Any:
        if self._zstd is None:
            return zlib.compressobj(LEVEL, wbits=zlib.MAX_WBITS + 16)  # with the header of gzip
        return self._zstd.ZstdCompressor(options={self._zstd.CompressionParameter.checksum_flag: 1})


def _zstd(where: object) -> Any:
    """Return the module for zstd, which is part of Python from 3.14 on."""
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        raise MissingExtraError(
            f"{where}: zstd needs the package backports.zstd, which is not installed; run pip install backports.zstd"
        ) from None
    return zstd
