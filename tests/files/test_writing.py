"""An output is there whole or not at all, and an input that comes once can be read again."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random
from typing import BinaryIO

import pytest

from tagger.errors import DataError
from tagger.files.signals import ended_in_order
from tagger.files.writing import (
    PENDING,
    check_place,
    kept,
    locked,
    make_pending,
    newest,
    passed_on,
    replace_files,
    replaced,
    settle,
)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def write_and_fail(output: AbstractContextManager[BinaryIO]) -> None:
    with output as stream:
        stream.write(b"new")
        raise RuntimeError


def test_file_takes_its_place_at_the_end_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o640)
    with replaced(path) as stream:
        stream.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert names(tmp_path) == {"a"}


def write_and_end(path: Path, number: int) -> None:
    with ended_in_order(), replaced(path) as stream:
        stream.write(b"new")
        os.kill(os.getpid(), number)
        raise RuntimeError


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_to_end_leaves_the_old_file_and_nothing_else(number: int, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    inherited = signal.signal(number, signal.SIG_DFL)  # the tests themselves may run under nohup
    try:
        with pytest.raises(SystemExit) as stop:
            write_and_end(path, number)
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, inherited)
    assert stop.value.code == 128 + number
    assert path.read_text() == "old"
    assert names(tmp_path) == {"a"}


def test_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
    try:
        with ended_in_order():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_signal_raises_the_exception_that_is_asked_for() -> None:
    def end() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)

    with pytest.raises(KeyboardInterrupt), ended_in_order(KeyboardInterrupt):
        end()


def test_part_of_a_killed_process_is_deleted_and_that_of_a_living_one_stays(tmp_path: Path) -> None:
    (tmp_path / ".a.123.part").write_text("left by a killed process")
    (tmp_path / ".b.123.part").write_text("of another file")
    with replaced(tmp_path / "a") as first:
        first.write(b"1")
        with replaced(tmp_path / "a") as second:
            second.write(b"2")
        assert (tmp_path / "a").read_text() == "2"
    assert (tmp_path / "a").read_text() == "1"
    assert names(tmp_path) == {"a", ".b.123.part"}


def test_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(RuntimeError):
        write_and_fail(replaced(path))
    assert path.read_text() == "old"
    assert names(tmp_path) == {"a"}


def test_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with replaced(tmp_path / "link") as stream:
        stream.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").read_text() == "new"


def test_device_is_written_to_and_stays(tmp_path: Path) -> None:
    with replaced(Path("/dev/null")) as stream:
        stream.write(b"x")
    assert Path("/dev/null").is_char_device()


def test_link_to_a_pipe_is_written_to(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    (tmp_path / "link").symlink_to(f"/proc/self/fd/{writing}")
    with replaced(tmp_path / "link") as stream:
        stream.write(b"x")
    os.close(writing)
    assert os.read(reading, 2) == b"x"
    os.close(reading)


def test_place_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="its folder must exist"), replaced(tmp_path / "b" / "a"):
        pass
    with pytest.raises(DataError, match="expected a file to write, got a folder"), replaced(tmp_path):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="the file cannot be written: Not a directory"), replaced(tmp_path / "file/a"):
        pass


def test_place_is_checked_before_the_work_and_nothing_is_left_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    for place, message in (
        (tmp_path / "b" / "a", "its folder must exist"),
        (tmp_path, "expected a file to write, got a folder"),
        (tmp_path / "file" / "a", "the file cannot be written: Not a directory"),
    ):
        with pytest.raises(DataError, match=message):
            check_place(place)
    for place in (tmp_path / "new", tmp_path / "file", Path(os.devnull)):
        check_place(place)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"file": "old"}


def test_stream_gets_all_or_nothing() -> None:
    stream = io.BytesIO()
    with passed_on(stream) as file:
        file.write(b"ab")
        assert stream.getvalue() == b""
    assert stream.getvalue() == b"ab"
    with pytest.raises(RuntimeError):
        write_and_fail(passed_on(stream))
    assert stream.getvalue() == b"ab"


def test_stream_is_kept_while_it_is_needed() -> None:
    with kept(io.BytesIO(b"a\r\nb")) as path:
        assert path.read_bytes() == path.read_bytes() == b"a\r\nb"
    assert not path.exists()


OLD = {"a": b"old a", "in/b": b"old b"}
NEW = {"a": b"new a", "in/b": b"new b", "in/c": b"new c"}


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder as a reader finds them."""
    return {name: newest(folder / name).read_bytes() for name in NEW if newest(folder / name).is_file()}


def test_files_replace_those_of_a_folder_and_leave_nothing_else(tmp_path: Path) -> None:
    for expected in (OLD, NEW):
        replace_files(tmp_path / "made/folder", expected)
        assert contents(tmp_path / "made/folder") == expected
        assert names(tmp_path / "made/folder") == {"a", "in"}


@pytest.mark.parametrize("failing", range(1, 4))
def test_failure_at_any_file_leaves_the_old_ones(failing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_files(tmp_path, OLD)
    calls = iter(range(1, 100))

    def full(number: int) -> None:
        if next(calls) == failing:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tagger.files.writing.os.fsync", full)
    name = list(NEW)[failing - 1]
    with pytest.raises(DataError, match=f"^{tmp_path / name}: the file cannot be written: No space left on device$"):
        replace_files(tmp_path, NEW)
    assert contents(tmp_path) == OLD
    assert names(tmp_path) == {"a", "in"}


def test_files_that_are_pending_are_read_and_settled_by_the_next_call(tmp_path: Path) -> None:
    replace_files(tmp_path, OLD)
    replace_files(tmp_path / "complete", NEW)
    shutil.copytree(tmp_path / "complete", tmp_path / PENDING)
    (tmp_path / PENDING / "a").replace(tmp_path / "a")  # a kill after one of three moves
    assert contents(tmp_path) == NEW
    settle(tmp_path)
    assert contents(tmp_path) == NEW
    make_pending(tmp_path / "complete", tmp_path)
    assert names(tmp_path) == {"a", "in"}


def test_folder_in_the_place_of_a_file_is_an_error_before_anything_is_replaced(tmp_path: Path) -> None:
    replace_files(tmp_path, OLD)
    (tmp_path / "in/c").mkdir()
    with pytest.raises(DataError, match=r"/in/c: expected a file to write, got a folder"):
        replace_files(tmp_path, NEW)
    assert contents(tmp_path) == OLD


WRITER = """
import sys
from pathlib import Path
from tagger.files.writing import replace_files
print("ready", flush=True)
for i in range(10**9):
    replace_files(Path(sys.argv[1]), {f"{name}": str(i).encode() * 1000 for name in ("a", "in/b", "in/c")})
"""


def test_writer_killed_at_any_moment_never_mixes_old_and_new_files(tmp_path: Path) -> None:
    random = Random(1)
    for _ in range(10):
        with subprocess.Popen([sys.executable, "-c", WRITER, tmp_path], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(random.random() / 20)
            writer.kill()
        found = contents(tmp_path)
        assert len(set(found.values())) <= 1
        assert len(found) in (0, 3)
    replace_files(tmp_path, NEW)
    assert names(tmp_path) == {"a", "in"}


def test_folder_is_locked_once_and_again_after_its_owner_has_ended(tmp_path: Path) -> None:
    with locked(tmp_path) as first:
        with locked(tmp_path) as second:
            assert (first, second) == (True, False)
        with locked(tmp_path) as third:
            assert not third
    assert names(tmp_path) == set()
    owner = "import sys, time, tagger.files.writing as w; from pathlib import Path\n"
    owner += "with w.locked(Path(sys.argv[1])) as owned: print(owned, flush=True); time.sleep(100)"
    with subprocess.Popen([sys.executable, "-c", owner, tmp_path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        with locked(tmp_path) as meanwhile:
            assert not meanwhile
        process.kill()
        process.wait()
    with locked(tmp_path) as after:
        assert after
