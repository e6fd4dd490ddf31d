"""Signals that ask a program to end: in order, after the current step, or with what it has so far."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], None] | signal.Handlers
ENDING = ("SIGTERM", "SIGHUP")  # beside SIGINT, which Python turns into KeyboardInterrupt; Windows has no SIGHUP
_RECEIVED: list[int] = []  # the signals since `cut_short` began


@contextmanager
def handled(handler: Handler, names: Sequence[str], *, only_handled: bool = False) -> Iterator[None]:
    """Call a function on signals within the context. One that is ignored, as SIGHUP is under `nohup`, stays ignored.

    Only the main thread receives signals; in others nothing changes.

    Args:
        handler: Called with the number of the signal; `SIG_IGN` ignores it.
        names: The signals; those that the system lacks are left out.
        only_handled: Whether to leave signals alone that would end the program.
    """
    is_main = threading.current_thread() is threading.main_thread()
    numbers = [getattr(signal, name) for name in names if is_main and hasattr(signal, name)]
    known = {number: signal.getsignal(number) for number in numbers}
    before = {n: old for n, old in known.items() if callable(old) or (old == signal.SIG_DFL and not only_handled)}
    for number in before:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


@contextmanager
def ended_in_order(error: Callable[[int], BaseException] = lambda number: SystemExit(128 + number)) -> Iterator[None]:
    """Within the context, raise an exception on SIGTERM and SIGHUP, so that half-written files are deleted.

    A signal that is ignored, as SIGHUP is under `nohup`, stays ignored.

    Args:
        error: Makes the exception from the signal's number.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        raise error(number)

    with handled(leave, ENDING):
        yield


@contextmanager
def cut_short() -> Iterator[None]:
    """Within the context, SIGTERM and SIGHUP interrupt as Ctrl-C does, so that a training keeps what it has.

    The program then ends with 128 and the signal's number, so that whoever sent the signal knows that work is missing.

    Raises:
        SystemExit: The context was left in order after such a signal.
    """
    _RECEIVED.clear()

    def interrupt(number: int) -> BaseException:
        _RECEIVED.append(number)
        return KeyboardInterrupt()

    with ended_in_order(interrupt):
        yield
    if ended_by := [number for number in _RECEIVED if number != signal.SIGINT]:
        raise SystemExit(128 + ended_by[0])


@contextmanager
def asked_to_stop(*, only_handled: bool = False) -> Iterator[list[int]]:
    """Collect signals that ask to stop within the context, so that a step can end; a second one interrupts at once.

    Args:
        only_handled: Whether to leave signals alone that would end the program.
    """
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        _RECEIVED.append(number)
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    with handled(note, (*ENDING, "SIGINT"), only_handled=only_handled):
        yield asked
