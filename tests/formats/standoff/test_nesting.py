"""Nested entities become layers of their own, by depth."""

from pathlib import Path

import readers

from tagger.formats.standoff.alignment import Entity
from tagger.formats.standoff.nesting import by_depth


def test_entities_inside_others_have_a_layer_for_each_depth() -> None:
    outer, middle, inner, beside = Entity("A", 0, 9), Entity("B", 0, 5), Entity("C", 0, 5), Entity("D", 10, 12)
    overlapping = Entity("E", 11, 14)
    found = by_depth({"ner": [inner, overlapping, beside, middle, outer, outer]})
    assert found["ner"] == [outer, outer, beside, overlapping]
    assert (found["ner2"], found["ner3"]) == ([inner], [middle])


def test_layers_are_in_all_sentences_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"text": "New York Times", "label": [[0, 14, "ORG"], [0, 8, "LOC"]]}\n{"text": "It rained", "label": []}\n',
        encoding="utf-8",
    )
    first, second = readers.read("jsonl", path, nested="layers")
    assert first.tags("ner") == ("B-ORG", "I-ORG", "I-ORG")
    assert first.tags("ner2") == ("B-LOC", "I-LOC", "O")
    assert second.tags("ner2") == ("O", "O")


def test_brat_has_them_too(tmp_path: Path) -> None:
    for name, annotations in (("a", "T1\tORG 0 8\tNew York\nT2\tLOC 4 8\tYork\n"), ("b", "")):
        (tmp_path / f"{name}.txt").write_text("New York")
        (tmp_path / f"{name}.ann").write_text(annotations)
    first, second = readers.read("brat", tmp_path, nested="layers")
    assert (first.tags("ner2"), second.tags("ner2")) == (("O", "B-LOC"), ("O", "O"))
