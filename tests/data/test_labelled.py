"""Sentences with one label: from lines `label TAB text`, or from a file a class."""

from pathlib import Path

import pytest

from tagger.data.labelled import read_classes, read_labelled
from tagger.errors import DataError


def write(folder: Path, data: str, name: str = "a.tsv") -> Path:
    path = folder / name
    path.write_bytes(data.encode())
    return path


def test_line_is_a_label_a_tab_and_a_text(tmp_path: Path) -> None:
    path = write(tmp_path, "pos\tIt's good.\r\n neg \tbad\tand long\n")
    first, second = read_labelled(path, "mood")
    assert (first.tokens, first.label("mood").value, first.text) == (("It", "'s", "good", "."), "pos", "It's good.")
    assert (second.tokens, second.label("mood").value) == (("bad", "and", "long"), "neg")
    assert second.origin is not None
    assert second.origin.at(2) == f"{path}:2"


def test_text_that_is_tokenised_is_split_at_blanks_only(tmp_path: Path) -> None:
    (sentence,) = read_labelled(write(tmp_path, "pos\tit's  good."), "mood", tokenize="blanks")
    assert sentence.tokens == ("it's", "good.")


def test_lines_without_label_or_text_are_told_together(tmp_path: Path) -> None:
    path = write(tmp_path, "pos\tgood\nno tab\n\tno label\npos\t \n\n")
    with pytest.raises(DataError) as caught:
        read_labelled(path, "mood")
    assert str(caught.value).splitlines() == [
        f"{path}:2: must be a label, a tab and a text, got 'no tab'",
        f"{path}:3: must be a label, a tab and a text, got '\\tno label'",
        f"{path}:4: must be a label, a tab and a text, got 'pos\\t '",
        f"{path}:5: must be a label, a tab and a text, got ''",
    ]


def test_each_file_is_a_class(tmp_path: Path) -> None:
    good, bad = write(tmp_path, "good .\nfine\n", "good"), write(tmp_path, "a\tb\n", "bad")
    files = read_classes({"pos": good, "neg": str(bad)}, "mood", tokenize="blanks")
    assert [[(s.tokens, s.label("mood").value) for s in file] for file in files] == [
        [(("good", "."), "pos"), (("fine",), "pos")],
        [(("a", "b"), "neg")],
    ]


def test_blank_lines_and_missing_files_of_all_classes_are_told_together(tmp_path: Path) -> None:
    good, bad = write(tmp_path, "good\n\nfine\n", "good"), write(tmp_path, " \nbad\n", "bad")
    with pytest.raises(DataError) as caught:
        read_classes({"none": tmp_path / "nowhere", "pos": good, "neg": bad}, "mood")
    missing, *lines = str(caught.value).splitlines()
    assert missing.startswith(f"{tmp_path}/nowhere: ")
    assert lines == [
        f"{good}:2: must hold a sentence, got a blank line",
        f"{bad}:1: must hold a sentence, got a blank line",
    ]
