"""Groups of reports: what belongs together, and the means of lines and tables."""

from pathlib import Path
from statistics import fmean

import pytest
from saved_reports import layer_of, report_of

from tagger.metrics.section import Table
from tagger.plots.reports.groups import Band, by_size, curves_of, grouped, matrices_of, mean_line, mean_table


def test_runs_that_differ_only_in_their_seed_are_one_group() -> None:
    reports = [
        report_of(layer_of(1), seed=1, size=10),
        report_of(layer_of(2), seed=2, size=10),
        report_of(layer_of(2), seed=1, size=20),
        report_of(layer_of(2), seed=1, size=10, settings="b"),
        report_of(layer_of(2)),
        report_of(layer_of(2)),
    ]
    paths = [Path(f"runs/{name}") for name in ("ner-1", "ner-2", "large", "other", "one", "two")]
    groups = grouped(paths, reports)
    assert [group.name for group in groups] == ["ner (seeds 1, 2)", "large", "other", "one", "two"]
    assert groups[0].reports == tuple(reports[:2])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("a/seed-1", "a/seed-2"), "a"),
        (("ner-seed1", "ner-seed2"), "ner"),
        (("ner_1", "ner_2"), "ner"),
        (("one", "two"), "one"),
        (("large", "large-2"), "large"),
    ],
)
def test_the_name_of_a_group_is_what_its_runs_have_in_common(names, expected: str, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in names]
    for path in paths:
        path.mkdir(parents=True)
    reports = [report_of(layer_of(1), seed=seed, size=10) for seed in (1, 2)]
    (group,) = grouped(paths, reports)
    assert group.name == f"{expected} (seeds 1, 2)"


def test_files_of_the_same_name_are_shown_with_their_paths() -> None:
    paths = [Path("a/report.json"), Path("b/report.json")]
    assert [group.name for group in grouped(paths, [report_of(layer_of(1))] * 2)] == list(map(str, paths))


def test_scores_by_size_are_the_mean_over_seeds_of_each_recipe() -> None:
    sizes = {10: (0, 1, 2), 40: (3, 4)}
    reports = [report_of(layer_of(n), seed=i, size=size) for size, found in sizes.items() for i, n in enumerate(found)]
    reports += [report_of(layer_of(4), seed=1, size=10, settings="b"), report_of(layer_of(4))]
    paths = [Path(f"ner-{i}") for i in range(len(reports))]
    ((name, band),) = by_size(grouped(paths, reports), "ner").items()
    assert (name, band.x) == ("ner", (10.0, 40.0))
    scores = [[layer_of(n).headline for n in found] for found in sizes.values()]
    for line, choose in ((band.mean, fmean), (band.low, min), (band.high, max)):
        assert line == pytest.approx([choose(each) for each in scores])
    assert by_size(grouped(paths, reports), "upos") == {}


def test_the_mean_line_is_the_mean_of_the_drawn_lines_where_all_are_drawn() -> None:
    lines = [((0.0, 0.0), (1.0, 1.0)), ((0.25, 1.0), (0.5, 0.0), (1.0, 0.0))]
    band = mean_line(lines)
    assert band.x == (0.25, 0.5, 1.0)
    assert band.mean == pytest.approx((0.625, 0.25, 0.5))
    assert band.low == pytest.approx((0.25, 0.0, 0.0))
    assert band.high == pytest.approx((1.0, 0.5, 1.0))


def test_one_line_stays_as_it_is_and_lines_without_a_common_x_have_no_mean() -> None:
    points = ((0.0, 0.0), (0.0, 1.0), (1.0, 1.0))
    assert mean_line([points]) == mean_line([points, ()]) == Band((0, 0, 1), (0, 1, 1), (0, 1, 1), (0, 1, 1))
    assert mean_line([((0.1, 1.0),), ((0.2, 1.0),)]) == mean_line([]) == Band((), (), (), ())


def test_the_mean_of_tables_goes_by_the_names_of_rows_and_columns() -> None:
    one = Table(("gold", "A", "B"), (("A", 3, None), ("B", 1, 4)))
    two = Table(("gold", "B", "C"), (("B", 2, 1),))
    rows, columns, values = mean_table([one, two])
    assert (rows, columns) == (["A", "B"], ["A", "B", "C"])
    assert values.tolist() == [[1.5, 0, 0], [0.5, 3, 0.5]]


def test_all_curves_and_matrices_of_the_sections_are_found() -> None:
    report = report_of(layer_of(2))
    (group,) = grouped([Path("a")], [report])
    curves = [curve for section in report.sections["ner"] for curve in section.curves]
    tables = [table for section in report.sections["ner"] for table in section.tables if table.shaded]
    found = curves_of([group], "ner")
    assert {"Reliability", "Precision, recall and F1 by threshold"} <= {curve.title for curve, _ in found}
    assert [curve for curve, _ in found] == curves
    for curve, bands in found:
        assert {name: tuple(zip(band.x, band.mean, strict=True)) for (_, name), band in bands.items()} == curve.lines
    assert matrices_of(group, "ner") == [[table] for table in tables]
