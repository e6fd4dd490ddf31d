"""The progress of a row of runs: what is left by the runs that are over, on a clock that the test moves."""

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


def test_rest_is_told_by_the_kinds_of_runs_that_are_over_and_the_share_of_the_one_that_goes_on(clock: Clock) -> None:
    runs = Progress(["short", "long", "short", "long"])
    runs.begin("first")
    assert runs.seconds_left() is None
    runs.started(1, 4)
    clock.now += 1
    runs.stepped(1, 0.0, 0.0)
    assert runs.seconds_left() == pytest.approx(4 * 4 - 1)  # a quarter took a second; all are taken for equal
    clock.now += 9
    runs.end()
    assert runs.seconds_left() == pytest.approx(30)
    runs.begin("second")
    clock.now += 10
    runs.stepped(2, 0.0, 0.0)
    assert runs.seconds_left() == pytest.approx(10 + 10 + 20)  # half of a long run took 10, and a short one takes 10
    clock.now += 20
    runs.end()
    assert runs.seconds_left() == pytest.approx(10 + 30)
    runs.begin("third")
    clock.now += 50
    assert runs.seconds_left() == pytest.approx(0)
    runs.end()
    runs.begin("fourth")
    runs.end()
    assert runs.seconds_left() is None


def test_line_is_told_at_the_start_then_every_ten_seconds_and_at_the_end(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = Progress(["run", "run"])
    runs.begin("first")
    runs.started(1, 100)
    for step in range(1, 101):
        clock.now += 0.25
        runs.stepped(step, 0.0, 0.0)
    runs.end("right")
    assert capsys.readouterr().err.splitlines() == [
        "[1/2] first: begins",
        "[1/2] first: 41% trained; about 40 s left",
        "[1/2] first: 82% trained; about 30 s left",
        "[1/2] first: right; took 25 s; about 25 s left",
    ]


def test_many_seconds_are_told_in_minutes() -> None:
    assert [spoken(seconds) for seconds in (0.4, 119, 120, 3600)] == ["0 s", "119 s", "2 min", "60 min"]
