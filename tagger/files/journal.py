"""An output that a later run can continue: a file beside it that holds what is written so far, and a journal.

`OUT` is written as `.OUT.unfinished`. Its journal, `.OUT.unfinished.json`, says after each mark how many bytes are
whole and their SHA-256, where the run was then (its state), and what it was made from (the facts, such as the input).
At the end the file is renamed to `OUT` and the journal is deleted. What the facts and the state are is left to the
caller.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from tagger.errors import DataError
from tagger.files.writing import is_file_of, one_sentence, sync, sync_folder, try_lock

START_AGAIN = "delete {} to start from the beginning"
BLOCK = 1_000_000  # bytes that are read at once


class Continued:
    """An output that is being written.

    Args:
        part: The file that is written.
        stream: Writes and reads it.
        facts: What the output is made from, ready for JSON.
    """

    def __init__(self, part: Path, stream: BinaryIO, facts: Mapping[str, Any]) -> None:
        self._part, self._facts = part, facts
        self._bytes, self._sha256 = 0, sha256()  # of what is whole
        self.stream = stream
        self.state: Mapping[str, Any] | None = None  # what the last mark said; None if there is none

    def mark(self, state: Mapping[str, Any]) -> None:
        """Say that all that was written is whole, and where the run is."""
        sync(self.stream)
        whole = self._read_to(self.stream.tell())
        _write_journal(_journal_of(self._part), {**whole, "facts": self._facts, "state": state})
        self.state = state

    def take_up(self, content: Mapping[str, Any]) -> bool:
        """Cut the file to what a journal says is whole; return False, and change nothing, if it has other bytes."""
        whole = self._read_to(content["bytes"])
        if any(content[name] != value for name, value in whole.items()):
            return False
        self.stream.truncate(content["bytes"])
        self.stream.seek(0, os.SEEK_END)
        self.state = content["state"]
        return True

    def _read_to(self, end: int) -> dict[str, Any]:
        """Return the number of bytes up to a place, fewer if the file is shorter, and their SHA-256."""
        self.stream.seek(self._bytes)
        while block := self.stream.read(min(end - self._bytes, BLOCK)):
            self._sha256.update(block)
            self._bytes += len(block)
        self.stream.seek(0, os.SEEK_END)
        return {"bytes": self._bytes, "sha256": self._sha256.hexdigest()}


@contextmanager
def continued(path: Path, facts: Mapping[str, Any], *, resume: bool = False) -> Iterator[Continued]:
    """Write an output that takes its place when the context ends without an error.

    If it ends with an error after a mark, or is killed, the next call with `resume` continues after the last mark.

    Args:
        path: The output, a regular file or nothing yet.
        facts: What the output is made from, ready for JSON. They must be the same in the run that continues.
        resume: Whether to continue an unfinished output. Without it, one is an error.

    Raises:
        DataError: The file cannot be written, another run is writing it, an output is unfinished and `resume` is not
            set, it or its journal is damaged, or the facts have changed. No file has changed then.
    """
    part = unfinished_of(path)
    with one_sentence(path), _locked(part, path) as stream:
        output = Continued(part, stream, facts)
        _continue(output, part, path, facts, resume=resume)
        try:
            yield output
            sync(stream)
            _finish(stream, part, Path(os.path.realpath(path)))
        except BaseException:
            if output.state is None:  # nothing is whole
                with suppress(OSError):  # Windows cannot delete an open file; the next run writes over it
                    part.unlink()
            raise


def unfinished_of(path: Path) -> Path:
    """Return the file that is written instead of an output until it is complete."""
    place = Path(os.path.realpath(path))
    return place.with_name(f".{place.name}.unfinished")


def is_unfinished(path: Path) -> bool:
    """Whether there is an unfinished output that can be continued."""
    part = unfinished_of(path)
    return part.is_file() and part.stat().st_size > 0 and _journal_of(part).is_file()


def _journal_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _locked(part: Path, path: Path) -> BinaryIO:
    """Open the file of an unfinished output, which is created if missing, for this run alone.

    Raises:
        DataError: Another run is writing it.
    """
    while True:
        stream = part.open("a+b")
        stream.seek(0)  # Windows locks the byte at the position
        if not try_lock(stream):
            stream.close()
            raise DataError(f"{path}: another run is writing this file; wait for its end, or name another file")
        stream.seek(0, os.SEEK_END)
        if is_file_of(stream, part):
            return stream
        stream.close()  # the run before us renamed the file after we had opened it


def _continue(output: Continued, part: Path, path: Path, facts: Mapping[str, Any], *, resume: bool) -> None:
    """Cut a file to what is whole; to nothing if it has no journal."""
    journal = _journal_of(part)
    if not output.stream.tell() or not journal.exists():
        journal.unlink(missing_ok=True)  # first, so that it never meets bytes of this run
        output.stream.truncate(0)
        return
    again = START_AGAIN.format(f"{part} and {journal}")
    if not resume:
        raise DataError(f"{path}: an unfinished output exists; add --resume to continue it, or {again}")
    content = _read_journal(journal)
    if content and (changed := list(_changes(content["facts"], json.loads(json.dumps(facts))))):
        raise DataError(
            f"{path}: --resume needs all that the unfinished output was made with, but {', '.join(changed)} changed; "
            f"change it back, or {again}"
        )
    if content is None or not output.take_up(content):
        raise DataError(f"{path}: the unfinished output or its journal is damaged; {again}")


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of facts that are not the same."""
    for name in dict.fromkeys([*now, *before]):
        if before.get(name) != now.get(name):
            yield name


def _read_journal(journal: Path) -> dict[str, Any] | None:
    """Return the content of a journal; None if it is damaged, or of another program."""
    try:
        saved = json.loads(journal.read_bytes())
        content = saved["content"]
        known = content.keys() == {"bytes", "sha256", "facts", "state"}
        return content if known and saved["sha256"] == _digest(content) else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _write_journal(journal: Path, content: Mapping[str, Any]) -> None:
    """Replace a journal at once."""
    new = journal.with_name(f"{journal.name}.new")
    try:
        with new.open("w", encoding="utf-8") as stream:
            json.dump({"content": content, "sha256": _digest(content)}, stream)
            sync(stream)
        new.replace(journal)
    except BaseException:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise


def _digest(content: Mapping[str, Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _finish(stream: BinaryIO, part: Path, place: Path) -> None:
    """Let a complete file take its place, and then delete its journal: the other way round, a kill would lose it."""
    if place.exists():
        shutil.copymode(place, part)
    if os.name == "nt":
        stream.close()  # Windows cannot rename an open file
    part.replace(place)
    sync_folder(place.parent)
    _journal_of(part).unlink(missing_ok=True)
