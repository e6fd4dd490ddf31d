"""What all tests share: one thread per process, the folder of real corpora, a cache for `datasets`, peak memory.

Every process of the tests computes on one thread. Threads of small networks wait for each other at each step, so a
second one gains little on an idle machine and makes the tests many times slower on a busy one.
"""

import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tagger import extensions

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported; child processes inherit it
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

REQUIRED = os.environ.get("TAGGER_REQUIRE_DATA") == "1"
NOT_RUN = {"slow": "slow tests", "fuzz": "fuzz tests of a minute each"}


def _data_folder() -> Path | None:
    value = os.environ.get("TAGGER_DATA")
    return Path(value).resolve() if value and Path(value).is_dir() else None


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of real corpora; skip the test, or fail it, where there is none."""
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
            f"{len(skipped)} tests on real data were skipped: $TAGGER_DATA is not set to their folder", yellow=True
        )
    for marker, what in NOT_RUN.items():
        left = [item for item in terminalreporter.stats.get("deselected", []) if item.get_closest_marker(marker)]
        if left:
            terminalreporter.write_line(f"{len(left)} {what} were not run; run them with -m {marker}", yellow=True)


@pytest.fixture(autouse=True, scope="session")
def _cache_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the library keep what it computes in a folder of the tests; child processes inherit it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAGGER_CACHE", str(tmp_path_factory.mktemp("user-cache")))
        yield


@pytest.fixture(autouse=True)
def _own_extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget after each test what it registers: an error that names all kinds must not depend on other tests."""
    monkeypatch.setattr(extensions, "_KNOWN", {})


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let `datasets` keep its files in a folder of the test's own, and show no progress bars."""
    import datasets  # imported here: loading it takes seconds, and most tests do without

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.fixture
def peak_memory() -> Callable[[Callable[[], object]], int]:
    """Return a function that measures the peak memory of Python objects, in bytes, while another function runs."""

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
    """Return a function that runs a converter and checks that it holds at most a third of its output in memory.

    The converter gets the lines of a column file with that many sentences, and a function that writes.
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
