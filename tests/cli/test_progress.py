"""Progress on standard error, which only a terminal sees and which never touches standard output."""

import gzip
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from small_recipes import NER, SMALL, SYNTHETIC

import tagger
from tagger.cli import progress
from tagger.cli.training import runs
from tagger.running.several.processes import Follower

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is of Unix")

Call = Callable[..., tuple[int, str, str]]
TEXT = "Ada lives in Oslo.\n" * 3


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("progress")
    (folder / "small.toml").write_text(SYNTHETIC + NER + SMALL)
    tagger.train(folder / "small.toml", output=folder / "run")
    return folder / "run"


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch, call: Call) -> Callable[..., tuple[int, str, str]]:
    """Call a command whose standard error is a terminal, on which the line is shown at once, whatever the speed."""

    def run(*arguments: object, text: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(progress, "SHOWN_AFTER", 0.0)
        monkeypatch.setattr(progress, "REFRESHED", 1e-6)
        ours, theirs = os.openpty()
        with open(theirs, "w") as terminal:  # noqa: PTH123
            monkeypatch.setattr(sys, "stderr", terminal)
            code, out, _ = call(*arguments, text=text)
        shown = b""
        with suppress(OSError):  # how Linux reports that the other side is closed
            while part := os.read(ours, 4096):
                shown += part
        os.close(ours)
        return code, out, shown.decode()

    return run


def test_tag_shows_sentences_rate_and_time_left_of_a_file(on_terminal: Call, model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text(TEXT)
    code, out, shown = on_terminal("tag", model, tmp_path / "in.txt")
    assert (code, out.count("Ada lives in Oslo.")) == (0, 3)
    assert "\x1b" not in out
    assert "documents tagged: 3" in shown
    assert "/s" in shown
    assert re.search(r"left \S*0:00:00", shown)
    assert "Ada" not in shown
    assert shown.endswith("\x1b[2K"), "the line is removed at the end"


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_tag_shows_time_left_of_a_packed_file(
    pack: Callable[[bytes], bytes], on_terminal: Call, model: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.txt").write_bytes(pack(TEXT.encode()))
    code, _, shown = on_terminal("tag", model, tmp_path / "in.txt")
    assert code == 0
    assert re.search(r"left \S*0:00:00", shown)


def test_tag_shows_time_left_of_a_folder_of_texts(on_terminal: Call, model: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text(TEXT)
    code, _, shown = on_terminal("tag", model, tmp_path, "--input-format", "brat")
    assert code == 0
    assert re.search(r"left \S*0:00:00", shown)


def test_position_of_a_line_is_that_of_its_text_also_if_the_whole_file_was_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345678\n" * 10)
    lines = progress.FileLines(tmp_path / "a")
    assert lines.size == 90
    assert lines.position(5) == 0
    list(lines)
    assert [lines.position(line) for line in (0, 5, 10)] == [0, 45, 90]
    assert progress.FileLines(tmp_path / "missing").size is None


def test_evaluate_shows_time_left(on_terminal: Call, model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.conll").write_text("Ada\tB-PER\nlives\tO\n\n" * 3)
    code, out, shown = on_terminal("evaluate", model, tmp_path / "in.conll", "--format", "conll")
    assert code == 0
    assert "sentences tagged: 3" in shown
    assert re.search(r"left \S*0:00:00", shown)
    assert "sentences tagged" not in out


def test_tag_shows_no_time_left_of_a_pipe(on_terminal: Call, model: Path) -> None:
    code, _, shown = on_terminal("tag", model, text=TEXT)
    assert code == 0
    assert "documents tagged: 3" in shown
    assert "left" not in shown


def test_convert_shows_the_lines_that_it_has_read(on_terminal: Call, tmp_path: Path) -> None:
    (tmp_path / "in.conll").write_text("Ada\tB-PER\nlives\tO\n\n")
    code, out, shown = on_terminal("convert", tmp_path / "in.conll", "-", "--to", "bioes")
    assert (code, out) == (0, "Ada\tS-PER\nlives\tO\n\n")
    assert "lines read: 3" in shown
    assert "iob2 to bioes" in shown.rstrip().splitlines()[-1].lower()


def test_nothing_is_shown_without_a_terminal(
    call: Call, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SHOWN_AFTER", 0.0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert call("tag", model, text=TEXT)[2] == ""


def test_a_failure_removes_the_line_and_then_says_its_sentence(on_terminal: Call, model: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_bytes(TEXT.encode() + b"\xff\n")
    code, _, shown = on_terminal("tag", model, tmp_path / "in.txt")
    assert code == 1
    assert shown.index("documents tagged: 3") < shown.index("error: ")
    assert "in.txt:4: must be UTF-8" in shown.rpartition("\x1b[2K")[2]


class Line:
    """A live line that writes down what it shows."""

    def __init__(self, text: str, total: float) -> None:
        self.shown: list[object] = [(text, total)]

    def update(self, text: str, done: float) -> None:
        self.shown.append((text, done))

    def close(self) -> None:
        self.shown.append("closed")


def test_work_before_the_epochs_has_a_line_of_its_own_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[Line] = []

    def line(text: str, total: float) -> Line:
        lines.append(Line(text, total))
        return lines[-1]

    monkeypatch.setattr(runs, "LiveLine", line)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with runs.TrainingProgress() as shown:
        shown.advanced("the feature `x`", 1000, 2000)
        shown.advanced("the feature `x`", 2000, 2000)
        shown.started(3, 10)
        shown.advanced("the feature `x`", 1, 1)  # does not disturb the line of the epochs
        shown.stepped(1, 0.5, 100)
    work = [("the feature `x`", 2000), ("the feature `x`: 1,000", 1000), ("the feature `x`: 2,000", 2000), "closed"]
    assert lines[0].shown == work
    assert [entry[1] for entry in lines[1].shown if isinstance(entry, tuple)] == [10, 1]
    assert len(lines) == 2


def test_the_work_of_one_run_among_several_is_passed_on() -> None:
    heard: list[tuple[object, ...]] = []
    Follower(lambda *event: heard.append(event)).advanced("the feature `x`", 1, 2)
    assert heard == [("advanced", "the feature `x`", 1, 2)]
