"""Sentences with one label: from lines `label TAB text`, or from a file a class."""

from pathlib import Path

import pytest
from readers import read_labelled

from tagger.config import ClassRange
from tagger.errors import DataError
from tagger.formats.texts.labelled import read_classes
from tagger.text.tokenization import TextRules


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


def test_lines_without_label_or_text_are_reported_together(tmp_path: Path) -> None:
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
    files = read_classes({"pos": good, "neg": str(bad)}, "mood", TextRules("blanks"))
    assert [[(s.tokens, s.label("mood").value) for s in file] for file in files] == [
        [(("good", "."), "pos"), (("fine",), "pos")],
        [(("a", "b"), "neg")],
    ]


def test_blank_lines_and_missing_files_of_all_classes_are_reported_together(tmp_path: Path) -> None:
    good, bad = write(tmp_path, "good\n\nfine\n", "good"), write(tmp_path, " \nbad\n", "bad")
    with pytest.raises(DataError) as caught:
        read_classes({"none": tmp_path / "nowhere", "pos": good, "neg": bad}, "mood", TextRules())
    missing, *lines = str(caught.value).splitlines()
    assert missing.startswith(f"{tmp_path}/nowhere: ")
    assert lines == [
        f"{good}:2: must hold a sentence, got a blank line",
        f"{bad}:1: must hold a sentence, got a blank line",
    ]


CLASSES = {"bad": ClassRange(below=-0.5), "good": ClassRange(above=0.5), "neither": ClassRange()}


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("-4", "bad"),
        ("-0.51", "bad"),
        ("-0.5", "neither"),
        ("0", "neither"),
        ("0.5", "neither"),
        ("5e-1", "neither"),
        ("0.5000001", "good"),
        ("inf", "good"),
    ],
)
def test_a_number_becomes_the_class_whose_range_it_is_in(tmp_path: Path, number: str, expected: str) -> None:
    path = write(tmp_path, f"17\t{number}\tIt is.\r\n")
    (sentence,) = read_labelled(path, "mood", columns=("_", "mood", "text"), classes=CLASSES)
    assert (sentence.tokens, sentence.label("mood").value) == (("It", "is", "."), expected)


def test_columns_may_stand_in_any_order_and_the_last_keeps_its_tabs(tmp_path: Path) -> None:
    (first,) = read_labelled(write(tmp_path, "so it is\t9\tgood"), "mood", columns=("text", "_", "mood"))
    assert (first.text, first.label("mood").value) == ("so it is", "good")
    (second,) = read_labelled(write(tmp_path, "9\tgood\tso\tit is"), "mood", columns=("_", "mood", "text"))
    assert second.text == "so\tit is"


def test_lines_without_the_columns_or_a_class_are_reported_together(tmp_path: Path) -> None:
    path = write(tmp_path, "1\t0.9\tgood\n2\t0.9\n3\thigh\tgood\n4\tnan\tgood\n5\t-0.2\tbad\n6\t0\tso\n")
    overlapping = {"low": ClassRange(below=0.0), "high": ClassRange(above=-0.5)}
    with pytest.raises(DataError) as caught:
        read_labelled(path, "mood", columns=("_", "mood", "text"), classes=overlapping)
    assert str(caught.value).splitlines() == [
        f"{path}:2: must be _ TAB mood TAB text, got '2\\t0.9'",
        f"{path}:3: the label must be a number, which `classes` turns into a class, got 'high'",
        f"{path}:4: the label must be a number, which `classes` turns into a class, got 'nan'",
        f"{path}:5: the label must be in one range of `classes`, got -0.2, which is in 2",
    ]
