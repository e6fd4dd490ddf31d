"""Files on their way: an input that can be read only once, kept so that it can be read again, and an output that is
there whole or not at all."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import BinaryIO, NoReturn

from tagger.errors import DataError


@contextmanager
def kept(stream: BinaryIO) -> Iterator[Path]:
    """A temporary file with all bytes of a stream; it goes when the context ends."""
    with tempfile.NamedTemporaryFile(prefix="tagger-") as file:
        shutil.copyfileobj(stream, file)
        file.flush()
        yield Path(file.name)


@contextmanager
def passed_on(stream: BinaryIO) -> Iterator[BinaryIO]:
    """A file to write to; its bytes go to `stream` when the context ends without an error."""
    with tempfile.TemporaryFile(prefix="tagger-") as file:
        yield file
        file.seek(0)
        shutil.copyfileobj(file, stream)
        stream.flush()


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, beside `path`; it takes the place of `path` when the context ends without an error.

    What is not a regular file, such as `/dev/null`, is written to at once.

    Raises:
        DataError: The file cannot be written.
    """
    place = Path(os.path.realpath(path))
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    with _one_sentence(path):
        there, apart = path.exists(), not path.exists() or path.is_file()
        stream = part.open("xb") if apart else path.open("wb")
    try:
        with _one_sentence(path), stream:
            yield stream
        if there and apart:
            shutil.copymode(place, part)
        if apart:
            part.replace(place)
    finally:
        if apart:
            part.unlink(missing_ok=True)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """While this lasts, SIGTERM is an exit as any other, so that what is half written goes."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
    """What can go wrong with a file that is written, told in one sentence."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{path}: its folder must be there to write the file, but is not; make it first") from None
    except IsADirectoryError:
        raise DataError(f"{path}: must be a file to write, got a folder; name a file in it") from None
    except OSError as error:
        raise DataError(f"{path}: the file cannot be written: {error.strerror}") from None
