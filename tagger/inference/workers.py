"""Threads that run batches at the same time, and what happens to such threads when the process forks or ends.

A library may hold a lock in one thread while another one forks the process; in the child nobody would ever release it.
So a fork waits until no backend is at work. At the end of the program Python kills daemon threads wherever they are,
and a library in C++ then aborts the process. So the end waits too. Torch lets other threads run while it deletes a
tensor, so tensors too are only deleted within `running`.
"""

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from itertools import chain, islice
from typing import Any, TypeVar

G = TypeVar("G")
R = TypeVar("R")

FORKING = threading.RLock()  # held while the process forks, and for a moment when a run starts
_RUNNING: set[int] = set()  # threads in which a backend is at work
_IN_CHILD: list[Callable[[], object]] = []
_ending = False
_forked = False


@contextmanager
def running() -> Iterator[None]:
    """Keep the process from forking and from ending within the context."""
    thread = threading.get_ident()
    if thread in _RUNNING:  # inside a run, for which a fork waits already
        yield
        return
    try:
        _wait_for_turn(thread)
        yield
    finally:
        _RUNNING.discard(thread)


def _wait_for_turn(thread: int) -> None:
    with FORKING:
        killed = _ending and threading.current_thread().daemon
        if not killed:
            _RUNNING.add(thread)
    if killed:
        threading.Event().wait()  # forever: Python kills this thread


class Workers(ThreadPoolExecutor):
    """Threads that run batches. When no thread can be used any more, the thread that asks runs them itself."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Return the result of a call in one of the threads."""
        try:
            return super().submit(fn, *args, **kwargs)
        except RuntimeError:  # the program is ending, or the system has no more threads
            future: Future[Any] = Future()
            future.set_result(fn(*args, **kwargs))
            return future


def workers(number: int, prepare: Callable[[], object] | None = None) -> Workers:
    """Return a pool of `number` threads, each of which has called `prepare` once. It is shared and never ends."""
    with FORKING:
        return _workers(number, prepare)


@cache
def _workers(number: int, prepare: Callable[[], object] | None) -> Workers:
    started = threading.Barrier(number + 1)

    def start() -> None:
        if prepare is not None:
            prepare()
        with suppress(threading.BrokenBarrierError):
            started.wait()

    pool = Workers(number, "tagger", initializer=start)
    try:
        for _ in range(number):
            ThreadPoolExecutor.submit(pool, int)
        started.wait()
    except RuntimeError:  # see `Workers.submit`
        started.abort()
    except BaseException:
        started.abort()  # otherwise the threads would wait forever, and with them the end of the program
        raise
    return pool


def in_order(function: Callable[[G], R], items: Iterable[G], number: int) -> Iterator[R]:
    """Return the result of a function for each item, in order, computed by `number` threads.

    Items are taken shortly before they are needed. Results are returned when all are computed: Python code of the
    caller would slow the threads down, because each of their many short operations waits for the interpreter. One
    thread, or a single item, needs no other thread than the caller's; its results are computed when they are asked for.
    """
    left = iter(items)
    first = list(islice(left, 2))
    if number == 1 or len(first) < 2:
        return map(function, chain(first, left))
    pool, waiting, results = workers(number), deque[Future[R]](), []
    for item in chain(first, left):
        waiting.append(pool.submit(function, item))
        if len(waiting) > number:
            results.append(waiting.popleft().result())
    return iter([*results, *(future.result() for future in waiting)])


def batches_at_once() -> int:
    """Return how many batches run at the same time by default: one per CPU, and one in a forked process.

    The processes of a pool use all CPUs already.
    """
    if _forked:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def call_in_forked(function: Callable[[], object]) -> None:
    """Let every child process that this one forks call a function first."""
    _IN_CHILD.append(function)


def _before_fork() -> None:
    """Wait until no other thread is in the middle of a run, and let none start."""
    FORKING.acquire()
    while _RUNNING - {threading.get_ident()}:
        time.sleep(0.001)


def _after_fork_in_child() -> None:
    global _forked
    _forked = True
    _workers.cache_clear()  # threads do not survive a fork
    for function in _IN_CHILD:
        function()
    FORKING.release()


@atexit.register
def _before_end() -> None:
    """Wait until no thread is in the middle of a run, and let no daemon thread start one."""
    global _ending
    with FORKING:
        _ending = True
    while _RUNNING - {threading.get_ident()}:
        time.sleep(0.001)


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(before=_before_fork, after_in_parent=FORKING.release, after_in_child=_after_fork_in_child)
