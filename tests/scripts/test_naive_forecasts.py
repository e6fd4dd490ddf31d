"""Naive forecasts of a series whose figures are known by hand, beside those of a run."""

from pathlib import Path

import naive_forecasts
import pytest

from tagger.errors import DataError
from tagger.metrics.numbers.layer import ValueLayer
from tagger.reporting.report import Report, signature_of
from tagger.text.sentence import Sentence, Values


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """Numbers 0, 10, 20, 1, 11, 21, ... with a period of three steps, and a report on the last three of them."""
    numbers = [10 * (i % 3) + i // 3 for i in range(12)]
    lines = [f"2026-01-01 00:{i:02},{number}" for i, number in enumerate(numbers)]
    (tmp_path / "series.csv").write_text("\n".join(["time,load", *lines]) + "\n")
    steps = [f"2026-01-01T00:{i:02}" for i in range(6, 9)]
    gold, found = (
        (Sentence.from_tokens(steps, {"next": Values(values, whole=True)}),)
        for values in ((3.0, 13.0, 23.0), (4.0, 13.0, 21.0))
    )
    layers = {"next": ValueLayer("next", gold, found)}
    (tmp_path / "run").mkdir()
    Report(layers, signature_of(layers)).save(tmp_path / "run" / "report.json")
    return tmp_path / "series.csv"


def test_errors_by_hand(series: Path) -> None:
    rows = list(naive_forecasts.compared(series.parent / "run", series, [3], "next"))
    assert [(row.name, row.error) for row in rows] == [
        ("next", 1.0),
        ("last number", pytest.approx((19 + 9 + 1) / 3)),  # repeats 22
        ("3 steps before", 1.0),
    ]
    assert rows[0].scaled == [1.0]  # the series grows by 1 in each period


def test_table_is_printed(series: Path, capsys: pytest.CaptureFixture[str]) -> None:
    naive_forecasts.main([str(series.parent / "run"), str(series), "--period", "3", "6"])
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["forecast", "MAE", "MASE", "3", "MASE", "6"]
    assert [row.split()[0] for row in rows] == ["next", "last", "3", "6"]


@pytest.mark.parametrize(
    ("layer", "periods", "sentence"),
    [("load", [3], "has no layer `load`"), ("next", [10], "at most the 9 steps before the first forecast, got 10")],
)
def test_what_does_not_fit_is_an_error(series: Path, layer: str, periods: list[int], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        list(naive_forecasts.compared(series.parent / "run", series, periods, layer))


def test_a_series_without_the_steps_of_the_report_is_an_error(series: Path) -> None:
    series.write_text("time,load\n2020-01-01,3\n")
    with pytest.raises(DataError, match="must have all steps of the report, but it has no '2026-01-01T00:08'"):
        list(naive_forecasts.compared(series.parent / "run", series, [3], "next"))
