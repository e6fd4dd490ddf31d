"""Output that is complete or not written at all, also when the process is killed, and input that is read twice.

`replaced` writes one file, `replace_files` several files of a folder: readers that look up their paths with `newest`
find either all old files or all new ones. `locked` keeps a folder for one process.
"""

import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import EACCES, EAGAIN, EDEADLK
from glob import escape
from pathlib import Path
from typing import IO, Any, BinaryIO

from tagger.errors import DataError

PENDING = ".tagger-pending"  # complete files of a folder that are about to be moved to their places
UNFINISHED = ".tagger-unfinished-"  # files of a folder that are still being written


@contextmanager
def kept(stream: BinaryIO) -> Iterator[Path]:
    """Copy a stream to a temporary file, which is deleted at the end of the context."""
    with tempfile.NamedTemporaryFile(prefix="tagger-") as file:
        shutil.copyfileobj(stream, file)
        file.flush()
        yield Path(file.name)


@contextmanager
def passed_on(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Collect output in a temporary file; copy it to `stream` if the context ends without an error."""
    with tempfile.TemporaryFile(prefix="tagger-") as file:
        yield file
        file.seek(0)
        shutil.copyfileobj(file, stream)
        stream.flush()


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Write a file beside `path`; it replaces `path` when the context ends without an error.

    A path that is not a regular file, such as `/dev/null`, is written to directly.

    Raises:
        DataError: The file cannot be written.
    """
    with one_sentence(path):
        there = path.exists()
        special = there and not path.is_file()
    if special:
        with one_sentence(path), path.open("wb") as stream:
            yield stream
        return
    place = Path(os.path.realpath(path))
    part = place.with_name(f".{place.name}.{secrets.token_hex(8)}.part")
    with one_sentence(path):
        remove_parts(place)
        stream = part.open("xb")
    try:
        with one_sentence(path), stream:
            try_lock(stream)
            yield stream
            sync(stream)
        if there:
            shutil.copymode(place, part)
        _move(part, place)
    finally:
        part.unlink(missing_ok=True)


def check_place(path: Path) -> None:
    """Raise if a file cannot be written to a path, as far as that is known before the work whose result it is to hold.

    Raises:
        DataError: Its folder does not exist or cannot be written to, or it is a folder itself.
    """
    with one_sentence(path):
        if path.is_dir():
            raise IsADirectoryError
        if path.is_file() or not path.exists():
            tempfile.TemporaryFile(dir=Path(os.path.realpath(path)).parent).close()


def remove_parts(place: Path) -> None:
    """Delete what killed processes have left of a file. The part of a living process is locked, and stays."""
    for part in place.parent.glob(f".{escape(place.name)}.*.part"):
        with suppress(OSError), part.open("r+b") as stream:
            if try_lock(stream):
                part.unlink()


def replace_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files of a folder, which is created if missing. If that fails or is killed, no file has changed.

    All files are first written to a folder of their own inside `folder`. Renaming it to `PENDING` is the one step that
    makes them valid. After it they are moved to their places, by the next call if this one is killed.

    Args:
        folder: Two processes must not write to it at once; see `locked`.
        contents: The bytes of each file by its path in the folder.

    Raises:
        DataError: A file cannot be written.
    """
    with one_sentence(folder):
        folder.mkdir(parents=True, exist_ok=True)
        settle(folder)
        unfinished = folder / f"{UNFINISHED}{secrets.token_hex(8)}"
        try:
            for name, content in contents.items():
                _write(unfinished / name, content, instead_of=folder / name)
            make_pending(unfinished, folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise


def _write(path: Path, content: bytes, *, instead_of: Path) -> None:
    with one_sentence(instead_of):
        path.parent.mkdir(parents=True, exist_ok=True)
        if instead_of.is_dir():
            raise IsADirectoryError
        with path.open("xb") as stream:
            stream.write(content)
            sync(stream)


def make_pending(complete: Path, folder: Path) -> None:
    """Let the files of a complete folder replace those of `folder`: all at once for readers that ask `newest`."""
    for inner in (*(path for path in complete.rglob("*") if path.is_dir()), complete):
        sync_folder(inner)
    _move(complete, folder / PENDING)
    sync_folder(folder)
    settle(folder)


def settle(folder: Path) -> None:
    """Move pending files to their places, and delete what a killed process has not finished."""
    pending = folder / PENDING
    for path in [path for path in pending.rglob("*") if path.is_file()]:
        place = folder / path.relative_to(pending)
        place.parent.mkdir(parents=True, exist_ok=True)
        _move(path, place)
    for left_over in (pending, *folder.glob(f"{UNFINISHED}*")):
        if left_over.is_dir():
            shutil.rmtree(left_over)


def newest(path: Path) -> Path:
    """Return where to read a file: its own path, or where it waits to be moved there by `replace_files`.

    A file may be moved between this call and its opening, so a reader that does not find it asks again.
    """
    for folder in path.parents[:4]:
        pending = folder / PENDING / path.relative_to(folder)
        if pending.is_file():
            return pending
    return path


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Try to lock a folder. Yield whether it worked; False means that another process, or this one, has the lock.

    The lock ends with the context or with the process, however that ends.
    """
    with locked_by(folder / ".tagger-lock") as owned:
        yield owned


@contextmanager
def locked_by(path: Path) -> Iterator[bool]:
    """Like `locked`, by a file that is there as long as the lock is."""
    while True:
        stream = path.open("ab")
        if not (owned := try_lock(stream)) or is_file_of(stream, path):
            break
        stream.close()  # the owner before us deleted the file after we had opened it
    try:
        yield owned
    finally:
        if owned:
            with suppress(OSError):  # on Windows an open file cannot be deleted
                path.unlink()
        stream.close()


def is_file_of(stream: BinaryIO, path: Path) -> bool:
    """Whether a path still leads to an open file."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False


def try_lock(stream: BinaryIO) -> bool:
    """Whether the lock of an open file is now ours. File systems without locks always say yes."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (EACCES, EAGAIN, EDEADLK)
    return True


def sync(stream: IO[Any]) -> None:
    """Put what was written to an open file on the disk."""
    stream.flush()
    os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Put the names of a folder's files on disk; Windows cannot open folders, and needs no such call."""
    if sys.platform != "win32":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _move(source: Path, target: Path) -> None:
    """Rename; on Windows again and again for two seconds, as long as a reader has the target open."""
    until = time.monotonic() + (2.0 if sys.platform == "win32" else 0.0)
    while True:
        try:
            source.replace(target)
            return
        except PermissionError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.01)


@contextmanager
def one_sentence(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a written file into one sentence."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{path}: its folder must exist, but does not; create it first") from None
    except IsADirectoryError:
        raise DataError(f"{path}: expected a file to write, got a folder; name a file in it") from None
    except OSError as error:
        raise DataError(f"{path}: the file cannot be written: {error.strerror}") from None
