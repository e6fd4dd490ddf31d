"""The text to learn from: sentences of any format as lines."""

import gzip
from pathlib import Path

import pytest

from tagger.errors import DataError
from tagger.pretraining import texts
from tagger.pretraining.texts import Reading, hold_out, read_texts
from tagger.text.tokenization import TextRules

CONLL = "# text = Ada's\n1\tAda\tB-PER\n2\t's\tO\n\n1\tOslo\tB-LOC\n2\twaits\tO\n\n"


@pytest.fixture(autouse=True)
def _short_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "FEWEST", 3)


def test_plain_text_becomes_sentences_of_tokens_with_blanks_between(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Ada didn't wait. She left!\n\nOslo,  then\n")
    assert read_texts([path], Reading()) == "\nAda did n't wait .\nShe left !\nOslo , then\n"
    blanks = Reading(rules=TextRules("blanks"))
    assert read_texts([path], blanks) == "\nAda didn't wait. She left!\nOslo, then\n"


def test_several_files_packed_or_not_follow_each_other(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.txt", tmp_path / "b.txt.gz"
    plain.write_text("One two\n")
    packed.write_bytes(gzip.compress("Três\n".encode()))
    assert read_texts([plain, packed], Reading()) == "\nOne two\nTrês\n"


@pytest.mark.parametrize(
    ("name", "content", "reading"),
    [
        ("a.iob2", CONLL, Reading()),
        ("a.txt", CONLL, Reading("conll", ("_", "token", "ner"))),
        ("a.jsonl", '{"tokens": ["Ada", "\'s"]}\n{"tokens": ["Oslo", "waits"]}\n', Reading()),
    ],
)
def test_a_corpus_gives_its_tokens(tmp_path: Path, name: str, content: str, reading: Reading) -> None:
    path = tmp_path / name
    path.write_text(content)
    assert read_texts([path], reading) == "\nAda 's\nOslo waits\n"


def test_too_little_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "FEWEST", 1000)
    path = tmp_path / "a.txt"
    path.write_text("One two\n")
    with pytest.raises(DataError, match=r"a\.txt: the text must have at least 1,000 characters, got 9; give more text"):
        read_texts([path], Reading())
    with pytest.raises(DataError, match=r"a\.txt: the held-out text must have at least 1,000 characters, got 9"):
        read_texts([path], Reading(), name="the held-out text")


def test_the_last_lines_are_held_out() -> None:
    text = "\n" + "".join(f"line {i:03}\n" for i in range(100))
    kept, held_out = hold_out(text)
    assert kept + held_out[1:] == text
    assert held_out.startswith("\nline 09")
    assert kept.endswith("\n")
    assert 0.03 < len(held_out) / len(text) <= 0.055


def test_one_long_line_is_cut_where_it_must_be() -> None:
    text = "\n" + "x" * 998 + "\n"
    kept, held_out = hold_out(text)
    assert kept + held_out[1:] == text
    assert len(held_out) == 51
