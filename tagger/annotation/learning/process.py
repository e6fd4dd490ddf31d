"""The process that trains, as the page keeps it: one for a project, started again if it was killed."""

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from tagger.errors import DataError
from tagger.files.writing import locked_by, one_sentence

COMMAND = (sys.executable, "-m", "tagger.annotation.learning.worker")
RESTART = 10.0  # seconds after which a process that ended by itself is started again


class TrainingProcess:
    """A process that trains for a project, and the lock that keeps other processes from training for it.

    Args:
        path: The file of the project.

    Raises:
        DataError: Another process has the lock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0.0
        with ExitStack() as lock, one_sentence(real := path.resolve()):
            if not lock.enter_context(locked_by(real.with_name(f".{real.name}.lock"))):
                raise DataError(
                    f"{path}: the project must be open once, but another process has it open; use the page of that "
                    "process, or end it first"
                )
            self._lock = lock.pop_all()

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def keep_running(self) -> None:
        """Start the process, if it is not there or was killed."""
        if self.is_running:
            return
        if self._process is None or time.monotonic() - self._began >= RESTART:
            self._end()
            self._process = subprocess.Popen(
                [*COMMAND, str(self._path)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
            )
            self._began = time.monotonic()

    def _end(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()

    def close(self) -> None:
        """End the process, then give the lock back."""
        self._end()
        self._lock.close()
