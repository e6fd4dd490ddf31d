"""Texts in the file: each comes back as it was given, with its document."""

from pathlib import Path

import numpy as np
import pytest
from annotation.projects import documents, make_project

from tagger.annotation.project import Project
from tagger.errors import DataError
from tagger.text.document import Document
from tagger.text.frames import frames_of
from tagger.text.sentence import Sentence, sentence_of_frames


def test_text_keeps_id_columns_and_offsets(tmp_path: Path) -> None:
    store = make_project(tmp_path / "notes.sqlite").store
    text = store.texts.one(2)
    assert text.sentence == documents()[1].sentences[0].__class__(
        ("Oslo", "is", "cold", "today"), "Oslo is cold today", ((0, 4), (5, 7), (8, 12), (13, 18)), document="2"
    )
    assert text.sentence.record == {"id": "n2", "channel": "mail"}
    store.close()


def test_documents_stay_apart_whatever_their_ids(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    given = [
        Document(t, (Sentence.from_tokens([t]),), id=id) for t, id in [("a", 2), ("b", None), ("c", 3), ("d", "3")]
    ]
    project = Project.create(path, given, types=["person"], teach=False)
    assert len({text.sentence.document for text in project.store.texts.all()}) == 4
    project.close()


def test_record_that_is_no_json_is_one_sentence(tmp_path: Path) -> None:
    store = make_project(tmp_path / "notes.sqlite").store
    with store.database.changes() as connection:
        connection.execute("UPDATE documents SET record = '{'")
    with pytest.raises(DataError, match=r"notes\.sqlite: expected a whole project, got invalid JSON"):
        store.texts.all()


def test_sequences_of_numbers_are_no_texts(tmp_path: Path) -> None:
    sentence = sentence_of_frames(frames_of(np.ones((2, 1))))
    with pytest.raises(DataError, match="expected a text to annotate, got frames; give a file of texts"):
        Project.create(tmp_path / "notes.sqlite", [Document(sentence.text, (sentence,))], types=["PER"], teach=False)
    assert list(tmp_path.iterdir()) == []
