"""Files are read as UTF-8 lines, or refused in one sentence that says where and what to do."""

import codecs
import gzip
from pathlib import Path

import pytest

from tagger.data.files import decode_lines, read_bytes, read_lines
from tagger.errors import DataError


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
        (b"a\rb\n", ["a\rb"]),
    ],
)
def test_lines_end_with_lf_or_crlf_and_nothing_else(data: bytes, lines: list[str], tmp_path: Path) -> None:
    assert read_lines(write(tmp_path, data)) == lines


def test_gzip_is_unpacked_whatever_the_name(tmp_path: Path) -> None:
    assert read_lines(write(tmp_path, gzip.compress("a\né\n".encode()))) == ["a", "é"]


def test_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no.conll"
    assert error_of(path) == f"{path}: no such file; check the path and the --data folder"


def test_folder_is_no_file(tmp_path: Path) -> None:
    assert error_of(tmp_path) == f"{tmp_path}: must be a file, got a folder; name a file in it"


def test_path_through_a_file_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, b"a") / "b"
    assert error_of(path) == f"{path}: the file cannot be read: Not a directory"


@pytest.mark.parametrize(
    ("data", "found"),
    [(b"", "no bytes"), (b"\n \n\t\r\n", "blank lines only"), (gzip.compress(b""), "no bytes")],
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
        "convert it to UTF-8"
    )


def test_cut_character_at_the_end_is_wrong_encoding(tmp_path: Path) -> None:
    path = write(tmp_path, "é".encode()[:1])
    assert error_of(path).startswith(f"{path}:1: must be UTF-8, got byte 0xc3 at byte 0 of the file")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_utf_16_is_told_by_its_mark(encoding: str, tmp_path: Path) -> None:
    path = write(tmp_path, "a O\n".encode(encoding))
    assert error_of(path) == f"{path}:1: must be UTF-8, got UTF-16 (by its byte order mark); convert it to UTF-8"


def test_utf_16_without_a_mark_is_a_binary_file(tmp_path: Path) -> None:
    assert "got a binary file (a zero byte)" in error_of(write(tmp_path, "a O\n".encode("utf-16-le")))


PACKED = gzip.compress(b"some text that is long enough to be packed\n" * 50)


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
