"""Control characters of a file do not reach a terminal."""

from collections.abc import Callable
from pathlib import Path

from tagger.wording import visible

Call = Callable[..., tuple[int, str, str]]


def test_control_characters_are_spelt_out_and_all_else_is_kept() -> None:
    assert visible("a\rb\x1b[2J\x07\x7f\x9b\0") == "a\\rb\\x1b[2J\\x07\\x7f\\x9b\\x00"
    assert visible("é\t日本\n[b]\\r") == "é\t日本\n[b]\\r"


def test_check_and_convert_print_no_control_character(
    call: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    path = tmp_path / "a\x1b[2J.conll"
    path.write_bytes(b"a\tB-X\x1b[2J\rb\tB-Y\x07\nb\tB-X\x1b\n")
    for arguments in (("check", path), ("convert", path, "-", "--to", "bioes"), ("check", tmp_path / "no\x1b.conll")):
        code, out, err = call(*arguments)
        assert code == 1
        assert (out + err).count("\\x1b")
        assert not set(out + err) & {"\x1b", "\x07", "\r"}
