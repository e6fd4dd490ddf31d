"""Packed files are recognised by their first bytes, read as one file whatever their members, and never cut silently."""

import gzip
import io
import sys
from pathlib import Path

import pytest

from tagger.errors import DataError, MissingExtraError
from tagger.files.packing import Packed, packing_of_bytes, packing_of_name, unpacked_name
from tagger.files.reading import iter_lines, raw_lines, read_bytes

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = "Ada\u00e9 lives in Oslo\n" * 200
PACK = {"gzip": gzip.compress, "zstd": zstd.compress}
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00size"  # a zstd frame without data, as parallel packers write it
ENDING = {"gzip": ".gz", "zstd": ".zst"}
BOTH = pytest.mark.parametrize("packing", PACK)


def packed(packing: str, *parts: bytes) -> bytes:
    stream = io.BytesIO()
    with Packed(stream, packing, "out") as out:  # type: ignore[arg-type]
        for part in parts:
            out.write(part)
            out.end_member()
    return stream.getvalue()


def test_names_say_how_a_file_is_packed() -> None:
    assert [packing_of_name(name) for name in ("a.jsonl.gz", "a.ZST", "a.jsonl", "gz")] == ["gzip", "zstd", None, None]
    assert [unpacked_name(name) for name in ("b/a.jsonl.gz", "a.ZST", "a.jsonl")] == ["b/a.jsonl", "a", "a.jsonl"]


@BOTH
def test_bytes_show_how_a_file_is_packed_whatever_its_name(packing: str, tmp_path: Path) -> None:
    data = PACK[packing](TEXT.encode())
    assert packing_of_bytes(data) == packing
    assert packing_of_bytes(b"") is packing_of_bytes(b"{") is packing_of_bytes(b"Ada\tO") is None
    (tmp_path / "a.conll").write_bytes(data)
    assert list(iter_lines(tmp_path / "a.conll")) == TEXT.splitlines()


@BOTH
def test_several_members_are_one_file(packing: str, tmp_path: Path) -> None:
    one, two = PACK[packing](b"a\nb"), PACK[packing](b"c\nd\n")
    (tmp_path / "a").write_bytes((SKIPPABLE if packing == "zstd" else b"") + one + two)
    assert list(iter_lines(tmp_path / "a")) == ["a", "bc", "d"]


@BOTH
@pytest.mark.parametrize(
    "damage", ["cut", "only a header", "damaged", "cut in the second member", "other bytes behind"]
)
def test_broken_data_are_refused_with_their_name(packing: str, damage: str, tmp_path: Path) -> None:
    whole = packed(packing, TEXT.encode())
    data = {
        "cut": whole[:-5],
        "only a header": whole[:6],
        "damaged": whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 255]) + whole[len(whole) // 2 + 1 :],
        "cut in the second member": whole + whole[:-5],
        "other bytes behind": whole + b"Ada O\n",
    }[damage]
    path = tmp_path / f"a.conll{ENDING[packing]}"
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read_bytes(path)
    assert str(caught.value) == f"{path}: the {packing} data are broken or cut short; fetch the file again"


@BOTH
def test_what_is_packed_by_its_name_alone_is_refused(packing: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.conll{ENDING[packing]}"
    path.write_bytes(PACK["zstd" if packing == "gzip" else "gzip"](b"Ada O\n"))
    with pytest.raises(DataError, match=f"must be {packing} as its name says, got other bytes; fetch it again"):
        read_bytes(path)
    path.write_bytes(b"")
    assert read_bytes(path) == b""


@BOTH
def test_written_members_are_whole_after_each_and_the_same_each_time(packing: str) -> None:
    content = TEXT.encode()
    one, two = packed(packing, content), packed(packing, content, b"", b"more\n")
    unpack = {"gzip": gzip.decompress, "zstd": zstd.decompress}[packing]
    assert two.startswith(one)
    assert (unpack(one), unpack(two)) == (content, content + b"more\n")
    assert unpack(packed(packing)) == b""
    assert two == packed(packing, content, b"", b"more\n")


def test_position_is_that_in_the_packed_file(tmp_path: Path) -> None:
    lines = [f"{number * 7919 % 104729}\n".encode() for number in range(300_000)]
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"".join(lines)))
    files: list[io.BufferedReader] = []
    reading = raw_lines(path, opened=files.append)  # type: ignore[arg-type]
    for _ in range(150_000):
        next(reading)
    assert files[0].tell() / path.stat().st_size == pytest.approx(0.5, abs=0.2)


def test_frame_that_needs_much_memory_is_refused_with_the_way_round(tmp_path: Path) -> None:
    window = {zstd.CompressionParameter.window_log: 28, zstd.CompressionParameter.enable_long_distance_matching: 1}
    compressor = zstd.ZstdCompressor(options=window)
    path = tmp_path / "a.zst"
    path.write_bytes(compressor.compress(b"Ada O\n") + compressor.flush(compressor.FLUSH_FRAME))
    with pytest.raises(DataError, match="its zstd frames need more; unpack it with unzstd --long=31"):
        read_bytes(path)


def test_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(zstd.compress(b"Ada O\n"))
    for name in ("backports.zstd", "compression.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("backports", "compression"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"a: zstd needs the package backports.zstd, which is not installed; "):
        read_bytes(tmp_path / "a")
