"""A local HTTP server that serves files well or badly."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from tagger.catalogue import download


class Server:
    """Serves `files` by path. Each request to a path takes the next of its `answers`; the last one stays.

    ok: the file, also in part. rangeless: always the whole file. cut: half of what is asked for, then the end of the
    connection. stall: as cut, but the connection stays open. wrong: other bytes. short, long: another size. A number:
    that HTTP status. An address: a redirect to it.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.address = ""

    def answer(self, path: str) -> str:
        given = self.answers.get(path, ["ok"])
        return given.pop(0) if len(given) > 1 else given[0]


def handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            path = unquote(self.path.lstrip("/"))
            given = self.headers.get("Range")
            server.asked.append((path, given))
            answer = server.answer(path) if path in server.files else "404"
            if answer.isdigit():
                self.send_error(int(answer))
            elif "://" in answer:
                self.send_response(302)
                self.send_header("Location", answer)
                self.end_headers()
            else:
                self.serve(server.files[path], answer, given)

        def serve(self, content: bytes, answer: str, given: str | None) -> None:
            changed = {"wrong": content[::-1], "short": content[:-1], "long": content + b"!"}
            content = changed.get(answer, content)
            start = int(given.removeprefix("bytes=").rstrip("-")) if given and answer != "rangeless" else 0
            if given and start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            rest = content[start:]
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            self.wfile.write(rest[: (len(rest) + 1) // 2] if answer in ("cut", "stall") else rest)
            if answer == "stall":
                self.wfile.flush()
                time.sleep(2 * download.TIMEOUT_SECONDS)

    return Handler


@contextmanager
def serving() -> Iterator[Server]:
    """Serve until the context ends."""
    server = Server()
    with running(handler(server)) as server.address:
        yield server


@contextmanager
def running(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Answer requests in a thread until the context ends; yield the address."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}"
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
