"""Fixtures of all tests: where the real corpora are, a cache for `datasets`, and the memory that a call takes."""

import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

REQUIRED = os.environ.get("TAGGER_REQUIRE_DATA") == "1"


def _data_folder() -> Path | None:
    value = os.environ.get("TAGGER_DATA")
    return Path(value).resolve() if value and Path(value).is_dir() else None


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real corpora; a test that asks for it is skipped, or fails, where it is not there."""
    folder = _data_folder()
    if folder is None:
        (pytest.fail if REQUIRED else pytest.skip)("needs real data: set TAGGER_DATA to the folder of corpora")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "data_folder" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.data)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "TAGGER_DATA" in str(r.longrepr)]
    if skipped:
        terminalreporter.write_line(
            f"{len(skipped)} tests on real data were skipped, for $TAGGER_DATA is not set to their folder", yellow=True
        )


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What `datasets` keeps goes to a folder of the test's own, and no progress bars are shown."""
    import datasets  # imported here: loading it takes seconds, and most tests do without

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.fixture
def peak_memory() -> Callable[[Callable[[], object]], int]:
    """A function that gives the bytes which Python objects take at most while another one runs."""

    def measure(call: Callable[[], object]) -> int:
        tracemalloc.start()
        try:
            call()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return measure


@pytest.fixture
def streamed(peak_memory: Callable[[Callable[[], object]], int]) -> Callable[..., Any]:
    """A function that gives what a converter returns, which may hold a third of what it writes in memory at most.

    The converter is given the lines of a column file of so many sentences, and where to write.
    """

    def check(convert: Callable[..., object], num_sentences: int) -> object:
        size, returned = 0, []

        def lines() -> Iterator[bytes]:
            for i in range(num_sentences):
                yield from (b"word%d\tB-X\n" % i, b"other%d\tI-X\n" % i, b"E-mail\tO\n", b"\n")

        def write(part: bytes) -> None:
            nonlocal size
            size += len(part)

        assert peak_memory(lambda: returned.append(convert(lines, write))) < size / 3
        return returned[0]

    return check
