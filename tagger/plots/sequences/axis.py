"""Where the steps of a sequence are on the horizontal axis: at their times, their numbers or their positions."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DAY = 86_400.0  # seconds; dates are drawn in days since 1970


class Axis(NamedTuple):
    """The places of steps.

    Args:
        places: One for each step, in days since 1970 if `is_date`.
        name: What they are, with their unit.
        is_date: Whether they are dates.
    """

    places: NDArray[np.float64]
    name: str
    is_date: bool = False

    @property
    def edges(self) -> NDArray[np.float64]:
        """The ends of the steps: halfway between neighbours, one more than steps."""
        half = self.step / 2
        inner = (self.places[1:] + self.places[:-1]) / 2
        return np.concatenate([self.places[:1] - half, inner, self.places[-1:] + half])

    @property
    def step(self) -> float:
        """How far a step is from the next, in the middle."""
        gaps = np.diff(self.places)
        return float(np.median(gaps)) if len(gaps) and gaps.any() else 1.0

    def behind(self, number: int) -> NDArray[np.float64]:
        """Return the places of steps behind the last one."""
        return np.asarray(self.places[-1] + self.step * np.arange(1, number + 1))


def axis_of(names: Sequence[str], *, seconds: bool = False) -> Axis:
    """Return the axis of steps with these names: times, numbers, or other names, which give way to their positions.

    Args:
        names: The tokens of a sequence.
        seconds: Whether numbers are seconds, as those of recordings.
    """
    for axis in (_of_numbers(names, seconds=seconds), _of_dates(names)):
        if axis is not None and (np.diff(axis.places) >= 0).all():
            return axis
    return positions(len(names))


def positions(number: int) -> Axis:
    """Return the axis of symbols, whose positions count from 1."""
    return Axis(np.arange(1.0, number + 1), "position")


def _of_numbers(names: Sequence[str], *, seconds: bool) -> Axis | None:
    try:
        places = np.array([float(name) for name in names])
    except ValueError:
        return None
    counted = all(name.isdecimal() for name in names) and (np.diff(places) == 1).all()
    if not np.isfinite(places).all():
        return None
    return Axis(places, "time (seconds)" if seconds else "step" if counted else "time")


def _of_dates(names: Sequence[str]) -> Axis | None:
    try:
        dates = [datetime.fromisoformat(name) for name in names]
    except ValueError:
        return None
    places = [(date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() / DAY for date in dates]
    return Axis(np.array(places), "time (UTC)" if any(date.tzinfo for date in dates) else "time", is_date=True)
