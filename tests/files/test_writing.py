"""An output is there whole or not at all, and an input that comes once can be read again."""

import io
import os
import signal
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import pytest

from tagger.errors import DataError
from tagger.files.writing import ended_in_order, kept, passed_on, replaced


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


def write_and_end(path: Path) -> None:
    with ended_in_order(), replaced(path) as stream:
        stream.write(b"new")
        os.kill(os.getpid(), signal.SIGTERM)
        raise RuntimeError


def test_sigterm_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as stop:
        write_and_end(path)
    assert stop.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before
    assert path.read_text() == "old"
    assert names(tmp_path) == {"a"}


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


def test_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="its folder must be there to write the file"), replaced(tmp_path / "b" / "a"):
        pass
    with pytest.raises(DataError, match="must be a file to write, got a folder"), replaced(tmp_path):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="the file cannot be written: Not a directory"), replaced(tmp_path / "file/a"):
        pass


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
