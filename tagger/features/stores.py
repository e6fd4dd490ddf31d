"""The stores of features in the user's cache folder: one folder for each fingerprint, bounded in bytes.

The file `about.json` of a store says what its values are of; its time is that of the last use. A process that uses a
store keeps a file in it locked until the end, so that no other process removes the store. Opening, listing and removing
stores happen under a lock of the whole folder.
"""

import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tagger.errors import DataError, RecipeError
from tagger.features.store import count
from tagger.files.user_cache import user_cache
from tagger.files.writing import locked, replaced, try_lock
from tagger.wording import shorten, shown_bytes

ABOUT, IN_USE, REMOVED = "about.json", "in-use-", ".removed-"
POLLED = 0.05  # seconds from one try to lock a folder to the next
LARGEST, SHARE = 20e9, 0.5  # bytes of all stores, and their share of what is free without them
SPARE = 500e6  # bytes of the disk that stay free
GIGABYTES = "TAGGER_CACHE_GB"


@dataclass(frozen=True, slots=True)
class Kept:
    """A store in the cache folder.

    Args:
        folder: Its folder.
        about: What its values are of; empty if its file is damaged.
        bytes: Its size.
        used: When it was last used, in seconds since 1970.
        in_use: Whether a process uses it now.
    """

    folder: Path
    about: Mapping[str, Any]
    bytes: int
    used: float
    in_use: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the store for JSON. The number of passages and tokens is null if the store is damaged."""
        passages, tokens = count(self.folder) or (None, None)
        used = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.used))
        facts = {"passages": passages, "tokens": tokens, "bytes": self.bytes, "last_used": used, "in_use": self.in_use}
        return {"folder": str(self.folder), "about": dict(self.about), **facts}


@contextmanager
def waited_for(folder: Path, wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Lock a folder as soon as no other process has its lock; `wait` is called again and again until then."""
    while True:
        with locked(folder) as owned:
            if owned:
                yield
                return
        wait()
        time.sleep(POLLED)


class Stores:
    """The stores in a folder.

    Args:
        root: The folder, which may not exist yet.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def opened(self, fingerprint: str, about: Mapping[str, Any]) -> Iterator[Path]:
        """Yield the folder of a store, which is created if missing, and let nobody remove it within the context.

        Raises:
            OSError: The folder cannot be written.
        """
        folder = self.root / sha256(fingerprint.encode()).hexdigest()[:32]
        self.root.mkdir(parents=True, exist_ok=True)
        with waited_for(self.root):
            folder.mkdir(exist_ok=True)
            if not (folder / ABOUT).exists():
                with replaced(folder / ABOUT) as stream:
                    stream.write(json.dumps(about).encode())
            mark = folder / f"{IN_USE}{secrets.token_hex(8)}"
            stream = mark.open("xb")
            try_lock(stream)
        try:
            os.utime(folder / ABOUT)
            yield folder
        finally:
            stream.close()
            with suppress(OSError):  # someone has deleted the folder
                os.utime(folder / ABOUT)
                mark.unlink()

    def kept(self) -> list[Kept]:
        """Return all stores, the least recently used first.

        Raises:
            DataError: Something that is no folder is in the place of the cache folder, or of one above it.
        """
        there = next(path for path in (self.root, *self.root.absolute().parents) if path.exists())
        if not there.is_dir():
            raise DataError(f"{there}: the cache must be a folder, got a file; set TAGGER_CACHE to a folder")
        if not self.root.is_dir():
            return []
        with waited_for(self.root):
            return self._kept()

    def remove(self, chosen: Sequence[Kept]) -> list[Kept]:
        """Remove stores, and return those that a process uses now, which stay."""
        with waited_for(self.root):
            used = [store for store in chosen if store.folder.exists() and not self._set_aside(store.folder)]
        self._delete()
        return used

    def make_room(self, needed: int) -> str:
        """Make room for some bytes: remove stores, the least recently used first, but none in use.

        Returns:
            Why there is no room, in words; nothing was removed then. Empty if there is room.
        """
        with waited_for(self.root):
            stores, free = self._kept(), shutil.disk_usage(self.root).free
            removable = [store for store in stores if not store.in_use]
            held, spare = (sum(store.bytes for store in each) for each in (stores, removable))
            largest = largest_size(free + held)
            if held - spare + needed > largest:
                return f"may hold {shown_bytes(largest)}; set {GIGABYTES} to allow more"
            if free + spare < needed + SPARE:
                return f"is on a disk with {shown_bytes(free)} free; set TAGGER_CACHE to a folder on another disk"
            for store in removable:
                if held + needed <= largest and free >= needed + SPARE:
                    break
                self._set_aside(store.folder)
                held, free = held - store.bytes, free + store.bytes
        self._delete()
        return ""

    def _kept(self) -> list[Kept]:
        found = [_kept(path.parent) for path in self.root.glob(f"*/{ABOUT}") if path.parent.name[0] != "."]
        return sorted(found, key=lambda store: store.used)

    def _set_aside(self, folder: Path) -> bool:
        """Rename a store, so that nobody opens it any more, unless it is in use; return whether it was renamed."""
        if _is_used(folder):
            return False
        folder.rename(self.root / f"{REMOVED}{secrets.token_hex(8)}")
        return True

    def _delete(self) -> None:
        """Delete the stores that were set aside, also by processes that were killed."""
        for left_over in self.root.glob(f"{REMOVED}*"):
            shutil.rmtree(left_over, ignore_errors=True)


def stores_of_user() -> Stores | None:
    """Return the stores of the user; None if the user has no home."""
    folder = user_cache()
    return None if folder is None else Stores(folder / "features")


def largest_size(available: float) -> float:
    """Return how many bytes all stores may have, given the bytes that are free without them.

    Raises:
        RecipeError: `TAGGER_CACHE_GB` is no number.
    """
    given = os.environ.get(GIGABYTES)
    if not given:
        return min(LARGEST, SHARE * available)
    with suppress(ValueError):
        if (size := float(given) * 1e9) >= 0:
            return size
    raise RecipeError(f"{GIGABYTES}: must be a number of gigabytes such as 20, got {shorten(given)}; correct it")


def _kept(folder: Path) -> Kept:
    """Return the store in a folder."""
    size = 0
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # a temporary file of SQLite
            size += path.stat().st_size
    about: object = None
    with suppress(ValueError):
        about = json.loads((folder / ABOUT).read_bytes())
    used = (folder / ABOUT).stat().st_mtime
    return Kept(folder, about if isinstance(about, dict) else {}, size, used, _is_used(folder))


def _is_used(folder: Path) -> bool:
    """Whether a living process uses a store; the marks of others are deleted."""
    used = False
    for mark in folder.glob(f"{IN_USE}*"):
        with suppress(FileNotFoundError), mark.open("r+b") as stream:
            if try_lock(stream):
                mark.unlink()
            else:
                used = True
    return used
