"""Make runs one after another in this process, or several at a time, each in a process of its own.

A run that fails does not end the others. Ctrl-C ends runs at work as it ends a single one. The processes ignore it
themselves, because a terminal sends it to all of them, and each must be asked only once.
"""

import multiprocessing
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any, Literal, NamedTuple, cast

from tagger.errors import TaggerError
from tagger.files.signals import ENDING, ended_in_order, handled
from tagger.running.run import RunListener, logger
from tagger.running.several.plans import Plan
from tagger.running.train import train
from tagger.training.loop import Epoch

REPORTED = 0.5  # seconds between two reports on the steps of a run


class Ending(NamedTuple):
    """How a run ended, and why it failed if it did."""

    how: Literal["finished", "stopped", "failed"]
    reason: str = ""


End = Callable[[Plan, Ending], None]


class GroupListener:
    """Receives the events of several runs; this base class writes notes and results to the log."""

    def began(self, name: str, of: int) -> None:
        """A run begins; `of` is the number of runs to be made."""

    def noted(self, name: str, message: str) -> None:
        """Log a note on what was found or begun in a run."""
        logger.info("%s: %s", name, message)

    def advanced(self, name: str, work: str, done: int, total: int) -> None:
        """So many tokens are done of work of a run outside its epochs, such as computing a feature."""

    def stepped(self, name: str, share: float) -> None:
        """A share of the steps of a run is done."""

    def scored(self, name: str, epoch: Epoch) -> None:
        """An epoch of a run ended."""

    def ended(self, name: str, result: str) -> None:
        """Log the result of a run in words: its scores, or why it has none."""
        logger.info("%s: %s", name, result)


class Follower(RunListener):
    """Passes the events of one run on, those of steps twice a second."""

    def __init__(self, send: Callable[..., None]) -> None:
        self._send, self._steps, self._due = send, 1, 0.0

    def noted(self, message: str) -> None:
        """Pass a note on."""
        self._send("noted", message)

    def advanced(self, work: str, done: int, total: int) -> None:
        """Pass on what is done."""
        self._send("advanced", work, done, total)

    def started(self, num_epochs: int, num_steps: int) -> None:
        """Store the number of steps."""
        self._steps = num_steps

    def stepped(self, step: int, loss: float, tokens_per_second: float) -> None:
        """Pass the share of steps on."""
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + REPORTED
            self._send("stepped", step / self._steps)

    def scored(self, epoch: Epoch) -> None:
        """Pass an epoch on."""
        self._send("scored", epoch)


def make_run(plan: Plan, send: Callable[..., None]) -> Ending:
    """Make a run, and return how it ended."""
    try:
        run = train(plan.recipe, output=plan.folder, listener=Follower(send), **plan.settings)
    except TaggerError as error:
        return Ending("failed", str(error))
    except KeyboardInterrupt:
        return Ending("stopped")
    return Ending("stopped" if run.outcome.interrupted else "finished")


def in_turn(plans: Sequence[Plan], listener: GroupListener, end: End) -> None:
    """Make runs one after another, until one is stopped. `end` is called when a run has ended."""
    for plan in plans:
        listener.began(plan.name, len(plans))
        ending = make_run(plan, lambda event, *facts, name=plan.name: getattr(listener, event)(name, *facts))
        end(plan, ending)
        if ending.how == "stopped":
            return


class Processes:
    """Makes runs in processes, several at a time.

    Args:
        plans: The runs.
        jobs: The number of runs at a time.
        listener: Receives the events of the runs.
        end: Called when a run has ended.
    """

    def __init__(self, plans: Sequence[Plan], jobs: int, listener: GroupListener, end: End) -> None:
        self._waiting, self._jobs, self._listener, self._end = list(plans), jobs, listener, end
        self._total, self._stopped = len(plans), False
        self._working: dict[Connection, tuple[Plan, SpawnProcess]] = {}

    def run(self) -> None:
        """Make all runs. The first signal asks those at work to end in order, the second one kills them."""
        with handled(self._stop, (*ENDING, "SIGINT")):
            while self._working or (self._waiting and not self._stopped):
                while self._waiting and len(self._working) < self._jobs and not self._stopped:
                    self._begin(self._waiting.pop(0))
                for connection in wait(list(self._working)):
                    self._attend(cast(Connection, connection))

    def _stop(self, number: int, frame: FrameType | None) -> None:
        for _, process in list(self._working.values()):
            if self._stopped:
                process.kill()
            else:
                process.terminate()
        self._stopped = True

    def _begin(self, plan: Plan) -> None:
        """Start the process of a run. It inherits what it ignores, because it must do so from its first moment."""
        self._listener.began(plan.name, self._total)
        context = multiprocessing.get_context("spawn")  # a fork of a process in which torch has run may hang
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(plan, theirs), name=plan.name)
        with handled(signal.SIG_IGN, ("SIGINT", "SIGHUP")):
            process.start()
        theirs.close()
        self._working[ours] = plan, process
        if self._stopped:  # in the meantime
            process.terminate()

    def _attend(self, connection: Connection) -> None:
        """Take a message from the process of a run."""
        plan, process = self._working[connection]
        try:
            event, *facts = connection.recv()
        except EOFError:
            event, facts = "made", [None]
        if event != "made":
            getattr(self._listener, event)(plan.name, *facts)
            return
        process.join()
        del self._working[connection]
        connection.close()
        self._end(plan, facts[0] or self._killed(process.exitcode or 0))

    def _killed(self, code: int) -> Ending:
        """Return how a run ended whose process said nothing at its end."""
        if self._stopped and code < 0:
            return Ending("stopped")
        how = f"signal {-code}, perhaps for lack of memory; use fewer jobs" if code < 0 else f"exit code {code}"
        return Ending("failed", f"the process of the run ended with {how}")


def _work(plan: Plan, connection: Connection) -> None:
    """Make a run in a process of its own, and report on it through a connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # not inherited on Windows

    alone = threading.Event()

    def send(*message: Any) -> None:
        try:
            if not alone.is_set():
                connection.send(message)
        except OSError:  # the main process was killed; the run ends in order
            alone.set()
            raise KeyboardInterrupt from None

    def stop(number: int) -> BaseException:
        signal.signal(number, signal.SIG_IGN)  # the run ends in order from now on
        return KeyboardInterrupt()

    with ended_in_order(stop):
        ending = make_run(plan, send)
        with suppress(KeyboardInterrupt):
            send("made", ending)
