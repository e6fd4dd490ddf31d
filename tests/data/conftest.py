"""What tests of reading share: a cache of datasets of their own, and the memory that a call takes."""

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


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
