"""Random numbers from torch's global generators, which all threads share: one thread draws at a time.

First weights and the dropout of other libraries come from them. A thread that seeds a generator and then draws would
get other numbers if another thread drew in between.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_DRAWING = threading.RLock()


@contextmanager
def drawing() -> Iterator[None]:
    """Within the context no other thread is in such a context."""
    with _DRAWING:
        yield


@contextmanager
def drawing_from(generator: torch.Generator | None) -> Iterator[None]:
    """Let what draws from the global generators draw what a generator determines; they are then as before.

    Args:
        generator: Its device is that of the draws. None changes nothing.
    """
    if generator is None:
        yield
        return
    device = generator.device
    seed = int(torch.randint(2**62, (), generator=generator, device=device))
    with drawing(), torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)  # of this device alone
        yield


def _after_fork_in_child() -> None:
    global _DRAWING
    _DRAWING = threading.RLock()  # another thread may have held the one of the parent


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork_in_child)
