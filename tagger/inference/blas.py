"""NumPy's matrix products on one thread, while batches run side by side.

The limit is that of the whole process, so it is set when the first run begins and taken back when the last one ends.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

_LOCK = threading.Lock()
_RUNS: list[Any] = []  # one entry for each run, all the same limit, which knows the numbers of threads before it


@cache
def _libraries() -> ThreadpoolController:
    """Return the libraries whose threads can be limited; they are searched once, which takes a few milliseconds."""
    return ThreadpoolController().select(user_api="blas")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit the libraries of linear algebra to one thread within the context."""
    with _LOCK:
        _RUNS.append(_libraries().limit(limits=1) if not _RUNS else _RUNS[0])
    try:
        yield
    finally:
        with _LOCK:
            limit = _RUNS.pop()
            if not _RUNS:
                limit.restore_original_limits()
