"""The data doctor on entities as characters: counts are the readers', and a misfit has text, place and cause."""

import json
from pathlib import Path

import pytest

from tagger.data.audit import check
from tagger.data.corpus import load_corpus

TEXT = "Ada Lovelace lives in Oslo .\n"
FITTING = "T1\tPER 0 12\tAda Lovelace\nT2\tLOC 22 26\tOslo\n"
WRONG = [
    ("T3\tPER 0 2\tAd", "an entity must begin and end with a token, got 'Ad' (PER, characters 0 to 2)"),
    ("T3\tLOC 4 12\tLovelace", "an entity must not stand in another, got"),
    ("T3\tLOC 4 18\tLovelace lives", "an entity must not overlap another, got 'Lovelace lives' (LOC"),
    ("T3\tLOC 13 18\tOslo", "an entity must read as it was annotated, got"),
    ("T3\tLOC 0 99\tAda", "an entity must stand inside its text, got 'Ada Love"),
    ("T3 broken", "must be an annotation"),
]


def make_brat(folder: Path, name: str = "a", annotations: str = FITTING) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_text(TEXT)
    (folder / f"{name}.ann").write_text(annotations)
    return folder


def test_a_folder_of_brat_is_counted_as_its_reader_reads_it(tmp_path) -> None:
    make_brat(make_brat(tmp_path / "set"), "b")
    diagnosis = check(tmp_path / "set")
    corpus = load_corpus(train=tmp_path / "set", format="brat")
    counts = diagnosis.splits["train"]
    assert (diagnosis.format, diagnosis.is_sound) == ("brat", True)
    assert (counts.documents, counts.sentences, counts.tokens) == (2, len(corpus.train), sum(map(len, corpus.train)))
    assert counts.entities == {"ner": {"PER": 2, "LOC": 2}}


def test_files_of_brat_are_texts_by_any_name(tmp_path) -> None:
    folder = make_brat(tmp_path / "set")
    text, annotations = folder / "a.txt", folder / "a.ann"
    for named in (folder, text, annotations, [text, annotations], {"train": folder}):
        assert check(named).splits["train"].entities == {"ner": {"PER": 1, "LOC": 1}}
    assert check(folder, format="brat").files == {"train": {str(folder): "brat"}}


def test_folders_of_brat_named_by_splits_are_these(tmp_path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    for split in ("train", "dev"):
        make_brat(folder / split)
    diagnosis = check(folder)
    assert list(diagnosis.splits) == ["train", "dev"]
    assert diagnosis.overlaps == {"dev in train": {"leak": 1, "near_leak": 0}}
    make_brat(folder / "other")
    assert check(folder).splits["train"].documents == 3


@pytest.mark.parametrize(("line", "message"), WRONG)
def test_an_annotation_that_does_not_fit_is_an_error_at_its_line(line: str, message: str, tmp_path) -> None:
    folder = make_brat(tmp_path / "set", annotations=f"{FITTING}{line}\n")
    (error,) = check(folder).errors
    assert (error.kind, error.place) == ("entity", f"{folder / 'a.ann'}:3")
    assert error.message.startswith(message)


def test_a_folder_without_texts_and_a_text_without_annotations_are_errors(tmp_path) -> None:
    (error,) = check(tmp_path, format="brat").errors
    assert "must hold texts (.txt)" in error.message
    folder = make_brat(tmp_path / "set")
    (folder / "b.txt").write_text(TEXT)
    (error,) = check(folder).errors
    assert (error.kind, "got no b.ann" in error.message) == ("form", True)


def test_json_with_character_spans_is_counted_and_its_misfits_are_found(tmp_path) -> None:
    rows = [
        {"text": "Ada naps in Oslo .", "label": [[0, 3, "PER"], [12, 16, "LOC"]], "id": 7},
        {"text": "Ada naps .", "label": [[1, 3, "PER"]]},
        {"text": "Ada naps .", "label": [[0, 8, "ACT"], [4, 10, "X"]]},
    ]
    path = tmp_path / "train.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    diagnosis = check(path)
    assert [(error.kind, error.place) for error in diagnosis.errors] == [("entity", f"{path}:{n}") for n in (2, 3)]
    assert diagnosis.splits["train"].entities["ner"]["LOC"] == 1
    assert f"the key 'id' of 1 texts is not read, the first in {path}" in diagnosis.notes


def test_a_scheme_that_is_named_for_entities_as_characters_is_said_to_be_unused(tmp_path) -> None:
    diagnosis = check(make_brat(tmp_path / "set"), scheme="bioes")
    assert diagnosis.is_sound
    assert any("the one that is named is not used" in note for note in diagnosis.notes)
