"""Files whose format, columns and labels are not given."""

from pathlib import Path

import pytest

from tagger.corpus.detecting import label_comments, read_detected, with_labels
from tagger.errors import DataError
from tagger.formats.tally import Tally
from tagger.text.sentence import Label

CONLL = "Ada\tB-PER\nsleeps\tO\n\nOslo\tB-LOC\n"


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def test_format_and_columns_are_detected_and_noted(tmp_path: Path) -> None:
    found = read_detected([write(tmp_path, "gold.txt", CONLL)], {"scheme": None, "layer": "ner"}, Tally())
    assert [sentence.tokens for sentence in found.sentences] == [("Ada", "sleeps"), ("Oslo",)]
    assert found.notes == (f"detected format conll with columns token, ner in {tmp_path / 'gold.txt'}",)
    assert found.used == frozenset()  # `layer` names nothing in columns


def test_settings_that_say_something_about_the_format_are_used(tmp_path: Path) -> None:
    given = {"columns": ("ner", "token"), "delimiter": "tab", "unknown": "?", "language": "en"}
    found = read_detected([write(tmp_path, "a.txt", "B-PER\tAda\n?\tsleeps\n")], given, Tally())
    assert (found.sentences[0].tokens, found.sentences[0].tags("ner")) == (("Ada", "sleeps"), ("B-PER", None))
    assert found.used == frozenset(given)
    path = write(tmp_path, "b.tsv", "good\ta fine film\nbad\ta dull one\n")
    assert read_detected([path], {}, Tally()).sentences[1].label("label") == Label("bad")
    named = read_detected([path], {"columns": ("mood", "text")}, Tally())
    assert named.sentences[1].label("mood") == Label("bad")


def test_brat_annotations_are_read_with_their_text(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "Ada sleeps")
    found = read_detected([write(tmp_path, "a.ann", "T1\tPER 0 3\tAda\n")], {}, Tally())
    assert found.sentences[0].tag_layer("ner").tags == ("B-PER", "O")


def test_a_folder_of_brat_annotations_is_detected_by_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.txt", "Ada sleeps")
    write(tmp_path, "a.ann", "T1\tPER 0 3\tAda\n")
    monkeypatch.chdir(tmp_path)
    for name in (".", "./", f"../{tmp_path.name}", str(tmp_path)):
        assert read_detected([name], {}, Tally()).config.format == "brat"
    (tmp_path / "a.ann").unlink()
    with pytest.raises(DataError, match=r"^\.: must be a file, got a folder; name a file in it$"):
        read_detected(["."], {}, Tally())


def test_documents_of_several_files_have_names_of_their_own_and_lines_are_watched(tmp_path: Path) -> None:
    path, lines = write(tmp_path, "a.txt", f"-DOCSTART-\tO\n\n{CONLL}"), 0

    def watch(items: object) -> object:
        nonlocal lines
        for item in items:  # type: ignore[attr-defined]
            lines += 1
            yield item

    found = read_detected([path, path], {}, Tally(), watch=watch)  # type: ignore[arg-type]
    assert [sentence.document for sentence in found.sentences] == ["1.1", "1.1", "2.1", "2.1"]
    assert lines >= 12


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
def test_an_empty_file_is_an_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataError, match=r"a.conll: the file must not be empty, got .*; check the path"):
        read_detected([write(tmp_path, "a.conll", content)], {}, Tally())


def test_comments_with_few_frequent_values_look_like_labels(tmp_path: Path) -> None:
    each = "# id = {}\n# intent = {}\nAda\tB-PER\nsleeps\tO\n\n"
    content = "".join(each.format(i, "go" if i % 2 else "stay") for i in range(10))
    sentences = read_detected([write(tmp_path, "a.conll", content)], {}, Tally()).sentences
    assert list(label_comments(sentences)) == ["intent"]
    assert with_labels(sentences[1], ["intent", "mood"]).label("intent") == Label("go")
