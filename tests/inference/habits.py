"""What programs do with a tagger in production, each as a function; `test_processes.py` runs them.

    python habits.py FOLDER BACKEND FUNCTION...

A function fails with an error, or hangs, if a process, a thread or a task gets another result than the first one.
"""

import asyncio
import atexit
import copy
import faulthandler
import functools
import json
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

import tagger
from tagger import Sentence, Tagger

TEXTS = [f"Ada {'came to Oslo and ' * (i % 9)}saw number {i} ." for i in range(400)]  # several batches
FEW = TEXTS[:7]
FORKS = hasattr(os, "fork")
METHODS = ("fork", "forkserver", "spawn") if FORKS else ("spawn",)
SHARED: Tagger  # of a child process


@dataclass
class Service:
    """An object of a program that holds a tagger."""

    model: Tagger
    name: str = "service"

    def answer(self, text: str) -> Sentence:
        return self.model.tag(text)


def load(folder: str, backend: str, threads: int = 2) -> Tagger:
    return tagger.load(folder, backend=backend, threads=threads)


def share(folder: str, backend: str) -> None:
    global SHARED
    SHARED = load(folder, backend)


def answer(text: str) -> Sentence:
    return SHARED.tag(text)


def check(found: Iterable[Sentence], wanted: Iterable[Sentence]) -> None:
    """Fail unless the tags are the same, and the probabilities but for rounding."""
    for one, other in zip(found, wanted, strict=True):
        for layer in ("ner", "upos"):
            assert one.tags(layer) == other.tags(layer), (one, other)
            scores = zip(one.tag_scores(layer), other.tag_scores(layer), strict=True)
            assert all(abs(score - score_) < 1e-4 for score, score_ in scores), (one, other)
        assert one.label("sentiment").value == other.label("sentiment").value


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def ends(child: int) -> None:
    """Fail unless a forked process ends well."""
    assert os.waitpid(child, 0)[1] == 0


def forks(folder: str, backend: str) -> None:
    """Children of a process whose other threads do nothing, then of one whose threads tag without end."""
    model = load(folder, backend)
    wanted = list(model.stream(TEXTS))

    def tag_forever() -> None:
        while True:
            list(model.stream(TEXTS[:20], chunk=10))

    for busy in (0, 3):
        for _ in range(busy):
            threading.Thread(target=tag_forever, daemon=True).start()
        for _ in range(8):
            child = os.fork()
            if not child:
                check(model.stream(TEXTS[:100]), wanted[:100])
                model.marginals(wanted[0])
                os._exit(0)
            ends(child)
    say("forks")
    os._exit(0)  # the threads never end


def ends_of_children(folder: str, backend: str) -> None:
    """A forked child ends as a program does, and not at once as those of `multiprocessing`; it may not have tagged."""
    model = load(folder, backend)
    wanted = list(model.stream(FEW))
    for texts in ([], FEW):
        child = os.fork()
        if not child:
            check(model.stream(texts), wanted[: len(texts)])
            sys.exit()
        ends(child)


def forks_of_threads(folder: str, backend: str) -> None:
    """Several threads fork at once, each child tags and has a child of its own."""
    model = load(folder, backend)
    wanted = list(model.stream(FEW))

    def fork(depth: int) -> None:
        child = os.fork()
        if not child:
            check(model.stream(FEW), wanted)
            if depth:
                fork(depth - 1)
            os._exit(0)
        ends(child)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fork, [1] * 8))


def threads(folder: str, backend: str) -> None:
    """Many threads and many tasks share a tagger that no thread used before."""
    model = load(folder, backend)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda i: list(model.stream(TEXTS, chunk=100 + i)), range(8)))
        singles = list(pool.map(model.tag, FEW))
        copies = list(pool.map(lambda _: pickle.loads(pickle.dumps(model)).tag(FEW[0]), range(8)))
    for result in results:
        check(result, results[0])
    check(singles, results[0][: len(FEW)])
    check(copies, results[0][:1] * 8)

    async def serve() -> list[Sentence]:
        loop = asyncio.get_running_loop()
        half = [loop.run_in_executor(None, model.tag, text) for text in TEXTS[:50]]
        return await asyncio.gather(*half, *(asyncio.to_thread(model.tag, text) for text in TEXTS[50:100]))

    check(asyncio.run(serve()), results[0][:100])
    found: list[Sentence] = []
    worker = threading.Thread(target=lambda: found.extend(model.stream(TEXTS)), daemon=True)
    worker.start()
    worker.join()
    check(found, results[0])


def pools(folder: str, backend: str) -> None:
    """Pools of processes, started in each way, that get the tagger itself or load their own."""
    model = load(folder, backend)
    wanted = list(model.stream(FEW))
    for method in METHODS:
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(1, mp_context=context) as executor:
            check(executor.map(model.tag, FEW), wanted)
            check([executor.submit(Service(model).answer, FEW[0]).result()], wanted[:1])
            check([executor.submit(functools.partial(model.tag, n_best=2), FEW[0]).result()], wanted[:1])
            assert "text must be a string" in str(executor.submit(model.tag, None).exception())
        if method != "forkserver":  # each import of a library takes its time
            with context.Pool(1, initializer=share, initargs=(folder, backend)) as pool:
                check(pool.map(answer, FEW), wanted)


def globals_of_a_parent(folder: str, backend: str) -> None:
    """A forked child uses the global tagger of its parent."""
    share(folder, backend)
    wanted = list(SHARED.stream(FEW))
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as executor:
        check(executor.map(answer, FEW), wanted)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        check(pool.map(answer, FEW), wanted)


def killed_workers(folder: str, backend: str) -> None:
    """A pool whose worker dies says so, and the parent goes on."""
    model = load(folder, backend)
    wanted = list(model.stream(FEW))
    executor = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork"))
    (worker,) = {executor.submit(os.getpid).result()}
    os.kill(worker, signal.SIGKILL)
    try:
        executor.submit(model.tag, FEW[0]).result()
        raise AssertionError("the worker was killed")
    except BrokenProcessPool:
        check(model.stream(FEW), wanted)


def interrupted(folder: str, backend: str) -> None:
    """Ctrl-C ends what it meets with KeyboardInterrupt, and tagging and forking go on after it."""
    model = load(folder, backend)
    wanted = list(model.stream(TEXTS))
    for i in range(20):
        timer = threading.Timer(0.003 * i, signal.raise_signal, [signal.SIGINT])
        try:
            timer.start()
            while True:
                list(model.stream(TEXTS, chunk=50))
        except KeyboardInterrupt:
            timer.join()
    check(model.stream(TEXTS), wanted)
    if FORKS:
        child = os.fork()
        if not child:
            check(model.stream(TEXTS), wanted)
            os._exit(0)
        ends(child)


def first_call_interrupted(folder: str, backend: str) -> None:
    """Ctrl-C may also come while the first call prepares its threads."""
    for i in range(20):
        model = load(folder, backend, threads=2 + i)
        timer = threading.Timer(0.0003 * i, signal.raise_signal, [signal.SIGINT])
        try:
            timer.start()
            while True:
                list(model.stream(TEXTS[:100], chunk=50))
        except KeyboardInterrupt:
            timer.join()


def tags_at_exit(folder: str, backend: str) -> None:
    """Functions that run at the end of a program may tag."""
    model = load(folder, backend)
    wanted = list(model.stream(TEXTS))
    atexit.register(lambda: (check(model.stream(TEXTS), wanted), say("tagged at exit")))


def tags_first_at_exit(folder: str, backend: str) -> None:
    """The same where nothing was tagged before."""
    model = load(folder, backend)
    atexit.register(lambda: (list(model.stream(TEXTS)), say("tagged at exit")))


def thread_outlives_main(folder: str, backend: str) -> None:
    """A thread goes on when the main thread has ended."""
    model = load(folder, backend)
    wanted = list(model.stream(TEXTS))

    def work() -> None:
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            check(model.stream(TEXTS), wanted)
        say("tagged by a thread")

    threading.Thread(target=work).start()


def daemons(folder: str, backend: str) -> None:
    """The program ends while daemon threads tag."""
    model = load(folder, backend)
    list(model.stream(TEXTS))

    def work() -> None:
        while True:
            list(model.stream(TEXTS))

    for _ in range(3):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.1)


def tags_for(model: Tagger) -> Callable[[dict[str, list[str]]], dict[str, list[tuple[str, ...]]]]:
    def add_tags(batch: dict[str, list[str]]) -> dict[str, list[tuple[str, ...]]]:
        return {"tags": [sentence.tags("ner") for sentence in model.stream(batch["text"])]}

    return add_tags


def fingerprint(folder: str, backend: str) -> None:
    """Write the fingerprint that `datasets` gives to a function with a tagger."""
    from datasets.fingerprint import Hasher

    say(Hasher.hash(tags_for(load(folder, backend))))


def maps_a_dataset(folder: str, backend: str) -> None:
    """`datasets` maps in two processes, and knows the function again that it has applied before."""
    import datasets
    from datasets.fingerprint import Hasher

    datasets.disable_progress_bars()
    model = load(folder, backend)
    add_tags = tags_for(model)
    before = Hasher.hash(add_tags)
    wanted = [list(sentence.tags("ner")) for sentence in model.stream(TEXTS)]
    assert Hasher.hash(add_tags) == before
    texts = datasets.Dataset.from_dict({"text": TEXTS})
    for processes in (None, 2):
        mapped = texts.map(add_tags, batched=True, batch_size=50, num_proc=processes, load_from_cache_file=False)
        assert mapped["tags"][:] == wanted
    say(before)


def pickles(folder: str, backend: str) -> None:
    """Everything that pickles, also inside other objects, closures and functions that are pickled by value."""
    import cloudpickle
    import dill

    model = load(folder, backend)
    wanted = [model.tag(FEW[0])]
    assert len(pickle.dumps(model)) < 1000
    for module in (pickle, dill, cloudpickle):
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            written = module.dumps({"a": [model, Service(model)]}, protocol=protocol)
            first, service = module.loads(written)["a"]
            check([first.tag(FEW[0]), service.answer(FEW[0])], wanted * 2)
    for module in (dill, cloudpickle):
        check([module.loads(module.dumps(lambda text: model.tag(text)))(FEW[0])], wanted)
    check([copy.copy(model).tag(FEW[0]), copy.deepcopy(Service(model)).answer(FEW[0])], wanted * 2)


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
    """Answer a text with its tags and the id of the process, as a WSGI application does."""
    text = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([os.getpid(), *SHARED.tag(text).tags("ner")]).encode()]


if __name__ == "__main__":
    if FORKS:  # a signal lets the program and its children say where their threads are
        faulthandler.register(signal.SIGUSR1)
    for name in sys.argv[3:]:
        globals()[name](*sys.argv[1:3])
        say(name)
elif "HABITS_MODEL" in os.environ:  # gunicorn imports the application before it forks its workers
    share(*json.loads(os.environ["HABITS_MODEL"]))
    list(SHARED.stream(TEXTS))
