"""The parts of a picture of reports: one function draws any curve, one any matrix."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tagger.metrics.section import Curve, Table
from tagger.pages.palette import LINES, line_style
from tagger.plots.chart import add_axes
from tagger.plots.heat_maps import CELL_HEIGHT, CELL_WIDTH, LETTER, LONGEST, draw_map, write_number
from tagger.plots.labels import name_of, shortened
from tagger.plots.reports.groups import Band, mean_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, TITLE = 4.2, 3.2, 0.35  # inches: a panel with lines, and its title
FEW = 20  # points of a line that all have a marker; of a longer one only some have
ROUND = 100_000  # numbers from here on are written in thousands
Bands = Mapping[tuple[int, str], Band]  # by the number of a group and the name of the line


class Panel(NamedTuple):
    """A part of the chart: `draw(figure, left, top)` draws it. Sizes are in inches; `above` is for its labels.

    `alone` is whether it has a row of its own.
    """

    width: float
    height: float
    above: float
    alone: bool
    draw: "Callable[[Figure, float, float], None]"


def lines_panel(curve: Curve, bands: Bands, layer: str, *, several: bool) -> Panel:
    """Return the panel of a curve.

    Args:
        curve: Its title and axes.
        bands: Its lines.
        layer: The layer.
        several: Whether there are several groups: then colours and markers are those of groups, else those of lines.
    """

    def draw(figure: "Figure", left: float, top: float) -> None:
        axes = add_axes(figure, left=left, top=top, width=WIDTH, height=HEIGHT)
        _draw_lines(axes, bands, several=several)
        axes.set(xlabel=curve.x, ylabel=curve.y)
        axes.set_title(shortened(f"{name_of(layer)}: {curve.title}", 60), loc="left", fontsize=10, fontweight="bold")
        if all(0 <= x <= 1 for band in bands.values() for x in band.x):
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        if curve.diagonal:
            axes.plot([0, 1], [0, 1], color="#8a8f98", linewidth=0.8)
        axes.grid(color="#e4e6ea", linewidth=0.7)
        axes.set_axisbelow(True)

    return Panel(WIDTH, HEIGHT, TITLE, False, draw)


def _draw_lines(axes: "Axes", bands: Bands, *, several: bool) -> None:
    from matplotlib.lines import Line2D

    names = list(dict.fromkeys(name for _, name in bands))
    handles: dict[str, Line2D] = {}
    for (group, name), band in bands.items():
        style = line_style(group if several else names.index(name))
        style["linestyle"] = list(LINES.values())[names.index(name) % len(LINES)] if several else style["linestyle"]
        every = 1 if len(band.x) <= FEW else 0.1
        (line,) = axes.plot(band.x, band.mean, **style, markersize=4, markevery=every)
        if band.low != band.high:
            axes.fill_between(band.x, band.low, band.high, color=style["color"], alpha=0.2, linewidth=0)
        handles[name] = Line2D([], [], color="#1b1d21", linestyle=style["linestyle"]) if several else line
    if len(names) > 1:
        axes.legend(
            handles.values(), [shortened(name_of(name), LONGEST) for name in handles], fontsize=8, frameon=False
        )


def matrix_panel(tables: Sequence[Table], layer: str, group: str) -> Panel:
    """Return the panel of a shaded table: the mean of those of a group, whose name is given if there are several."""
    rows, columns, values = mean_table(tables)
    above = LETTER * min(max(map(len, columns)), LONGEST) + TITLE
    title = f"{name_of(layer)}: {tables[0].title}, {tables[0].columns[0]}"
    title += f", mean of {len(tables)} runs" if len(tables) > 1 else ""
    title = f"{title}, {name_of(group)}" if group else title

    def draw(figure: "Figure", left: float, top: float) -> None:
        shares = values / np.maximum(values.sum(1, keepdims=True), 1e-12)
        axes = draw_map(figure, shares, top, rows=rows, columns=columns, colours="Blues", low=0.0, high=1.0)
        for row, column in np.argwhere(values > 0):
            write_number(axes, row, column, _written(values[row, column]), strength=shares[row, column])
        axes.set_xlabel(f"{title}; colour: share of the row", loc="left")

    return Panel(CELL_WIDTH * len(columns), CELL_HEIGHT * len(rows), above, True, draw)


def _written(number: float) -> str:
    if number >= ROUND:
        return f"{number / 1000:.0f}k"
    return f"{number:.0f}" if number == round(number) or number >= ROUND / 100 else f"{number:.1f}"
