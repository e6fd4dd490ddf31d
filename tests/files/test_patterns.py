"""Patterns of paths: what they match, and what is no pattern."""

from pathlib import Path

import pytest

import tagger
from tagger.errors import DataError
from tagger.files.patterns import matching


def test_a_pattern_matches_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b_2.x", "a_10.x", "a_1.x", "a[1].x"):
        (tmp_path / name).touch()

    def names(pattern: str) -> list[str]:
        return [path.name for path in matching(tmp_path / pattern)]

    assert names("*_[0-9].x") == ["a_1.x", "b_2.x"]
    assert names("a_?*.x") == ["a_1.x", "a_10.x"]
    assert names("a[1].x") == ["a[1].x"]  # it exists
    assert names("c_*.x") == []
    assert names("missing.x") == ["missing.x"]


def test_a_recipe_reads_the_files_of_a_pattern_and_says_if_there_is_none(tmp_path: Path) -> None:
    for name in ("a1.tsv", "a2.tsv", "b1.tsv"):
        (tmp_path / name).write_text(f"{name}\tO\n\nx\tB-X\n")
    data = {"format": "conll", "columns": ["token", "ner"], "train": "a*.tsv", "dev": "b*.tsv"}
    recipe = tagger.Recipe(data=data, heads={"ner": {"kind": "tokens"}})
    corpus = tagger.load_corpora(recipe, data=tmp_path)["data"]
    assert [s.tokens[0] for s in corpus.train] == ["a1.tsv", "x", "a2.tsv", "x"]
    (tmp_path / "b1.tsv").unlink()
    with pytest.raises(DataError, match=r"b\*\.tsv: no such file"):
        tagger.load_corpora(recipe, data=tmp_path)
