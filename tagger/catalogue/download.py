"""Download one URL to a file, continuing where an earlier attempt has stopped. The content is checked by the caller."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tagger.catalogue.entries import Source
from tagger.errors import DataError

TRIES = 5
PAUSE_SECONDS = 1.0  # before the second try; twice as long before each further one
TIMEOUT_SECONDS = 30.0  # without any byte
BLOCK = 1 << 16
PASSING = {408, 425, 429, 500, 502, 503, 504}  # answers of a server that may be better a moment later


class Listener:
    """Receives what happens while files are fetched; this base class ignores it."""

    def noted(self, message: str) -> None:
        """Receive a line about something that is done."""

    def started(self, what: str, total: int | None) -> None:
        """Receive the start of a download and its size in bytes, if the server says it."""

    def advanced(self, done: int) -> None:
        """Receive the number of bytes that are there."""

    def ended(self) -> None:
        """Receive the end of a download."""


class _CutShort(Exception):  # noqa: N818 (never leaves this module)
    """A download that a further try can continue."""


class _SafeRedirects(HTTPRedirectHandler):
    """Follows redirects, but not from https to anything else."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        allowed = {"https"} if urlsplit(req.full_url).scheme == "https" else {"https", "http"}
        if urlsplit(newurl).scheme not in allowed:
            fp.close()
            raise DataError(f"{req.full_url}: must lead to an https address, got {newurl}; use another one with --from")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(source: Source, part: Path, listener: Listener) -> bool:
    """Download to a file; return whether it continued one that was there.

    Args:
        source: What to download; `max_bytes` bounds it.
        part: The file, which may hold the start of the content.
        listener: Receives the progress.

    Raises:
        DataError: The server or the network fails, also after `TRIES` tries, or the file cannot be written.
    """
    continued = part.exists()
    for attempt in range(TRIES):
        try:
            _try(source, part, listener)
            return continued
        except _CutShort as error:
            reason = error
        finally:
            listener.ended()
        if attempt + 1 < TRIES:
            time.sleep(PAUSE_SECONDS * 2**attempt)
    raise DataError(f"{source.url}: {reason}, {TRIES} times; run the command again to continue from there")


def _try(source: Source, part: Path, listener: Listener) -> None:
    """Download what is missing."""
    done = part.stat().st_size if part.exists() else 0
    answer = _ask(source.url, done)
    if answer is None:  # nothing follows what we have
        return
    with closing(answer):
        if answer.status != 206 or not answer.headers.get("Content-Range", "").startswith(f"bytes {done}-"):
            done = 0  # the server sends everything
        length = answer.headers.get("Content-Length")
        total = done + int(length) if length and length.isdigit() else None
        _refuse_larger(source, total or 0)
        listener.started(source.url.rpartition("/")[2], total)
        with writing(part), part.open("ab" if done else "wb") as stream:
            for block in _blocks(answer, done, total):
                done += len(block)
                if done > source.max_bytes:
                    stream.truncate(0)
                    _refuse_larger(source, done)
                stream.write(block)
                listener.advanced(done)
    if total is not None and done < total:
        raise _CutShort(f"the connection ended after {done:,} of {total:,} bytes")


def _ask(url: str, done: int) -> Any:
    """Return the answer of the server from byte `done` on; None if there are exactly that many bytes."""
    headers = {"User-Agent": "tagger", **({"Range": f"bytes={done}-"} if done else {})}
    try:
        return build_opener(_SafeRedirects).open(Request(url, headers=headers), timeout=TIMEOUT_SECONDS)
    except HTTPError as error:
        with error:
            if error.code == 416 and done:
                if error.headers.get("Content-Range") == f"bytes */{done}":
                    return None
                return _ask(url, 0)
            found = f"HTTP {error.code} ({error.reason})"
            if error.code in PASSING:
                raise _CutShort(f"expected the file, got {found}") from None
        raise DataError(
            f"{url}: expected the file, got {found}; check the address, or give another one of the data with --from URL"
        ) from None
    except URLError as error:
        raise DataError(
            f"{url}: the server must be reachable, but is not ({error.reason}); check the network, set HTTPS_PROXY if "
            "there is a proxy, or give another address of the data with --from URL"
        ) from None
    except (OSError, HTTPException) as error:
        raise _CutShort(f"expected an answer, got none ({error or type(error).__name__})") from None


def _blocks(answer: Any, done: int, total: int | None) -> Iterator[bytes]:
    """Yield the content as it arrives."""
    while True:
        try:
            block = answer.read1(BLOCK)
        except (OSError, HTTPException) as error:
            of = "" if total is None else f" of {total:,}"
            raise _CutShort(
                f"the connection failed after {done:,}{of} bytes ({error or type(error).__name__})"
            ) from None
        if not block:
            return
        done += len(block)
        yield block


def _refuse_larger(source: Source, size: int) -> None:
    if size > source.max_bytes:
        raise DataError(
            f"{source.url}: expected at most {source.max_bytes:,} bytes, got {size:,} or more; the file has changed "
            "there, so give another address of the data with --from URL"
        )


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an error while a file is written into one sentence."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{path}: the file cannot be written ({error.strerror or error}); choose a folder with enough space that "
            "you may write to"
        ) from None
