"""Files that are no corpus: how they are read, and what follows from the corpora of training."""

from pathlib import Path
from typing import get_args

import pytest

from tagger.config import ReadingConfig
from tagger.corpus.files import change_reading, read_sentences
from tagger.errors import RecipeError
from tagger.text.choices import FileFormat


def test_files_to_be_scored_need_not_have_every_type_that_is_renamed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("a\tB-LOC\nb\tO\n", encoding="utf-8")
    config = ReadingConfig(
        format="conll", columns=("token", "ner"), scheme="iob2", rename={"PER": "person", "LOC": "place"}
    )
    sentences, notes = read_sentences([path], config)
    assert [sentence.tags("ner") for sentence in sentences] == [("B-place", "O")]
    assert notes == ("renamed 'PER' to 'person' 0 times", "renamed 'LOC' to 'place' 1 time")


def test_files_to_be_scored_need_a_format() -> None:
    for trained in ([], [ReadingConfig(format="synthetic")], [ReadingConfig()]):
        with pytest.raises(RecipeError) as caught:
            change_reading(trained, {"layer": "x"})
        *names, last = get_args(FileFormat)
        assert str(caught.value) == f"say the format of the files with --format ({', '.join(names)} or {last})"


def test_reading_of_several_corpora_is_what_they_share_and_the_rest_is_asked_for() -> None:
    one = ReadingConfig(format="conll", columns=("token", "ner"), scheme="iob1", invalid="repair")
    two = one.model_copy(update={"columns": ("token", "btc"), "scheme": "iob2"})
    labelled = ReadingConfig(format="labelled", layer="x")
    assert change_reading([one, one, ReadingConfig()], {}) == one
    assert change_reading([one, two], {"columns": ("token", "ner")}) == one.model_copy(update={"scheme": None})
    assert change_reading([one, labelled], {"format": "labelled"}) == labelled
    for others, key, found in (
        ([one, two], "columns", "`token,ner`, `token,btc`"),
        ([one, labelled], "format", "`conll`, `labelled`"),
    ):
        with pytest.raises(RecipeError) as caught:
            change_reading(others, {})
        assert str(caught.value) == f"--{key} must be given, because the files of training differ in it: {found}"


def test_reading_is_that_of_training_but_for_what_is_given() -> None:
    trained = ReadingConfig(format="conll", columns=("token", "_", "ner"), scheme="iob1", drop=("MISC",))
    assert change_reading([trained], {"format": None, "scheme": None}) == trained
    changed = change_reading([trained], {"columns": ("token", "ner")})
    assert (changed.columns, changed.scheme, changed.drop) == (("token", "ner"), "iob1", ("MISC",))
    assert change_reading([trained], {"format": "jsonl"}) == ReadingConfig(format="jsonl")


def test_entities_that_do_not_fit_count_as_missed_unless_a_policy_is_given(tmp_path: Path) -> None:
    trained = ReadingConfig(format="jsonl", layer="x", misaligned="expand", nested="outermost", scheme="bioes")
    path = tmp_path / "gold.jsonl"
    path.write_text('{"text": "Berlin", "label": [[0, 3, "LOC"], [0, 6, "ORG"]]}', encoding="utf-8")
    (sentence,), notes = read_sentences([path], change_reading([trained], {}))
    assert (sentence.tags("x"), sentence.tag_layer("x").unaligned) == (("S-ORG",), (("LOC", 0, 3),))
    assert notes[0].startswith("counted as missed: 1 entity that begins or ends inside a token, the first 'Ber'")
    given = {"misaligned": "expand", "nested": "innermost"}
    (sentence,), notes = read_sentences([path], change_reading([trained], given), chosen=given)
    assert (sentence.tags("x"), sentence.tag_layer("x").unaligned) == (("S-LOC",), ())
    assert [note.split(", the first")[0] for note in notes] == [
        "expanded 1 entity that begins or ends inside a token",
        "dropped 1 entity that is nested",
    ]
    (tmp_path / "a.txt").write_text("Berlin", encoding="utf-8")
    (tmp_path / "a.ann").write_text("T1\tLOC 0 6\tBerlin", encoding="utf-8")
    (sentence,), _ = read_sentences([tmp_path], change_reading([trained], {"format": "brat"}))
    assert (sentence.tags("ner"), sentence.document) == (("B-LOC",), "a")
