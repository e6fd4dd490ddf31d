"""Files are read as UTF-8 lines, or refused in one sentence that says where and what to do."""

import codecs
import gzip
import io
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tagger.encoding.vectors import read_vectors
from tagger.errors import DataError
from tagger.files.reading import (
    MAX_LINE,
    MIN_BOMB,
    Arriving,
    comes_once,
    decode_lines,
    iter_lines,
    read_bytes,
    read_lines,
    read_text,
)
from tagger.running.teachers.label_files import read_label_file


def write(folder: Path, data: bytes, name: str = "train.conll") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def error_of(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_lines(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"a\nb\n", ["a", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\n\r\nb\r\n", ["a", "", "b"]),
        (codecs.BOM_UTF8 + b"a\nb", ["a", "b"]),
        ("é\u2028\x85\x0b\x0c\x1c\n日本\n".encode(), ["é\u2028\x85\x0b\x0c\x1c", "日本"]),
    ],
)
def test_lines_end_with_lf_or_crlf_and_nothing_else(data: bytes, lines: list[str], tmp_path: Path) -> None:
    assert read_lines(write(tmp_path, data)) == lines


def test_gzip_is_unpacked_whatever_the_name(tmp_path: Path) -> None:
    assert read_lines(write(tmp_path, gzip.compress("a\né\n".encode()))) == ["a", "é"]


def test_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no.conll"
    assert error_of(path) == f"{path}: no such file; check the path"


def test_folder_is_no_file(tmp_path: Path) -> None:
    assert error_of(tmp_path) == f"{tmp_path}: must be a file, got a folder; name a file in it"


def test_path_through_a_file_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path, b"a") / "b"
    assert error_of(path) == f"{path}: the file cannot be read: Not a directory"


@pytest.mark.parametrize(
    ("data", "found"),
    [(b"", "no bytes"), (b"\n \n\t\r\n", "blank lines only"), (gzip.compress(b"", mtime=0), "no bytes")],
)
def test_empty_file_is_refused(data: bytes, found: str, tmp_path: Path) -> None:
    path = write(tmp_path, data)
    assert error_of(path) == f"{path}: the file must not be empty, got {found}; check the path"


def test_binary_file_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, b"PK\n\x03\x04\0\0")
    assert error_of(path) == f"{path}:2: must be text, got a binary file (a zero byte); name a text file"


@pytest.mark.parametrize("bom", [b"", codecs.BOM_UTF8])
def test_wrong_encoding_is_named_with_line_and_byte(bom: bytes, tmp_path: Path) -> None:
    path = write(tmp_path, bom + "a O\ncaf\u00e9 O\n".encode("latin-1"))
    assert error_of(path) == (
        f"{path}:2: must be UTF-8, got byte 0xe9 at byte {len(bom) + 7} of the file, byte 3 of the line; "
        "convert it to UTF-8, or name its encoding"
    )


@pytest.mark.parametrize(
    "read", [read_text, lambda path: read_vectors([path]), lambda path: read_label_file(path, pytest.fail)]
)
@pytest.mark.parametrize("data", ["Zürich 1 2\n".encode("cp1252"), codecs.BOM_UTF16_LE + b"a\0\xff"])
def test_no_encoding_is_asked_for_where_nothing_takes_one(
    read: Callable[[Path], object], data: bytes, tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(data)
    with pytest.raises(DataError, match=r"f:1: must be (UTF-8|utf-16).*; save it as UTF-8$"):
        read(tmp_path / "f")


def test_cut_character_at_the_end_is_wrong_encoding(tmp_path: Path) -> None:
    path = write(tmp_path, "é".encode()[:1])
    assert error_of(path).startswith(f"{path}:1: must be UTF-8, got byte 0xc3 at byte 0 of the file")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_utf_16_is_read_by_its_mark(encoding: str, tmp_path: Path) -> None:
    path = write(tmp_path, "a\u010a O\r\n\n\u0a0d O".encode(encoding))  # characters with the bytes of line ends
    assert list(iter_lines(path)) == ["a\u010a O", "", "\u0a0d O"]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le", "shift_jis", "utf-8"])
def test_any_encoding_of_python_is_read(encoding: str, tmp_path: Path) -> None:
    text = "Mädchen O\nsö" if encoding != "shift_jis" else "\u8868\u793a O\n\u5341"
    path = write(tmp_path, text.encode(encoding))
    assert list(iter_lines(path, encoding)) == text.split("\n")


def test_utf_16_without_a_mark_is_a_binary_file(tmp_path: Path) -> None:
    assert "got a binary file (a zero byte)" in error_of(write(tmp_path, "a O\n".encode("utf-16-le")))


PACKED = gzip.compress(b"some text that is long enough to be packed\n" * 50, mtime=0)


@pytest.mark.parametrize(
    "data",
    [PACKED[:-20], PACKED[:12], PACKED[:15] + b"\xff\xff\xff" + PACKED[18:], PACKED[:-8] + bytes(8), b"\x1f\x8bxyz"],
    ids=["cut", "only a header", "damaged", "wrong sum", "only its first bytes"],
)
def test_broken_gzip_is_refused(data: bytes, tmp_path: Path) -> None:
    path = write(tmp_path, data, "train.conll.gz")
    with pytest.raises(DataError) as caught:
        read_bytes(path)
    assert str(caught.value) == f"{path}: the gzip data are broken or cut short; fetch the file again"


def test_lines_are_decoded_as_they_come() -> None:
    def raw():  # type: ignore[no-untyped-def]
        yield b"a\n"
        yield b"b"
        raise AssertionError("read ahead")

    lines = decode_lines(raw(), where="input")
    assert (next(lines), next(lines)) == ("a", "b")


def fifo(folder: Path) -> Path:
    os.mkfifo(folder / "f")
    return folder / "f"


def socket_file(folder: Path) -> Path:
    path = folder / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))  # an absolute path may be too long for a socket
    return path


def broken_link(folder: Path) -> Path:
    (folder / "link").symlink_to(folder / "nowhere")
    return folder / "link"


def looping_link(folder: Path) -> Path:
    (folder / "loop").symlink_to(folder / "loop")
    return folder / "loop"


SPECIAL = "must be a regular file, got {}; save its contents to a file"
NO_FILES = {
    "named pipe": (fifo, SPECIAL.format("a named pipe")),
    "device": (lambda folder: Path("/dev/zero"), SPECIAL.format("a device")),
    "socket": (socket_file, SPECIAL.format("a socket")),
    "broken link": (broken_link, "the link points to a missing file; check the path"),
    "link to itself": (looping_link, "the file cannot be read: Too many levels of symbolic links"),
    "name too long": (lambda folder: folder / ("x" * 300), "the file cannot be read: File name too long"),
    "own memory": (lambda folder: Path("/proc/self/mem"), "the file cannot be read: Input/output error"),
}


@pytest.mark.skipif(sys.platform != "linux", reason="named after what Linux says")
@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_no_file_is_refused_at_once(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make, sentence = NO_FILES[name]
    path = make(tmp_path)
    assert error_of(path).startswith(f"{path}: {sentence}")


@pytest.mark.parametrize(
    ("path", "shown", "reason"),
    [("a\0b", r"'a\x00b'", "embedded null byte"), ("a\ud800", r"'a\ud800'", "surrogates not allowed")],
)
def test_path_that_no_file_can_have_is_reported(path: str, shown: str, reason: str) -> None:
    message = error_of(Path(path))
    assert message.startswith(f"{shown}: must be the path of a file (")
    assert reason in message


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs users")
def test_file_without_permission_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path, b"a\n")
    path.chmod(0)
    user = os.geteuid()
    if user == 0:  # root may read everything
        os.seteuid(65534)
    try:
        assert error_of(path) == f"{path}: the file cannot be read: Permission denied"
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("data", [b"a\nb\rc\n", b"a\nb\r\r\n", b"a\nb\rc\r"])
def test_lone_cr_is_refused_with_its_line(data: bytes, tmp_path: Path) -> None:
    path = write(tmp_path, data)
    assert error_of(path) == f"{path}:2: line ends must be LF or CRLF, got a lone CR; convert the file"


def test_pipe_of_a_shell_and_nothing_else_comes_once(tmp_path: Path) -> None:
    read, written = os.pipe()
    os.mkfifo(tmp_path / "named")
    try:
        assert comes_once(Path(f"/dev/fd/{read}"))
        others = [write(tmp_path, b"a"), tmp_path, tmp_path / "named", tmp_path / "no", Path("/dev/null"), Path("\0")]
        assert not any(map(comes_once, others))
    finally:
        os.close(read)
        os.close(written)


def test_pipe_of_a_shell_is_read(tmp_path: Path) -> None:
    read, written = os.pipe()
    os.write(written, b"a\nb\n")
    os.close(written)
    try:
        assert read_lines(Path(f"/dev/fd/{read}")) == ["a", "b"]
    finally:
        os.close(read)


CHANGES = {
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"more\n"),
    "shorter": lambda path: path.write_bytes(b"a\n"),
    "other bytes": lambda path: (path.write_bytes(b"b" * path.stat().st_size), os.utime(path, (1, 1))),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_file_that_changes_while_it_is_read_is_refused(change: Callable[[Path], object], tmp_path: Path) -> None:
    path = write(tmp_path, b"a line of text\n" * 100_000)
    lines = iter_lines(path)
    next(lines)
    change(path)
    with pytest.raises(DataError) as caught:
        list(lines)
    assert str(caught.value) == (
        f"{path}: the file must not change while it is read, but did; read it when it is complete"
    )


def test_file_that_vanishes_while_it_is_read_is_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path, b"a line of text\n" * 100_000)
    lines = iter_lines(path)
    next(lines)
    path.unlink()
    assert len(list(lines)) == 99_999


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_endless_line_is_refused_in_little_memory(
    pack: Callable[[bytes], bytes], tmp_path: Path, peak_memory: Callable[[Callable[[], object]], int]
) -> None:
    path = write(tmp_path, pack(b"a\n" + b"x" * (10 * MAX_LINE)))
    expected = f"{path}:2: a line must have at most 10,000,000 bytes, got more; split it"
    assert peak_memory(lambda: error_of(path)) < 5 * MAX_LINE
    assert error_of(path) == expected


def test_longest_line_is_read(tmp_path: Path) -> None:
    line = "x" * (MAX_LINE - 1)
    assert read_lines(write(tmp_path, f"{line}\n{line}".encode())) == [line, line]


def test_endless_line_of_a_stream_is_refused() -> None:
    stream = io.BytesIO(b"x" * (2 * MAX_LINE))
    with pytest.raises(DataError, match=r"^standard input:1: a line must have at most 10,000,000 bytes, got more"):
        list(decode_lines(Arriving(stream), where="standard input"))
    assert stream.tell() <= MAX_LINE + 100_000


@pytest.mark.skipif(sys.platform == "win32", reason="select knows only sockets")
def test_lines_of_a_pipe_wait_until_they_are_whole() -> None:
    end, start = os.pipe()
    with os.fdopen(end, "rb") as stream:
        lines = Arriving(stream)
        os.write(start, b"one\ntw")
        found = iter(lines)
        assert (lines.waits(), next(found), lines.waits()) == (False, b"one\n", True)
        os.write(start, b"o\r\n\nthree")
        assert (lines.waits(), next(found), next(found), lines.waits()) == (False, b"two\r\n", b"\n", True)
        os.close(start)
        assert (lines.waits(), list(found), lines.waits()) == (False, [b"three"], False)


def test_gzip_bomb_is_refused_and_the_way_round_named(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress((b"word O " * 200 + b"\n") * (MIN_BOMB // 1000), compresslevel=1))
    with pytest.raises(DataError) as caught:
        for _ in iter_lines(path):
            pass
    assert str(caught.value) == (
        f"{path}: must unpack to at most 100 times its {path.stat().st_size:,} bytes (or 100,000,000 bytes), got more, "
        "as from a gzip bomb; if it is genuine, unpack it with gunzip and name the unpacked file"
    )


def test_well_packed_small_file_is_no_bomb(tmp_path: Path) -> None:
    data = b"a O\n" * 1_000_000
    packed = gzip.compress(data, mtime=0)
    assert len(data) > 200 * len(packed)
    assert read_bytes(write(tmp_path, packed)) == data


def test_a_file_that_is_gzip_by_its_name_alone_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, b"Ada O\n", "train.conll.gz")
    with pytest.raises(DataError, match=r"train.conll.gz: must be gzip as its name says, got other bytes"):
        read_lines(path)
