"""Texts of a file become documents, whose names are the ids of their records where those say which is which."""

import json
from typing import Any

import pytest
import readers


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        ([7, 8], ["7", "7", "8", "8"]),
        (["b", 3], ["b", "b", "3", "3"]),
        ([7, "7"], ["1", "1", "2", "2"]),
        ([7, None], ["1", "1", "2", "2"]),
        ([7, " "], ["1", "1", "2", "2"]),
        ([7, [8]], ["1", "1", "2", "2"]),
    ],
)
def test_documents_have_the_ids_of_their_records_if_each_has_its_own(ids: list[Any], names: list[str]) -> None:
    rows = [{"id": id_, "text": "Ada sleeps. Bo wakes.", "label": [[0, 3, "PER"]]} for id_ in ids]
    sentences = readers.parse("jsonl", map(json.dumps, rows), where="f", segment=True)
    assert [sentence.document for sentence in sentences] == names
