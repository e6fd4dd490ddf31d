"""Scores of alarms about anomalies in series: of single steps, of labelled windows, and the score of NAB."""

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Literal, NamedTuple

from tagger.metrics.rates import ClassScore

PROBATION = 0.15  # share of a series in which detectors learn and NAB does not score
LONGEST = 5000  # steps of a series from which on the share does not grow
FAR = 3.0  # widths of a window behind it, from which on an alarm is as wrong as any


class Alarms(NamedTuple):
    """A series with labelled windows, and the steps at which a detector raises an alarm.

    Args:
        length: Number of steps.
        windows: The steps `[start, end)` of each anomaly, in order.
        steps: The steps with an alarm, in order.
    """

    length: int
    windows: tuple[tuple[int, int], ...]
    steps: tuple[int, ...]

    @classmethod
    def of(cls, gold: Sequence[bool], alarms: Sequence[bool]) -> "Alarms":
        """Return a series given for each step whether it is an anomaly and whether there is an alarm.

        Neighbouring steps with an anomaly are one window.

        Raises:
            ValueError: They are not equally many.
        """
        if len(gold) != len(alarms):
            raise ValueError(f"gold and alarms must have as many steps, got {len(gold)} and {len(alarms)}")
        return cls(len(gold), tuple(_runs(gold)), tuple([i for i, alarm in enumerate(alarms) if alarm]))

    def window_of(self, step: int) -> int | None:
        """Return the number of the window that a step is in."""
        return next((i for i, (start, end) in enumerate(self.windows) if start <= step < end), None)


def _runs(flags: Iterable[bool]) -> Iterable[tuple[int, int]]:
    """Yield start and end of each run of true values."""
    position = 0
    for value, run in groupby(map(bool, flags)):
        length = sum(1 for _ in run)
        if value:
            yield position, position + length
        position += length


def point_scores(series: Iterable[Alarms]) -> ClassScore:
    """Return precision, recall and F1 of steps: each step in a window must have an alarm, and no other may."""
    right = alarms = gold = 0
    for each in series:
        right += sum(each.window_of(step) is not None for step in each.steps)
        alarms += len(each.steps)
        gold += sum(end - start for start, end in each.windows)
    return ClassScore.from_counts(correct=right, predicted=alarms, gold=gold)


def window_scores(series: Iterable[Alarms]) -> ClassScore:
    """Return precision, recall and F1 of windows.

    A window is found if it has an alarm. Alarms at neighbouring steps outside of all windows are one false alarm.
    """
    found = false = gold = 0
    for each in series:
        places = {step: each.window_of(step) for step in each.steps}
        found += len(set(places.values()) - {None})
        false += sum(place is None and places.get(step - 1, 0) is not None for step, place in places.items())
        gold += len(each.windows)
    return ClassScore.from_counts(correct=found, predicted=found + false, gold=gold)


class Weights(NamedTuple):
    """What a found window, a false alarm and a missed window count in the score of NAB."""

    found: float
    false: float
    missed: float


Profile = Literal["standard", "few_false", "few_missed"]
PROFILES: dict[Profile, Weights] = {
    "standard": Weights(1.0, 0.11, 1.0),
    "few_false": Weights(1.0, 0.22, 1.0),
    "few_missed": Weights(1.0, 0.11, 2.0),
}


def nab_score(series: Iterable[Alarms], profile: Profile = "standard") -> float:
    """Return the score of the Numenta Anomaly Benchmark: 100 for a perfect detector, 0 for one without alarms.

    The first alarm in a window counts, the more the earlier it is. An alarm outside of the windows costs the more the
    further it is behind the last window. The first 15 % of a series do not count. NaN if no window counts.

    Args:
        series: The series, each with its alarms.
        profile: What the weights favour: nothing, few false alarms (`reward_low_FP_rate`) or few missed windows
            (`reward_low_FN_rate`).

    Source:
        Lavin and Ahmad (2015), "Evaluating Real-time Anomaly Detection Algorithms - the Numenta Anomaly Benchmark": the
        scaled sigmoid, the score of a file, and that of the benchmark. Positions in windows, and the first part that
        does not count, are those of their published implementation. Worked examples are in
        tests/metrics/numbers/test_anomalies.py.
    """
    weights = PROFILES[profile]
    total, count = 0.0, 0
    for each in series:
        total += nab_points(each, weights)
        count += len(_counted(each))
    nothing, perfect = -weights.missed * count, weights.found * count
    return 100 * (total - nothing) / (perfect - nothing) if count else math.nan


def nab_points(series: Alarms, weights: Weights, *, probation: int | None = None) -> float:
    """Return the score of one series before it is scaled.

    Args:
        series: The series with its alarms.
        weights: What hits and mistakes count.
        probation: Number of first steps that do not count; default: 15 %, at most 750.
    """
    first = _probation(series.length) if probation is None else probation
    best = {number: -weights.missed for number, (_, end) in enumerate(series.windows) if end > first}
    total = 0.0
    for step in series.steps:
        if step < first:
            continue
        number = series.window_of(step)
        if number is None:
            total += weights.false * nab_weight(_behind(series, step))
        else:
            start, end = series.windows[number]
            points = weights.found * nab_weight((step - end) / (end - start)) / nab_weight(-1.0)
            best[number] = max(best[number], points)
    return total + sum(best.values())


def nab_weight(position: float) -> float:
    """Return what an alarm counts, from 1 to -1, at a position in widths of a window: -1 is its start and 0 its end."""
    return -1.0 if position >= FAR else 2 / (1 + math.exp(5 * position)) - 1


def _behind(series: Alarms, step: int) -> float:
    """Return how far a step is behind the last window before it, in widths of that."""
    before = [(start, end) for start, end in series.windows if end <= step]
    if not before:
        return FAR
    start, end = before[-1]
    return (step - end + 1) / max(end - start - 1, 1)


def _counted(series: Alarms) -> list[tuple[int, int]]:
    """Return the windows that end after the steps that do not count."""
    return [window for window in series.windows if window[1] > _probation(series.length)]


def _probation(length: int) -> int:
    return math.ceil(min(math.floor(PROBATION * length), PROBATION * LONGEST))
