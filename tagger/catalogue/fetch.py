"""Fetch corpora into a data folder, laid out as the recipes expect, with their licences beside them.

A file gets its name only when its size and its hash are right. Until then it is in a folder of its own, from which an
interrupted download continues.
"""

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

from tagger.catalogue.contents import converted
from tagger.catalogue.download import Listener, download, writing
from tagger.catalogue.entries import Entry, File, Source, entry
from tagger.errors import DataError, RecipeError
from tagger.files.writing import locked, replaced
from tagger.wording import counted

MIRROR = "TAGGER_DATA_MIRROR"  # environment variable with the address of a mirror
UNFINISHED = ".tagger-downloads"  # folder for what is not complete
ADDRESS = re.compile(r"https?://([\w.-]+|\[[0-9a-f:.]+\])(:\d+)?(/[!-~]*)?", re.ASCII)
LOCAL = {"localhost", "127.0.0.1", "::1"}
BLOCK = 1 << 20
LEVEL = 6  # of gzip; 9 takes four times as long for 2% less


def fetch(names: Sequence[str], to: Path, *, mirror: str | None = None, listener: Listener | None = None) -> None:
    """Fetch corpora into a folder; files that are already complete are not fetched again.

    Args:
        names: Names of the catalogue.
        to: The data folder.
        mirror: Address of a folder with the same layout as the data folder. Default: `$TAGGER_DATA_MIRROR`, or the
            public source of each file.
        listener: Receives the progress.

    Raises:
        RecipeError: A name is unknown, or the address of the mirror cannot be used.
        DataError: A file cannot be fetched or written, or is not what the catalogue says.
    """
    entries = [entry(name) for name in dict.fromkeys(names)]
    base = mirror_of(mirror)
    listener = listener or Listener()
    unfinished = to / UNFINISHED
    try:
        with writing(unfinished):
            unfinished.mkdir(parents=True, exist_ok=True)
            with locked(unfinished) as owned:
                if not owned:
                    raise DataError(f"{to}: only one process at a time may fetch into a folder; wait for the other one")
                for one in entries:
                    _fetch_entry(one, to, base, listener)
    finally:
        with suppress(OSError):  # it is not empty: a later call continues what is in it
            unfinished.rmdir()


def mirror_of(given: str | None) -> str | None:
    """Return the address of a mirror without a slash at its end: the given one, or that of the environment.

    Raises:
        RecipeError: It is not https, nor http that is given explicitly or leads to this machine.
    """
    found = given or os.environ.get(MIRROR)
    if not found:
        return None
    if not ADDRESS.fullmatch(found):
        name = "--from" if given else MIRROR
        raise RecipeError(f"{name}: must be an address such as https://host/folder, got {found}")
    parts = urlsplit(found)
    if parts.scheme == "http" and not given and parts.hostname not in LOCAL:
        raise RecipeError(
            f"{MIRROR}: must start with https, got {found}; to use http nevertheless, give it with --from"
        )
    return found.rstrip("/")


def _fetch_entry(one: Entry, to: Path, base: str | None, listener: Listener) -> None:
    """Fetch what is missing of an entry, and write who made it."""
    missing = _missing(one.files, to)
    for source, files in _by_source(missing, base).items():
        _fetch_source(source, files, to, listener, packed=base is None)
    with replaced(to / one.folder / f"ATTRIBUTION-{one.name}.txt") as stream:
        stream.write(attribution(one).encode())
    size = sum(file.num_bytes for file in missing) / 1e6
    done = f"fetched {counted(len(missing), 'file')}, {size:.1f} MB" if missing else "already complete"
    listener.noted(f"{one.name}: {done}; {to / one.folder}, {one.licence}")


def _missing(files: Iterable[File], to: Path) -> list[File]:
    """Return the files that are not there.

    Raises:
        DataError: A file is there with other content, which is never overwritten.
    """
    there = [file for file in files if (to / file.path).exists()]
    wrong = [
        f"{to / file.path}: expected {problem}; move the file away, then run the command again"
        for file in there
        if (problem := mismatch(to / file.path, file))
    ]
    if wrong:
        raise DataError.of(wrong)
    return [file for file in files if file not in there]


def mismatch(path: Path, file: File) -> str:
    """Return how the content of a file differs from the catalogue, or nothing."""
    with writing(path), path.open("rb") as stream:
        content = gzip.GzipFile(fileobj=stream) if file.path.endswith(".gz") else stream
        try:
            return _difference(iter(partial(content.read, BLOCK), b""), file)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            return "gzip data, got other or broken data"


def _difference(blocks: Iterable[bytes], file: File) -> str:
    size, digest = 0, hashlib.sha256()
    for block in blocks:
        size += len(block)
        digest.update(block)
        if size > file.num_bytes:
            break
    if size != file.num_bytes:
        return f"{file.num_bytes:,} bytes, got {'more' if size > file.num_bytes else f'{size:,}'}"
    found = digest.hexdigest()
    return "" if found == file.sha256 else f"the SHA-256 {file.sha256}, got {found}"


def _by_source(files: Iterable[File], base: str | None) -> dict[Source, list[File]]:
    """Return which files each download gives."""
    found: dict[Source, list[File]] = {}
    for file in files:
        source = file.source if base is None else Source(f"{base}/{quote(file.path)}", file.num_bytes)
        found.setdefault(source, []).append(file)
    return found


def _fetch_source(source: Source, files: Sequence[File], to: Path, listener: Listener, *, packed: bool) -> None:
    """Download a file or an archive, and put what is in it in its places."""
    part = to / UNFINISHED / f"{hashlib.sha256(source.url.encode()).hexdigest()[:16]}.part"
    from_archive = packed and bool(files[0].members)
    whole = File("archive", source.max_bytes, source.sha256 or "", True, source) if from_archive else files[0]
    if not from_archive or source.sha256:
        _download_checked(source, part, whole, listener)
    else:
        download(source, part, listener)
    for file in files:
        _put(part, file, to, listener, from_archive=from_archive)
    part.unlink(missing_ok=True)


def _download_checked(source: Source, part: Path, expected: File, listener: Listener) -> None:
    """Download; what was continued and is wrong is fetched once more, because its start may be of another version."""
    while True:
        continued = download(source, part, listener)
        problem = mismatch(part, expected)
        if not problem:
            return
        part.unlink()
        if not continued:
            raise DataError(
                f"{source.url}: expected {problem}; the file has changed there, so give another address of the data "
                "with --from URL"
            )


def _put(part: Path, file: File, to: Path, listener: Listener, *, from_archive: bool) -> None:
    """Give a complete file its name; one from an archive is unpacked, converted and checked first."""
    place = to / file.path
    unpacked = part.with_suffix(".unpacked")
    with writing(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        if not from_archive:
            part.replace(place)
            return
        try:
            listener.started(f"unpacking {place.name}", file.num_bytes)
            for done in _write(unpacked, converted(part, file.members, file.conversion, where=file.source.url), file):
                listener.advanced(done)
            if problem := mismatch(unpacked, file):
                raise DataError(
                    f"{file.source.url}: {file.members[0]} must have {problem}; the archive has changed, so give "
                    "another address of the data with --from URL"
                )
            unpacked.replace(place)
        except DataError:  # the archive is wrong; where only the disk is full, it stays for the next call
            part.unlink()
            raise
        finally:
            listener.ended()
            unpacked.unlink(missing_ok=True)


def _write(path: Path, blocks: Iterator[bytes], file: File) -> Iterator[int]:
    """Write at most one byte more than the file has, packed if its name says so; yield what is written so far."""
    done, most = 0, file.num_bytes + 1
    with path.open("wb") as raw:
        stream = gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) if file.path.endswith(".gz") else raw
        with stream:
            for block in blocks:
                stream.write(block[: most - done])
                done = min(done + len(block), most)
                yield done
                if done == most:
                    return


def attribution(one: Entry) -> str:
    """Return who made a corpus, its licence, and where each file comes from."""
    lines = [
        f"{one.name}: {one.title}",
        f"Made by: {one.authors}",
        f"Licence: {one.licence}, {one.licence_url}",
        f"Source: {one.source}",
        f"Changes: {one.changes or 'none'}",
        f"Hashes: {one.checked}",
        "",
        "Sources of the files:",
        *dict.fromkeys(f"  {file.source.url}" for file in one.files),
    ]
    return "\n".join(lines) + "\n"
