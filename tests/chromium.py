"""A real browser, and an application that it can open."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium and its driver")


@contextmanager
def make_browser(size: str = "420,900", downloads: Path | None = None) -> Iterator[Any]:
    """A browser without a window, that keeps what pages log, and files in the folder of downloads."""
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", f"--window-size={size}"):
        options.add_argument(argument)
    if downloads is not None:
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options, service=webdriver.ChromeService(str(DRIVER)))
    try:
        yield found
    finally:
        found.quit()


@contextmanager
def running(app: FastAPI, port: int = 0) -> Iterator[int]:
    """The application on a port, by default a free one, which the context has as its value."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        until(lambda: server.started)
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def until(found: Callable[[], Any], said: Callable[[], Any] = str, seconds: float = 30.0) -> None:
    """Wait until something is so; else the test fails with what `said` returns."""
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, said()
        time.sleep(0.02)
