"""Threads that run batches, and forks and errors in the middle of their work."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tagger.inference import workers as module
from tagger.inference.workers import running, workers


def test_each_thread_is_prepared_once() -> None:
    prepared: list[int] = []

    def prepare() -> None:
        prepared.append(threading.get_ident())

    pool = workers(3, prepare)
    assert workers(3, prepare) is pool
    assert list(pool.map(abs, [-1, 2, -3])) == [1, 2, 3]
    assert len(set(prepared)) == len(prepared) == 3


def test_the_thread_that_asks_works_where_no_other_can(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    module._workers.cache_clear()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert list(workers(2).map(lambda _: threading.get_ident(), "ab")) == [threading.get_ident()] * 2
    module._workers.cache_clear()


def test_an_error_of_the_work_is_raised_as_it_is() -> None:
    with pytest.raises(RuntimeError, match="of the work"):
        list(workers(2).map(lambda _: (_ for _ in ()).throw(RuntimeError("of the work")), "ab"))


def test_an_interrupt_leaves_no_thread_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(self: threading.Barrier) -> None:
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        wait(self)

    wait = threading.Barrier.wait
    module._workers.cache_clear()
    monkeypatch.setattr(threading.Barrier, "wait", interrupt)
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        workers(2)
    monkeypatch.undo()
    for thread in set(threading.enumerate()) - before:
        thread.join(30)
        assert not thread.is_alive()
    assert list(workers(2).map(abs, [-1])) == [1]


def test_a_run_inside_a_run_does_not_wait_for_a_fork() -> None:
    inside, forking = threading.Event(), threading.Event()

    def work() -> str:
        with running():
            inside.set()
            forking.wait(30)
            with running():
                return "done"

    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(work)
        inside.wait(30)
        with module.FORKING:  # as while the process forks
            forking.set()
            assert found.result(30) == "done"
    assert not module._RUNNING
