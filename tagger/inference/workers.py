"""Threads that run batches at the same time, and forks of a process that has such threads.

A library may hold a lock in one thread while another one forks the process; in the child nobody would ever release it.
So a fork waits until no backend is at work.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import chain, islice
from typing import TypeVar

G = TypeVar("G")
R = TypeVar("R")

FORKING = threading.RLock()  # held while the process forks, and for a moment when a run starts
_RUNNING: set[int] = set()  # threads in which a backend is at work
_IN_CHILD: list[Callable[[], object]] = []


@contextmanager
def running() -> Iterator[None]:
    """Keep the process from forking meanwhile."""
    thread = threading.get_ident()
    with FORKING:
        outer = thread in _RUNNING
        _RUNNING.add(thread)
    try:
        yield
    finally:
        if not outer:
            _RUNNING.discard(thread)


def workers(number: int, prepare: Callable[[], object] | None = None) -> ThreadPoolExecutor:
    """Return so many threads, each of which has called `prepare` once. They are shared and never end."""
    with FORKING:
        return _workers(number, prepare)


@cache
def _workers(number: int, prepare: Callable[[], object] | None) -> ThreadPoolExecutor:
    started = threading.Barrier(number + 1)

    def start() -> None:
        if prepare is not None:
            prepare()
        started.wait()

    pool = ThreadPoolExecutor(number, "tagger", initializer=start)
    for _ in range(number):
        pool.submit(int)
    started.wait()
    return pool


def in_order(function: Callable[[G], R], items: Iterable[G], number: int) -> Iterator[R]:
    """Yield the result of a function for each item, in order, computed by so many threads.

    Items are taken shortly before they are needed. A single item is computed in this thread.
    """
    left = iter(items)
    first = list(islice(left, 2))
    if number == 1 or len(first) < 2:
        yield from map(function, chain(first, left))
        return
    pool, waiting = workers(number), deque[Future[R]]()
    for item in chain(first, left):
        waiting.append(pool.submit(function, item))
        if len(waiting) > 2 * number:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def call_in_forked(function: Callable[[], object]) -> None:
    """Let every child process that this one forks call a function first."""
    _IN_CHILD.append(function)


def _before_fork() -> None:
    """Wait until no other thread is in the middle of a run, and let none start."""
    FORKING.acquire()
    while _RUNNING - {threading.get_ident()}:
        time.sleep(0.001)


def _after_fork_in_child() -> None:
    _workers.cache_clear()  # threads do not survive a fork
    for function in _IN_CHILD:
        function()
    FORKING.release()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_before_fork, after_in_parent=FORKING.release, after_in_child=_after_fork_in_child)
