"""Reports as charts: the curves and matrices of all their sections, and scores by the number of train sentences."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.errors import DataError
from tagger.metrics.section import Curve
from tagger.pages.palette import line_style
from tagger.plots.chart import new_figure
from tagger.plots.labels import name_of, shortened
from tagger.plots.picture import Picture
from tagger.plots.reports.drawing import WIDTH, Panel, lines_panel, matrix_panel
from tagger.plots.reports.groups import Group, by_size, curves_of, grouped, matrices_of
from tagger.reporting.report import load_report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 2  # panels with lines in a row
BESIDE, BELOW = 0.9, 0.65  # inches around a panel, for the labels of its axes


def report(*paths: str | Path, layer: str | None = None) -> Picture:
    """Return the curves and matrices of saved reports; those of runs that differ only in their seed have one mean line.

    The band around a mean reaches from the lowest to the highest run. Runs on train sets of several sizes also have
    their scores by size.

    Args:
        paths: Reports saved as JSON, or run folders.
        layer: The layer; default: all of them.

    Raises:
        DataError: No report is given, one cannot be read, or none has the layer or anything to draw.
    """
    if not paths:
        raise DataError("expected at least one report to draw, got none; pass what `tagger evaluate --output` wrote")
    files = [Path(path) for path in paths]
    groups = grouped(files, [load_report(path) for path in files])
    found = list(dict.fromkeys(name for group in groups for report in group.reports for name in report.layers))
    if layer is not None and layer not in found:
        names = ", ".join(f"`{name_of(name)}`" for name in found)
        raise DataError(f"no report has a layer `{name_of(layer)}`; choose {names}")
    panels = {name: _panels(groups, name) for name in (found if layer is None else [layer])}
    if not any(panels.values()):
        raise DataError("there is nothing to draw: expected reports of predictions with probabilities, or with errors")
    return Picture("Report", figure=lambda: _figure(groups, [row for each in panels.values() for row in _rows(each)]))


def _panels(groups: Sequence[Group], layer: str) -> list[Panel]:
    several, sizes = len(groups) > 1, by_size(groups, layer)
    panels = []
    if sizes:
        bands = {(0, name): band for name, band in sizes.items()}
        panels.append(lines_panel(_learning_curve(groups, layer), bands, layer, several=False))
    panels += [lines_panel(curve, bands, layer, several=several) for curve, bands in curves_of(groups, layer)]
    return panels + [
        matrix_panel(tables, layer, group.name if several else "")
        for group in groups
        for tables in matrices_of(group, layer)
    ]


def _learning_curve(groups: Sequence[Group], layer: str) -> Curve:
    kind = next(report.layers[layer].kind for group in groups for report in group.reports if layer in report.layers)
    return Curve("Learning curve", "train sentences", "F1, strict" if kind == "entities" else "accuracy", {})


def _figure(groups: Sequence[Group], rows: Sequence[Sequence[Panel]]) -> "Figure":
    width = max(sum(panel.width for panel in row) + BESIDE * (len(row) - 1) for row in rows)
    heights = [max(panel.height + panel.above for panel in row) + BELOW for row in rows]
    figure, top = new_figure(width=width, height=sum(heights)), 0.0
    for row, height in zip(rows, heights, strict=True):
        for number, panel in enumerate(row):
            panel.draw(figure, number * (WIDTH + BESIDE), top + panel.above)
        top += height
    if len(groups) > 1 or any(len(group.reports) > 1 for group in groups):
        _legend(figure, groups)
    return figure


def _rows(panels: Sequence[Panel]) -> Iterator[list[Panel]]:
    """Yield the panels of each row: two with lines, or one matrix."""
    lines = [panel for panel in panels if not panel.alone]
    yield from (lines[start : start + COLUMNS] for start in range(0, len(lines), COLUMNS))
    yield from ([panel] for panel in panels if panel.alone)


def _legend(figure: "Figure", groups: Sequence[Group]) -> None:
    """Add the names of the groups below all panels; if there is only one, its colours are those of lines."""
    from matplotlib.lines import Line2D

    styles = [line_style(number) | {"linestyle": "-"} for number in range(len(groups))] if len(groups) > 1 else [{}]
    handles = [Line2D([], [], **style, markersize=4, visible=len(groups) > 1) for style in styles]
    names = [shortened(name_of(group.name), 60) for group in groups]
    figure.legend(handles, names, loc="upper left", bbox_to_anchor=(0.0, 0.0), frameon=False)
