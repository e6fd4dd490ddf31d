"""Load a service with many clients at once: speed, times, and whether each answer belongs to its text.

    python scripts/benchmark_service.py --data DIR

The texts are the dev sentences of EWT with 15 to 25 tokens. The same texts are also tagged in this process, up to JSON
objects. The service is then measured with one text and with 32 texts per request.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any

from arguments import existing_folder, run_script, whole_number, writable_file, write_json

import tagger

PORT, PATIENCE = 8917, 60
TEXTS = "pos/ud-english-ewt/en_ewt-ud-dev.conllu"


@dataclass
class Load:
    """What clients saw.

    Args:
        clients: Number of clients that ask at once.
        texts: Number of texts in a request.
        seconds: Time of the whole measurement.
        times: Seconds of each request.
        wrong: Answers with another status, without a result, or with the result of another text.
    """

    clients: int
    texts: int
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    wrong: int = 0

    def figures(self, stream: float) -> dict[str, Any]:
        """Return the figures; `stream` is the number of texts per second without a service."""
        cuts = quantiles(self.times, n=100)
        per_second = len(self.times) * self.texts / self.seconds
        return {
            "clients": self.clients,
            "texts per request": self.texts,
            "requests": len(self.times),
            "wrong": self.wrong,
            "requests per second": round(len(self.times) / self.seconds, 1),
            "texts per second": round(per_second, 1),
            "share of the library": round(per_second / stream, 2),
            "median ms": round(1000 * cuts[49], 1),
            "p99 ms": round(1000 * cuts[98], 1),
        }


@contextlib.contextmanager
def service(model: str, workers: int) -> Iterator[None]:
    """Run a service while the context lasts."""
    command = [sys.executable, "-m", "tagger", "serve", model, "--port", str(PORT), "--workers", str(workers)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        asyncio.run(_until_ready())
        yield
    finally:
        process.terminate()
        process.wait()


async def _until_ready() -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", PORT)
            writer.close()
            return
        if time.monotonic() > deadline:
            raise TimeoutError("the service did not start")
        await asyncio.sleep(0.1)


async def load(texts: Sequence[str], *, clients: int, size: int, seconds: float) -> Load:
    """Let clients ask for as long as the time lasts, each over a connection of its own."""
    found, requests = Load(clients, size), [_request(texts, i, size) for i in range(0, len(texts) - size, size)]
    started = time.perf_counter()

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        turn = number * 7
        while time.perf_counter() < started + seconds:
            turn += 1
            body, asked = requests[turn % len(requests)]
            begun = time.perf_counter()
            writer.write(body)
            answer = await _answer(reader)
            found.times.append(time.perf_counter() - begun)
            found.wrong += [row["text"] for row in answer.get("results", ())] != asked
        writer.close()

    await asyncio.gather(*map(client, range(clients)))
    found.seconds = time.perf_counter() - started
    return found


def _request(texts: Sequence[str], first: int, size: int) -> tuple[bytes, list[str]]:
    asked = list(texts[first : first + size])
    body = json.dumps({"texts": asked}).encode()
    return b"POST /tag HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body), asked


async def _answer(reader: asyncio.StreamReader) -> dict[str, Any]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    answer: dict[str, Any] = json.loads(await reader.readexactly(length))
    return answer


def texts_of(data: Path) -> list[str]:
    """Return the texts of sentences with 15 to 25 tokens."""
    keys = {"format": "conllu", "train": str(data / TEXTS), "dev": str(data / TEXTS)}
    return [s.text for s in tagger.load_corpus(**keys).dev if 15 <= len(s) <= 25]


def stream_speed(model: str, texts: Sequence[str]) -> float:
    """Return the texts per second of the library in this process, one text after the other in."""
    loaded, count = tagger.load(model, backend="numpy"), 0
    deque(loaded.stream(texts), 0)
    started = time.perf_counter()
    while time.perf_counter() < started + 5:
        rows = [document.to_dict() for document in loaded.tag_documents(texts)]
        count += len(json.loads(json.dumps(rows)))
    return count / (time.perf_counter() - started)


def main(given: Sequence[str] | None = None) -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--data", type=existing_folder, required=True, help="folder of corpora")
    add("--model", default="english", help="what the service has")
    add("--clients", type=whole_number(1), default=64)
    add("--seconds", type=whole_number(1), default=60)
    add("--workers", type=whole_number(1), default=1)
    add("--json", type=writable_file, help="file to write the figures to")
    arguments = parser.parse_args(given)
    texts = texts_of(arguments.data)
    stream = stream_speed(arguments.model, texts)
    rows = []
    with service(arguments.model, arguments.workers):
        for size in (1, 32):
            found = asyncio.run(load(texts, clients=arguments.clients, size=size, seconds=arguments.seconds))
            rows.append(found.figures(stream))
    figures = {"library, texts per second": round(stream, 1), "workers": arguments.workers, "loads": rows}
    if arguments.json is not None:
        write_json(arguments.json, figures)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    run_script(main)
