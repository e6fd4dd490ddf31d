"""Reports in groups: those of runs that differ only in their seed belong together, and their figures have a mean.

A report knows of its run what `tagger train` wrote into it: hashes of the recipe and the number of train sentences. A
report without these is a group of its own.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tagger.metrics.section import Curve, Points, Section, Table
from tagger.plots.labels import name_of
from tagger.reporting.report import Report

ONE_OF_SEVERAL = re.compile(r"(seed|fold)-\d")  # the name of a run that has siblings
UNFINISHED = re.compile(r"[-_./ ]*(seed)?[-_./ ]*$")  # the end of what several names begin with


class Group(NamedTuple):
    """Reports that differ only in the seed of their runs; `run` is what their names have in common."""

    run: str
    reports: tuple[Report, ...]

    @property
    def name(self) -> str:
        """The name of the run, with the seeds if there are several."""
        seeds = ", ".join(str(report.signature.seed) for report in self.reports)
        return f"{self.run} (seeds {seeds})" if len(self.reports) > 1 else self.run


class Band(NamedTuple):
    """The mean of several lines at each x, and the lowest and highest of them there."""

    x: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def grouped(paths: Sequence[Path], reports: Sequence[Report]) -> list[Group]:
    """Return the groups of reports, in the order of their first ones."""
    found: dict[object, list[tuple[str, Report]]] = {}
    for number, (name, report) in enumerate(zip(names_of(paths), reports, strict=True)):
        found.setdefault(_same_but_seed(report) or number, []).append((name, report))
    return [
        Group(_common([name for name, _ in members]), tuple(report for _, report in members))
        for members in found.values()
    ]


def names_of(paths: Sequence[Path]) -> list[str]:
    """Return the name of each run or report file, or their whole paths where two names are equal.

    A run that is one of several seeds or folds has the name of their folder in front.
    """
    short = [_name_of(path) for path in map(Path.absolute, paths)]
    return short if len(set(short)) == len(short) else [str(path) for path in paths]


def _name_of(path: Path) -> str:
    if not path.is_dir():
        return path.stem
    return f"{path.parent.name}/{path.name}" if ONE_OF_SEVERAL.match(path.name) else path.name


def _same_but_seed(report: Report) -> object:
    """Return what is equal for runs that differ only in their seed; None if the report knows nothing of its run."""
    recipe = report.extra.get("recipe")
    return recipe and repr((recipe, report.extra.get("train_sentences"), report.signature.gold))


def by_size(groups: Sequence[Group], layer: str) -> dict[str, Band]:
    """Return the headline of a layer by the number of train sentences, for each recipe that was trained on several."""
    scores: dict[object, dict[int, list[float]]] = {}
    names: dict[object, list[str]] = {}
    for name, report in ((group.run, report) for group in groups for report in group.reports):
        recipe, size = report.extra.get("recipe"), report.extra.get("train_sentences")
        if isinstance(recipe, Mapping) and isinstance(size, int) and layer in report.layers:
            key = recipe.get("settings"), report.signature.gold
            scores.setdefault(key, {}).setdefault(size, []).append(report.headline(layer))
            names.setdefault(key, []).append(name)
    several = {key: sizes for key, sizes in scores.items() if len(sizes) > 1}
    common = [_common(names[key]) for key in several]
    unique = common if len(set(common)) == len(common) else [names[key][0] for key in several]
    return {name: _band(sizes) for name, sizes in zip(unique, several.values(), strict=True)}


def _band(values: Mapping[int, Sequence[float]]) -> Band:
    ordered = sorted(values.items())
    rows = [(float(x), fmean(each), min(each), max(each)) for x, each in ordered]
    return Band(*zip(*rows, strict=True))


def _common(names: Sequence[str]) -> str:
    """Return how several names begin, or the first if they have nothing in common."""
    if len(set(names)) == 1:
        return names[0]
    common = os.path.commonprefix(list(names))  # noqa: RUF071 (names, not paths: character by character)
    return UNFINISHED.sub("", common) or names[0]


def mean_line(lines: Sequence[Points]) -> Band:
    """Return the mean of lines that are drawn through points, where all of them are; nothing if they share no x."""
    lines = [line for line in lines if line]
    if not lines:
        return Band((), (), (), ())
    if len(lines) == 1:
        x, y = zip(*lines[0], strict=True)
        return Band(x, y, y, y)
    low, high = (choose(points[end][0] for points in map(sorted, lines)) for choose, end in ((max, 0), (min, -1)))
    grid = sorted({x for line in lines for x, _ in line if low <= x <= high})
    if not grid:
        return Band((), (), (), ())
    values = np.array([_drawn_at(grid, line) for line in lines])
    return Band(tuple(grid), *(tuple(each.tolist()) for each in (values.mean(0), values.min(0), values.max(0))))


def _drawn_at(grid: Sequence[float], line: Points) -> NDArray[np.float64]:
    points = np.array(sorted(line), np.float64)  # (points, 2)
    drawn: NDArray[np.float64] = np.interp(np.array(grid), points[:, 0], points[:, 1])
    return drawn


def curves_of(groups: Sequence[Group], layer: str) -> list[tuple[Curve, dict[tuple[int, str], Band]]]:
    """Return each curve of the sections, with the mean of each of its lines, by the number of a group and its name."""
    first: dict[str, Curve] = {}
    lines: dict[str, dict[tuple[int, str], list[Points]]] = {}
    for number, group in enumerate(groups):
        for curve in (curve for section in _sections(group, layer) for curve in section.curves):
            first.setdefault(curve.title, curve)
            for name, points in curve.lines.items():
                lines.setdefault(curve.title, {}).setdefault((number, name), []).append(points)
    means = {title: {key: mean_line(each) for key, each in found.items()} for title, found in lines.items()}
    return [(first[title], bands) for title, bands in means.items()]


def matrices_of(group: Group, layer: str) -> list[list[Table]]:
    """Return the shaded tables of the sections of a group; those of one title together."""
    found: dict[str, list[Table]] = {}
    for table in (table for section in _sections(group, layer) for table in section.tables):
        if table.shaded and table.rows:
            found.setdefault(table.title, []).append(table)
    return list(found.values())


def _sections(group: Group, layer: str) -> list[Section]:
    return [section for report in group.reports for section in report.sections.get(layer, [])]


def mean_table(tables: Sequence[Table]) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Return names of rows, names of columns, and the mean of the cells of tables; a cell that one lacks is 0 there."""
    rows = list(dict.fromkeys(str(row[0]) for table in tables for row in table.rows))
    columns = list(dict.fromkeys(name for table in tables for name in table.columns[1:]))
    values = np.zeros((len(rows), len(columns)))
    for table in tables:
        for name, *cells in table.rows:
            for column, cell in zip(table.columns[1:], cells, strict=True):
                values[rows.index(str(name)), columns.index(column)] += float(cell or 0)
    return [name_of(row) for row in rows], [name_of(column) for column in columns], values / len(tables)
