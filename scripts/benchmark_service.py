"""Load a service with many clients at once: speed, times, memory, and whether each answer is that of its text.

    python scripts/benchmark_service.py --data DIR
    python scripts/benchmark_service.py --data DIR --requests 100000
    python scripts/benchmark_service.py --data DIR --kill --workers 2

The texts are the dev sentences of EWT with 15 to 25 tokens. The library tags the same texts in this process, up to JSON
objects, and each answer must have the same tags. The service is measured with one text and with 32 texts per request.
With `--requests`, the memory of the service is noted every 10,000 requests of one text. With `--kill`, it is stopped,
killed and started again all the time.
"""

import argparse
import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from types import TracebackType
from typing import Any, Self

from arguments import existing_folder, run_script, whole_number, writable_file, write_json

import tagger

PORT, PATIENCE, PAUSE = 8917, 120, 3
EVERY = 10_000  # requests between two notes of the memory
TEXTS = "pos/ud-english-ewt/en_ewt-ud-dev.conllu"
Tags = dict[str, list[str]]


@dataclass
class Load:
    """What clients saw.

    Args:
        clients: Number of clients that ask at once.
        texts: Number of texts in a request.
        seconds: Time of the whole measurement.
        times: Seconds of each request that was answered.
        wrong: Answers with another status, without a result, or with the result of another text.
        refused: Requests whose connection was refused or cut, or that were answered with 503.
        memory: Megabytes of the service after each `EVERY` requests.
        ends: How often the service or one of its processes was ended, by how.
    """

    clients: int
    texts: int
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    wrong: int = 0
    refused: int = 0
    memory: list[float] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)

    def figures(self, stream: float) -> dict[str, Any]:
        """Return the figures; `stream` is the number of texts per second without a service."""
        cuts = quantiles(self.times, n=100)
        per_second = len(self.times) * self.texts / self.seconds
        found = {
            "clients": self.clients,
            "texts per request": self.texts,
            "requests": len(self.times),
            "wrong": self.wrong,
            "refused": self.refused,
            "requests per second": round(len(self.times) / self.seconds, 1),
            "texts per second": round(per_second, 1),
            "share of the library": round(per_second / stream, 2),
            "median ms": round(1000 * cuts[49], 1),
            "p99 ms": round(1000 * cuts[98], 1),
        }
        more = {"memory in MB": [round(each, 1) for each in self.memory], "ends": self.ends}
        return found | {name: value for name, value in more.items() if value}


class Service:
    """A service, which runs while the context lasts.

    Args:
        model: What it has.
        workers: Number of its processes.
    """

    def __init__(self, model: str, workers: int) -> None:
        self.command = [sys.executable, "-m", "tagger", "serve", model]
        self.command += ["--port", str(PORT), "--workers", str(workers)]
        self.workers = workers
        self.process: subprocess.Popen[bytes]

    def __enter__(self) -> Self:
        asyncio.run(self.start())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        self.process.wait()

    async def start(self) -> None:
        """Start it, and return when it answers; the port may be taken for a moment."""
        self.process = subprocess.Popen(self.command, stderr=subprocess.DEVNULL)
        async with asyncio.timeout(PATIENCE):
            while not await _is_ready():
                if self.process.poll() is not None:
                    self.process = subprocess.Popen(self.command, stderr=subprocess.DEVNULL)
                await asyncio.sleep(0.1)

    async def end(self, number: signal.Signals) -> None:
        """Send it a signal, and start it again when it has ended."""
        self.process.send_signal(number)
        await asyncio.to_thread(self.process.wait)
        while await _is_ready():  # processes of a service that was killed end after it
            await asyncio.sleep(0.1)
        await self.start()

    async def end_one(self) -> None:
        """Kill one of its processes, which it starts again."""
        while not (pids := self.children()):
            await asyncio.sleep(0.1)
        os.kill(pids[0], signal.SIGKILL)

    def children(self) -> list[int]:
        """Return the processes that tag, if there are several (Linux)."""
        if self.workers == 1:
            return []
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def megabytes(self) -> float:
        """Return the memory of all its processes (Linux)."""
        pids = [self.process.pid, *self.children()]
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
        return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


async def load(
    texts: Sequence[str], tags: Sequence[Tags], service: Service, *, clients: int, size: int, going: Callable[..., bool]
) -> Load:
    """Let clients ask for as long as `going` says of what they saw, each over a connection of its own."""
    found, starts = Load(clients, size), range(0, len(texts) - size, size)
    requests = [_request(texts[i : i + size]) for i in starts]
    wanted = [list(zip(texts[i : i + size], tags[i : i + size], strict=True)) for i in starts]
    started = time.perf_counter()

    async def client(number: int) -> None:
        turn, connection = number * 7, None
        while going(found):
            turn += 1
            place, begun = turn % len(requests), time.perf_counter()
            try:
                connection = connection or await asyncio.open_connection("127.0.0.1", PORT)
                connection[1].write(requests[place])
                status, answer = await _answer(connection[0])
            except (OSError, asyncio.IncompleteReadError):
                if connection is not None:
                    connection[1].close()
                connection = None
                found.refused += 1
                await asyncio.sleep(0.05)
                continue
            if status == 503:
                found.refused += 1
                continue
            found.times.append(time.perf_counter() - begun)
            found.wrong += [(row["text"], row["tags"]) for row in answer.get("results", ())] != wanted[place]
            if len(found.times) % EVERY == 0:
                found.memory.append(service.megabytes())
        if connection is not None:
            connection[1].close()

    await asyncio.gather(*map(client, range(clients)))
    found.seconds = time.perf_counter() - started
    return found


async def load_and_end(service: Service, seconds: int, found: Callable[..., Any]) -> Load:
    """Return what clients see while the service, or a process of it, is ended and started again all the time."""
    over, ends = asyncio.Event(), dict[str, int]()
    task = asyncio.ensure_future(found(going=lambda load: not over.is_set()))
    deadline = time.perf_counter() + seconds
    ways = ["SIGTERM", "SIGKILL", *(["SIGKILL of a process"] if service.workers > 1 else [])]
    for way in itertools.cycle(ways):
        await asyncio.sleep(PAUSE)
        if time.perf_counter() > deadline:
            break
        ends[way] = ends.get(way, 0) + 1
        if way in ("SIGTERM", "SIGKILL"):
            await service.end(signal.Signals[way])
        else:
            await service.end_one()
    over.set()
    result: Load = await task
    result.ends = ends
    return result


def _request(texts: Sequence[str]) -> bytes:
    body = json.dumps({"texts": list(texts)}).encode()
    return b"POST /tag HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def _is_ready() -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        writer.write(b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        status, _ = await _answer(reader)
        writer.close()
    except (OSError, asyncio.IncompleteReadError):
        return False
    return status == 200


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    answer: dict[str, Any] = json.loads(await reader.readexactly(length))
    return int(head.split()[1]), answer


def texts_of(data: Path) -> list[str]:
    """Return the texts of sentences with 15 to 25 tokens."""
    keys = {"format": "conllu", "train": str(data / TEXTS), "dev": str(data / TEXTS)}
    return [s.text for s in tagger.load_corpus(**keys).dev if 15 <= len(s) <= 25]


def stream_speed(model: str, texts: Sequence[str]) -> tuple[float, list[Tags]]:
    """Return the texts per second of the library in this process, one text after the other in, and their tags."""
    loaded, count = tagger.load(model, backend="numpy"), 0
    deque(loaded.stream(texts), 0)
    started = time.perf_counter()
    while time.perf_counter() < started + 5:
        rows = json.loads(json.dumps([document.to_dict() for document in loaded.tag_documents(texts)]))
        count += len(rows)
    return count / (time.perf_counter() - started), [row["tags"] for row in rows]


def main(given: Sequence[str] | None = None) -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=existing_folder, required=True, help="folder of corpora")
    add("--model", default="english", help="what the service has")
    add("--clients", type=whole_number(1), default=64)
    add("--seconds", type=whole_number(1), default=60)
    add("--workers", type=whole_number(1), default=1)
    add("--requests", type=whole_number(EVERY), help="number of requests instead of a time, with the memory")
    add("--kill", action="store_true", help="end the service and its processes all the time")
    add("--json", type=writable_file, help="file to write the figures to")
    arguments = parser.parse_args(given)
    texts = texts_of(arguments.data)
    stream, tags = stream_speed(arguments.model, texts)
    rows = []

    def measured(size: int) -> Load:
        with Service(arguments.model, arguments.workers) as service:

            async def clients(going: Callable[..., bool]) -> Load:
                return await load(texts, tags, service, clients=arguments.clients, size=size, going=going)

            if arguments.kill:
                return asyncio.run(load_and_end(service, arguments.seconds, clients))
            if arguments.requests:
                return asyncio.run(clients(lambda found: len(found.times) < arguments.requests))
            end = time.perf_counter() + arguments.seconds
            return asyncio.run(clients(lambda found: time.perf_counter() < end))

    for size in (1,) if arguments.requests or arguments.kill else (1, 32):
        rows.append(measured(size).figures(stream))
    figures = {"library, texts per second": round(stream, 1), "workers": arguments.workers, "loads": rows}
    if arguments.json is not None:
        write_json(arguments.json, figures)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    run_script(main)
