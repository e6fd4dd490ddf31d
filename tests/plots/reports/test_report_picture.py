"""Pictures of reports: what is drawn, and that all labels can be read."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from saved_reports import layer_of, save
from scored_layers import class_layer, entity_layer, token_layer
from test_picture import svg_of, texts_of

from tagger import plots
from tagger.errors import DataError
from tagger.metrics.section import Curve, Table
from tagger.pages.palette import colour_of
from tagger.plots.reports.drawing import lines_panel, matrix_panel
from tagger.plots.reports.groups import Band
from tagger.plots.reports.picture import _figure


def test_a_report_is_drawn_with_its_curves(tmp_path: Path) -> None:
    texts = texts_of(svg_of(plots.report(save(tmp_path, "a", layer_of(2))), tmp_path))
    for text in ("ner: Reliability", "ner: Precision, recall and F1 by threshold", "precision", "recall", "F1"):
        assert text in texts
    assert "ner: Learning curve" not in texts
    assert "a" not in texts


def test_several_reports_have_a_legend_and_those_of_several_sizes_a_learning_curve(tmp_path: Path) -> None:
    found = {(10, 1): 0, (10, 2): 1, (40, 1): 3, (40, 2): 4}
    paths = [save(tmp_path, f"n{size}-s{seed}", layer_of(n), seed=seed, size=size) for (size, seed), n in found.items()]
    texts = texts_of(svg_of(plots.report(*paths, layer="ner"), tmp_path))
    for text in ("ner: Learning curve", "train sentences", "F1, strict", "n10-s (seeds 1, 2)", "n40-s (seeds 1, 2)"):
        assert text in texts


def test_a_mean_of_seeds_is_named_also_where_nothing_else_is_drawn(tmp_path: Path) -> None:
    paths = [save(tmp_path, f"ner-{seed}", layer_of(seed), seed=seed, size=10) for seed in (1, 2)]
    assert "ner (seeds 1, 2)" in texts_of(svg_of(plots.report(*paths), tmp_path))


@pytest.mark.parametrize(
    "layer",
    [
        token_layer(("A B", "A A"), scores=[[0.9, 0.6]]),
        class_layer(("a", "a"), ("b", "a"), scores=[0.9, 0.6]),
        class_layer(("a", "a")),
        entity_layer(("B-A", "O")),
    ],
)
def test_each_kind_of_layer_can_be_drawn_also_without_probabilities(layer, tmp_path: Path) -> None:
    plots.report(save(tmp_path, "a", layer)).save(tmp_path / "a.png")


def test_what_cannot_be_drawn_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected at least one report to draw, got none"):
        plots.report()
    with pytest.raises(DataError, match="no report has a layer `upos`; choose `ner`"):
        plots.report(save(tmp_path, "a", layer_of(2)), layer="upos")
    with pytest.raises(DataError, match="there is nothing to draw"):
        plots.report(save(tmp_path, "empty", entity_layer(("O", "O"))))


def drawn(panel, *, groups=()):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = _figure(groups, [[panel]])
    FigureCanvasAgg(figure).draw()
    (axes,) = figure.axes
    return axes


def test_groups_differ_in_colour_and_lines_in_dashes() -> None:
    curve = Curve("t", "x", "y", {}, diagonal=True)
    line = Band((0.0, 1.0), (0.5, 0.5), (0.4, 0.5), (0.6, 0.5))
    bands = {(group, name): line for group in (0, 1) for name in ("precision", "recall")}
    axes = drawn(lines_panel(curve, bands, "ner", several=True))
    *lines, diagonal = axes.lines
    assert [line.get_color() for line in lines] == [colour_of(0), colour_of(0), colour_of(1), colour_of(1)]
    assert [line.get_linestyle() for line in lines] == ["-", "--", "-", "--"]
    assert list(diagonal.get_xdata()) == [0, 1]
    assert len(axes.collections) == 4
    assert [text.get_text() for text in axes.get_legend().texts] == ["precision", "recall"]


def test_lines_of_one_group_differ_in_colour_and_marker_and_sizes_set_their_own_limits() -> None:
    bands = {(0, f"line {i}"): Band((10.0, 400.0), *((i / 12, i / 12),) * 3) for i in range(12)}
    axes = drawn(lines_panel(Curve("t", "x", "y", {}), bands, "ner", several=False))
    assert len({line.get_color() for line in axes.lines}) == len({line.get_marker() for line in axes.lines}) == 12
    assert not axes.collections
    assert axes.get_xlim()[1] > 400


def test_a_matrix_of_41_classes_with_long_names_is_readable() -> None:
    """No label overlaps another or reaches into the map, and a number fits into its cell."""
    names = [f"a-class-with-a-long-name-{i}" for i in range(41)]
    rows = tuple((name, *(123_456 if i == j else 99_999 for j in range(41))) for i, name in enumerate(names))
    axes = drawn(matrix_panel([Table(("gold \\ predicted", *names), rows, "confusion", shaded=True)], "ner", ""))
    columns = [label.get_window_extent() for label in axes.get_xticklabels()]
    lines = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert len(columns) == len(lines) == 41
    assert all(one.x1 <= two.x0 for one, two in pairwise(columns))
    assert all(one.y0 >= two.y1 for one, two in pairwise(lines))
    assert max(line.x1 for line in lines) <= axes.bbox.x0
    assert max(column.y1 for column in columns) <= axes.figure.bbox.y1
    cell = axes.bbox.width / 41
    assert all(text.get_window_extent().width < cell for text in axes.texts)
    assert {text.get_text() for text in axes.texts} == {"123k", "99999"}


def test_cells_of_several_runs_are_means() -> None:
    table = Table(("gold", "A", "B"), (("A", 3, 0),), "confusion", shaded=True)
    axes = drawn(matrix_panel([table, replace(table, rows=(("A", 4, 0),))], "ner", "group"))
    assert [text.get_text() for text in axes.texts] == ["3.5"]
    assert axes.get_xlabel() == "ner: confusion, gold, mean of 2 runs, group; colour: share of the row"
