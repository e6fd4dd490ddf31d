"""Stand-off annotation of brat: entities, pieces, other annotations, and files that are not there."""

from pathlib import Path
from typing import Any

import pytest
import readers

from tagger.corpus.corpus import load_corpus
from tagger.errors import DataError
from tagger.formats.tally import Tally
from tagger.text.sentence import Sentence

TEXT = "Sony formed a venture\nwith Ericsson. North and South America\r\nsaw it.\n"


def write(folder: Path, annotations: str, text: str = TEXT, name: str = "a") -> Path:
    path = folder / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    path.with_suffix(".ann").write_bytes(annotations.encode())
    return path


def read(path: Path, **settings: Any) -> tuple[list[Sentence], list[str]]:
    tally = Tally()
    return readers.read("brat", path, tally=tally, **settings), tally.notes()


def error_of(path: Path, **settings: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(path, **settings)
    return str(caught.value).replace(str(path.parent), "DIR")


def tagged(sentences: list[Sentence], layer: str = "ner") -> list[str]:
    return [f"{t}/{g}" for s in sentences for t, g in zip(s.tokens, s.tags(layer), strict=True) if g != "O"]


def test_entities_are_read_with_the_lines_of_their_tokens(tmp_path: Path) -> None:
    path = write(tmp_path, "T1\tOrg 0 4\tSony\r\nT2\tOrg 27 35\tEricsson\n\nT3\tLoc 47 60\tSouth America\n")
    (first, second), notes = read(path)
    assert tagged([first, second]) == ["Sony/B-Org", "Ericsson/B-Org", "South/B-Loc", "America/I-Loc"]
    assert (first.document, second.document, first.text, notes) == ("a", "a", TEXT, [])
    assert first.origin is not None
    assert [first.origin.at(first.tokens.index(w))[-6:] for w in ("Sony", "with")] == [".txt:1", ".txt:2"]
    assert second.origin is not None
    assert second.origin.at(second.tokens.index("saw"))[-2:] == ":3"


def test_layer_may_be_named_and_empty_annotations_are_no_entities(tmp_path: Path) -> None:
    assert tagged(read(write(tmp_path, "T1\tOrg 0 4\tSony"), layer="x")[0], "x") == ["Sony/B-Org"]
    sentences, _ = read(write(tmp_path, ""))
    assert (tagged(sentences), len(sentences)) == ([], 2)


def test_pieces_across_a_line_break_are_one_entity(tmp_path: Path) -> None:
    path = write(tmp_path, "T1\tX 14 21;22 26\tventure with\nT2\tY 53 60;62 65\tAmerica saw\n")
    assert tagged(read(path)[0]) == ["venture/B-X", "with/I-X", "America/B-Y", "saw/I-Y"]


def test_entity_in_pieces_is_reported_or_dropped(tmp_path: Path) -> None:
    path = write(tmp_path, "T1\tLoc 37 42;53 60\tNorth America\nT2\tLoc 47 60\tSouth America\n")
    assert error_of(path) == (
        "DIR/a.ann:1: an entity must be in one piece, got 'North and South America' (Loc, characters 37 to 60, "
        "as 'North America'); fix it, or choose misaligned = \"drop\""
    )
    for policy in ("drop", "expand"):
        sentences, notes = read(path, misaligned=policy)
        assert tagged(sentences) == ["South/B-Loc", "America/I-Loc"]
        assert [note.split(", the first")[0] for note in notes] == ["dropped 1 entity that is in several pieces"]


def test_annotations_that_are_no_entities_are_counted(tmp_path: Path) -> None:
    others = ["R1\tOrigin Arg1:T1 Arg2:T1", "E1\tRun:T1 A:T1", "A1\tNegation E1", "M1\tNegation E1"]
    others += ["N1\tReference T1 Wikipedia:1\tSony", "#1\tAnnotatorNotes T1\ta note", "*\tEquiv T1 T2"]
    _, notes = read(write(tmp_path, "\n".join([*others, "T1\tOrg 0 4\tSony"])))
    assert [note.split(", the first")[0] for note in notes] == ["ignored 7 annotations of brat that are no entities"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("T1 Org 0 4 Sony", "must be an annotation, such as T1<TAB>Type 0 5<TAB>words, got 'T1 Org 0 4 Sony'; fix it"),
        ("T1\tOrg 0\tSony", "must be an annotation, such as T1<TAB>Type 0 5<TAB>words, got 'T1\\tOrg 0\\tSony'"),
        ("T1\tOrg 0 4;\tSony", "must be an annotation, such as T1<TAB>Type 0 5<TAB>words, got 'T1\\tOrg 0 4;\\tSony'"),
        (
            "T1\tOrg 1 4\tSony",
            "an entity must have the text that was annotated, got 'ony' (Org, characters 1 to 4, as 'Sony')",
        ),
        ("T1\tOrg 1 4\tony", "an entity must begin and end with a token, got 'ony' (Org, characters 1 to 4) in 'Sony'"),
        ("T1\tOrg 90 94\tSony", "an entity must lie inside its text, got '' (Org, characters 90 to 94, as 'Sony')"),
        ("T1\tOrg 27 42\tEricsson. North", "an entity must lie in one sentence, got 'Ericsson. North'"),
    ],
)
def test_bad_line_gets_one_sentence_with_its_place(line: str, sentence: str, tmp_path: Path) -> None:
    assert error_of(write(tmp_path, f"\n{line}\n")).startswith(f"DIR/a.ann:2: {sentence}")


def test_folder_gives_its_texts_as_documents_and_all_problems_at_once(tmp_path: Path) -> None:
    for name in ("b", "a", "sub/c"):
        write(tmp_path, "T1\tOrg 0 4\tSony", name=name)
    sentences, _ = read(tmp_path)
    assert [s.document for s in sentences] == ["a", "a", "b", "b", "sub/c", "sub/c"]
    write(tmp_path, "T1\tOrg 0 3\tSon", name="a")
    (tmp_path / "b.ann").unlink()
    assert [line.split(": ")[0].split("/")[-1] for line in error_of(tmp_path).splitlines()] == ["a.ann:1", "b.txt"]


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: None])
def test_folder_without_texts_and_other_files_are_refused(make: Any, tmp_path: Path) -> None:
    path = tmp_path / "x"
    make(path)
    assert error_of(path) in (
        "DIR/x: the folder must hold texts (.txt) with their annotations (.ann), got none",
        "DIR/x: must be a folder or a text (.txt) with its annotations beside it (.ann)",
    )


def test_text_without_annotations_is_refused_and_so_is_a_blank_one_with_entities(tmp_path: Path) -> None:
    path = write(tmp_path, "T1\tOrg 0 1", text=" \n")
    assert error_of(path).startswith("DIR/a.txt: a text with entities must not be empty or white space")
    path.with_suffix(".ann").unlink()
    assert error_of(path).startswith("DIR/a.txt: must have its annotations beside it, got no a.ann")


def test_blank_text_without_entities_is_skipped_and_said(tmp_path: Path) -> None:
    path = write(tmp_path / "train", "T1\tOrg 0 4\tSony")
    for name in ("b", "c"):
        path.with_name(f"{name}.txt").write_text(" \n", encoding="utf-8")
        path.with_name(f"{name}.ann").write_text("", encoding="utf-8")
    corpus = load_corpus(train=tmp_path / "train", format="brat")
    assert {sentence.document for sentence in corpus.train} == {"a"}
    assert f"skipped 2 blank texts, the first at {tmp_path / 'train' / 'b.txt'}" in corpus.notes


def test_corpus_is_loaded_from_folders_and_texts(tmp_path: Path) -> None:
    path = write(tmp_path / "train", "T1\tOrg 0 4\tSony\nT2\tOrg 0 4\tSony")
    corpus = load_corpus(train=[tmp_path / "train", path], dev=path, format="brat")
    assert {s.document for s in corpus.train} == {"1.a", "2.a"}
    assert corpus.schemes == {"ner": "iob2"}
    assert [note.split(", the first")[0] for note in corpus.notes[:-1]] == ["dropped 3 entities that are given twice"]
