"""Warnings about documents and groups in two splits."""

import json
from pathlib import Path
from typing import Any

import pytest

from tagger.corpus.corpus import Corpus
from tagger.doctor.check import check
from tagger.doctor.diagnosis import Diagnosis
from tagger.errors import DataError
from tagger.text.sentence import Sentence, TagLayer


def part(*documents: str) -> list[Sentence]:
    layers = {"ner": TagLayer(("O",))}
    return [Sentence.from_tokens([f"w{i}"], layers, document=name) for i, name in enumerate(documents)]


def groups(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    return [warning.to_dict() for warning in diagnosis.warnings if warning.kind == "group"]


def test_a_named_document_in_two_splits_is_a_warning_and_a_numbered_one_is_not() -> None:
    corpus = Corpus(part("a", "a", "1"), dev=part("b"), test=part("b", "a", "1", "2.1"))
    found = groups(check(corpus))
    assert [(row["split"], row["other_split"]) for row in found] == [("test", "train"), ("test", "dev")]
    assert found[0]["message"].startswith("document 'a' is in train too, at ")


def test_values_of_a_group_in_two_splits_are_warnings_with_their_places(tmp_path: Path) -> None:
    for name, ids in (("train", [1, 2, 3]), ("test", [3, 4])):
        rows = [{"id": i, "ticket_id": ticket, "text": f"{name} {i}", "label": []} for i, ticket in enumerate(ids)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    files = {name: tmp_path / f"{name}.jsonl" for name in ("train", "test")}
    assert groups(check(files)) == []
    (found,) = groups(check(files, group="ticket_id"))
    assert (found["place"], found["other"]) == (f"{files['test']}:1", f"{files['train']}:3")
    assert found["message"] == f"`ticket_id` '3' is in train too, at {files['train']}:3"
    with pytest.raises(DataError, match="got `ticket`, which no sentence has"):
        check(files, group="ticket")
