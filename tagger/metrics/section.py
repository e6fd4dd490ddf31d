"""One part of a report, such as the confusion of types: text, JSON and pages are made of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Cell = str | int | float | None
Points = tuple[tuple[float, float], ...]  # (x, y)


@dataclass(frozen=True, slots=True)
class Table:
    """Figures in rows.

    Args:
        columns: The names of the columns.
        rows: One cell for each column. Floats are shares and are written with four digits; None is undefined.
        title: What the table has, if its section has several.
        shaded: Whether a page colours the cells by their values.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    shaded: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """Lines through points.

    Args:
        title: What the lines are.
        x: What the horizontal axis has.
        y: What the vertical axis has.
        lines: The points of each line, by its name.
        diagonal: Whether the ideal is the diagonal.
    """

    title: str
    x: str
    y: str
    lines: Mapping[str, Points]
    diagonal: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report of a layer.

    Args:
        key: Its key in the JSON form of the layer.
        title: Its heading.
        note: What the figures mean, in words.
        data: The figures as JSON values.
        brief: The most important figures as lines of text, five at most.
        tables: All figures.
        curves: What is better seen as a picture.
    """

    key: str
    title: str
    note: str
    data: Any
    brief: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    curves: tuple[Curve, ...] = field(default=())
