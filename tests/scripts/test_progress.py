"""The progress of a series of runs, on a clock that the test moves."""

import progress
import pytest
from progress import Progress, spoken


class Clock:
    """A clock that stands still until it is moved."""

    now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_each_run_that_ends_gets_a_line_with_its_result_its_duration_and_the_time_left(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Progress(3) as runs:
        for name, seconds in (("first", 10), ("[second]", 20), ("third" * 40, 600)):
            runs.begin(name)
            runs.started(1, 4)
            runs.stepped(2, 0.0, 0.0)
            clock.now += seconds
            runs.end("right")
    assert capsys.readouterr().err.splitlines() == [
        "[1/3] first: right; took 10 s; about 20 s left",
        "[2/3] [second]: right; took 20 s; about 15 s left",
        f"[3/3] {'third' * 40}: right; took 10 min",
    ]


def test_many_seconds_are_reported_in_minutes() -> None:
    assert [spoken(seconds) for seconds in (0.4, 119, 120, 3600)] == ["0 s", "119 s", "2 min", "60 min"]
