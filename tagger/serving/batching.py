"""Tagging of the texts of several requests together: what has arrived while a batch runs is the next one."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tagger.errors import DataError
from tagger.inference.predict import CHUNK
from tagger.serving.limits import Limits, stopping, too_busy, too_slow
from tagger.tagging import Tagger
from tagger.text.document import Document

Make = Callable[[], Document]


@dataclass(slots=True)
class _Job:
    """The texts of a request.

    Args:
        make: Return the documents; done by the thread that tags.
        n_best: Number of readings.
        result: Gets the documents with predicted layers.
        loop: The event loop of `result`.
    """

    make: Sequence[Make]
    n_best: int
    result: "asyncio.Future[list[Document]]"
    loop: asyncio.AbstractEventLoop
    documents: list[Document] = field(default_factory=list)


class Batcher:
    """Tags texts for requests, in a thread of its own.

    Args:
        tagger: The model.
        limits: How much may wait, and how long.
    """

    def __init__(self, tagger: Tagger, limits: Limits) -> None:
        self.tagger = tagger
        self.limits = limits
        self.waiting = 0  # items that are not tagged yet
        self.batches = 0
        self._jobs: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="tagger-batches", daemon=True)
        self._thread.start()

    async def tag(self, make: Sequence[Make], *, n_best: int = 0) -> list[Document]:
        """Return the documents that functions make, with predicted layers.

        Raises:
            DataError: A word of one of them is empty.
            Refusal: Too many texts wait, the results take too long, or the service stops.
        """
        if not make:
            return []
        loop = asyncio.get_running_loop()
        job = _Job(make, n_best, loop.create_future(), loop)
        with self._changed:
            if self._closed:
                raise stopping()
            if self.waiting and self.waiting + len(make) > self.limits.waiting:
                raise too_busy(self.waiting, self.limits.waiting)
            self.waiting += len(make)
            self._jobs.append(job)
            self._changed.notify()
        try:
            return await asyncio.wait_for(job.result, self.limits.seconds)
        except TimeoutError:
            raise too_slow(self.limits.seconds) from None

    def close(self) -> None:
        """Take no more texts, and return when those that were taken are tagged."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while (jobs := self._taken()) is not None:
            if not self._tagged(jobs):  # a request that cannot be tagged must not take the others with it
                for job in jobs:
                    self._tagged([job])
            with self._changed:
                self.waiting -= sum(len(job.make) for job in jobs)

    def _taken(self) -> list[_Job] | None:
        """Return the next requests with the same number of readings, or None at the end."""
        with self._changed:
            while not self._jobs:
                if self._closed:
                    return None
                self._changed.wait()
            jobs, size = [self._jobs.popleft()], 0
            size += len(jobs[0].make)
            while self._jobs and self._jobs[0].n_best == jobs[0].n_best and size < CHUNK:
                jobs.append(self._jobs.popleft())
                size += len(jobs[-1].make)
            return jobs

    def _tagged(self, jobs: Sequence[_Job]) -> bool:
        """Tag requests and answer them; whether that is done for all of them."""
        jobs = [job for job in jobs if not job.result.done()]
        for job in jobs:
            if not job.documents:
                try:
                    job.documents = [make() for make in job.make]
                except DataError as error:
                    _answer(job, error)
        ready = [job for job in jobs if job.documents]
        try:
            self.batches += 1
            documents = (document for job in ready for document in job.documents)
            found = iter(self.tagger.predict_documents(documents, n_best=ready[0].n_best) if ready else ())
            results = [[next(found) for _ in job.documents] for job in ready]
        except Exception as error:  # noqa: BLE001
            if len(ready) == 1:
                _answer(ready[0], error)
            return len(ready) <= 1
        for job, result in zip(ready, results, strict=True):
            _answer(job, result)
        return True


def _answer(job: _Job, found: Any) -> None:
    """Give a request its result or its error; one that does not wait any more gets nothing."""

    def give() -> None:
        if job.result.done():
            return
        if isinstance(found, Exception):
            job.result.set_exception(found)
        else:
            job.result.set_result(found)

    with suppress(RuntimeError):  # the loop has ended
        job.loop.call_soon_threadsafe(give)
