"""`tagger train --processes N`: the same command N times, as `torchrun` starts it, and an end if one of them dies."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from types import FrameType
from typing import IO

from tagger.errors import TaggerError
from tagger.files.signals import ENDING, handled
from tagger.wording import visible

GRACE = 5.0  # seconds in which the first process may say itself what is wrong
PAUSE = 0.1  # seconds between two looks at the processes


def without_processes(arguments: Sequence[str], processes: int, threads: int | None) -> list[str]:
    """Return the arguments of a command without `--processes`, and with threads for each process."""
    found: list[str] = []
    values = iter(arguments)
    for argument in values:
        if argument == "--processes":
            next(values)
        elif not argument.startswith("--processes="):
            found.append(argument)
    each = max(1, (os.cpu_count() or 1) // processes)
    return found if threads is not None else [*found[:1], "--threads", str(each), *found[1:]]


def launch(arguments: Sequence[str], processes: int) -> int:
    """Run a command in several processes that train together, and return the exit code of the first.

    Args:
        arguments: Those of `tagger`, without the number of processes.
        processes: Their number.

    Raises:
        TaggerError: One of them died; the others are ended.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {**os.environ, "WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    started: list[subprocess.Popen[bytes]] = []
    with ExitStack() as stack:
        said = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(1, processes)]
        stack.callback(_end, started)
        stack.enter_context(_passed_on(started))
        for rank in range(processes):
            environment = {**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)}
            command = [sys.executable, "-m", "tagger", *arguments]
            out, err = (None, None) if rank == 0 else (subprocess.DEVNULL, said[rank - 1])  # the first one speaks
            process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            started.append(process)
        return _waited_for(started, said)


def _end(started: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in started:
        process.kill()
        process.wait()


def _waited_for(started: Sequence["subprocess.Popen[bytes]"], said: Sequence[IO[bytes]]) -> int:
    """Return the exit code of the first process once all have ended."""
    first = started[0]
    while any(process.poll() is None for process in started):
        failed = [rank for rank, process in enumerate(started) if process.poll() not in (None, 0)]
        if failed:
            until = time.monotonic() + GRACE  # in which the others notice it
            while any(process.poll() is None for process in started) and time.monotonic() < until:
                time.sleep(PAUSE)
            break
        time.sleep(PAUSE)
    codes = [process.poll() for process in started]
    if codes[0] == 0:  # the run is whole, however the others ended after it
        return 0
    culprit = next((rank for rank, code in enumerate(codes) if code is not None and code < 0), None)
    if culprit is None and codes[0] in (None, 0):
        culprit = next((rank for rank, code in enumerate(codes) if code), None)
    if culprit is not None:
        raise TaggerError(_why(culprit, codes[culprit] or 0, None if culprit == 0 else said[culprit - 1]))
    return first.returncode


def _why(rank: int, code: int, said: IO[bytes] | None) -> str:
    """Return why a process died, as it said itself or as its exit code says."""
    lines: list[str] = []
    if said is not None and code > 0:
        said.seek(0)
        lines = [line for line in said.read().decode("utf-8", "replace").splitlines() if line.strip()]
    reason = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    last = f": {visible(lines[-1].removeprefix('error: '))}" if lines else ""
    advice = "the others are ended; --resume goes on from the last checkpoint"
    return f"process {rank + 1} of the training {reason}{last}; {advice}"


def _passed_on(started: Sequence["subprocess.Popen[bytes]"]) -> AbstractContextManager[None]:
    """Pass signals on to the processes within the context. A terminal sends Ctrl-C to all of them itself."""

    def pass_on(number: int, frame: FrameType | None) -> None:
        for process in started:
            if process.poll() is None and not (number == signal.SIGINT and sys.stdin.isatty()):
                process.send_signal(number)

    return handled(pass_on, (*ENDING, "SIGINT"))
