"""Curves as what an SVG picture needs: lines, dots and axes in the units of its box."""

from collections.abc import Sequence
from typing import Any

from tagger.metrics.section import Curve
from tagger.pages.palette import COLOURS, colour_of

LEFT, RIGHT, TOP, BOTTOM = 44, 312, 8, 204  # of the axes, in a box of 320 by 240
NUM_DOTS = 30  # a line of more points has no dots
DASHES = ("", "6 3", "2 2", "8 3 2 3")  # the next one when all colours are used


def draw(curve: Curve) -> dict[str, Any]:
    """Return the axes and lines of a curve, with figures as the template inserts them."""
    points = [point for line in curve.lines.values() for point in line]
    horizontal, vertical = (_ends([point[i] for point in points]) for i in (0, 1))

    def place(x: float, y: float) -> tuple[float, float]:
        return _scaled(x, horizontal, LEFT, RIGHT), _scaled(y, vertical, BOTTOM, TOP)

    return {
        "title": curve.title,
        "x": curve.x,
        "y": curve.y,
        "x_ticks": [{"at": _scaled(v, horizontal, LEFT, RIGHT), "text": f"{v:g}"} for v in _ticks(*horizontal)],
        "y_ticks": [{"at": _scaled(v, vertical, BOTTOM, TOP), "text": f"{v:g}"} for v in _ticks(*vertical)],
        "ideal": f"M{LEFT} {BOTTOM}L{RIGHT} {TOP}" if curve.diagonal else "",
        "lines": [
            {
                "name": name,
                "colour": colour_of(number),
                "dashes": DASHES[number // len(COLOURS) % len(DASHES)],
                "points": " ".join("{:g},{:g}".format(*place(*point)) for point in line),
                "dots": [place(*point) for point in line] if len(line) <= NUM_DOTS else [],
            }
            for number, (name, line) in enumerate(curve.lines.items())
        ],
    }


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of an axis: 0 and 1 for shares, otherwise from 0, or the least value below it, to the largest."""
    if all(0 <= value <= 1 for value in values):
        return 0.0, 1.0
    return min(0.0, *values), max(0.0, *values)


def _ticks(low: float, high: float) -> list[float]:
    return [round(low + (high - low) * i / 4, 10) for i in range(5)]


def _scaled(value: float, ends: tuple[float, float], start: float, end: float) -> float:
    return round(start + (value - ends[0]) / (ends[1] - ends[0]) * (end - start), 2)
