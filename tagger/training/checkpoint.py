"""The state of a training, from which it goes on as if it had never been cut, and when that is kept.

A state is tensors and values of JSON: weights, optimisers, averages, random numbers, the order of the batches and how
many of them are done, the best weights so far and the log.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor

from tagger.errors import RecipeError
from tagger.wording import shorten

EVERY = "5m"
FORM = re.compile(r"(?P<minutes>\d+(\.\d+)?)m|(?P<steps>[1-9]\d*)")


class Saved(NamedTuple):
    """Tensors by name, and values of JSON."""

    tensors: Mapping[str, Tensor]
    values: Mapping[str, Any]

    def part(self, name: str) -> "Saved | None":
        """Return one of the states that `joined` has put together; None if it has no state of this name."""
        if name not in self.values:
            return None
        inside = {key: tensor for key, tensor in self.tensors.items() if key.startswith(f"{name}.")}
        return Saved({key.removeprefix(f"{name}."): tensor for key, tensor in inside.items()}, self.values[name])


def joined(parts: Mapping[str, Saved]) -> Saved:
    """Return several states as one."""
    tensors = {f"{name}.{key}": tensor for name, part in parts.items() for key, tensor in part.tensors.items()}
    return Saved(tensors, {name: part.values for name, part in parts.items()})


class Every(NamedTuple):
    """How often a state is kept: after so many steps, or after so many minutes."""

    steps: int | None = None
    minutes: float | None = None

    @classmethod
    def parse(cls, text: str | int) -> "Every":
        """Return what `500` (steps) or `5m` (minutes) means.

        Raises:
            RecipeError: It is neither.
        """
        found = FORM.fullmatch(str(text))
        if found is None:
            raise RecipeError(
                f"checkpoints must be written every so many steps, such as 500, or minutes, such as 5m, got "
                f"{shorten(str(text))}"
            )
        if found["steps"] is not None:
            return cls(steps=int(found["steps"]))
        return cls(minutes=float(found["minutes"]))


@dataclass
class Checkpoints:
    """Where the states of a training go, and the one that it begins with.

    Args:
        write: Keeps a state.
        every: How often; None: never.
        found: The state to go on from.
    """

    write: Callable[[Saved], None] = lambda saved: None
    every: Every | None = None
    found: Saved | None = None
    _steps: int = field(init=False, default=0)
    _written: float = field(init=False, default_factory=time.monotonic)

    def stepped(self, state: Callable[[], Saved]) -> None:
        """Count a step, and keep the state if it is time to."""
        self._steps += 1
        if self.every is None:
            return
        steps, minutes = self.every
        if self._steps >= steps if steps else time.monotonic() >= self._written + 60 * (minutes or 0):
            self.write(state())
            self._steps, self._written = 0, time.monotonic()

    def begun_with(self, name: str) -> Saved | None:
        """Return a part of the state to go on from, if there is one."""
        return self.found and self.found.part(name)
