"""The file of a project: what was acknowledged survives a kill, and only projects open."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from annotation.projects import documents, make_project

from tagger.annotation.project import Project
from tagger.annotation.store import Store
from tagger.errors import DataError
from tagger.text.document import Document
from tagger.text.frames import frames_of
from tagger.text.sentence import Sentence, sentence_of_frames

JUDGE = """
import os, sys
from tagger.annotation.store import Store
for attempt in range(20):
    if child := os.fork():
        print(child, flush=True)
        os.waitpid(child, 0)
        print("end", flush=True)
        sys.stdin.readline()  # until the file was checked
        continue
    store = Store(sys.argv[1])
    number = store.count_judgements()
    while True:
        store.judge(1 + number % 4, "tokens", 0, 1, "person", person=str(number))
        number += 1
        os.write(1, f"judged {number}\\n".encode())
"""  # a process that imports the library once, and a child that judges until it is killed, again and again


def test_twenty_kills_lose_no_judgement_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    make_project(path).close()
    with subprocess.Popen(
        [sys.executable, "-c", JUDGE, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for attempt in range(20):
            child, acknowledged = None, attempt
            while child is None or acknowledged == attempt:  # both lines come, in either order
                word, _, number = process.stdout.readline().strip().partition(" ")
                child, acknowledged = (child, int(number)) if number else (int(word), acknowledged)
            time.sleep(0.003 * attempt)
            os.kill(child, signal.SIGKILL)
            while (line := process.stdout.readline()) != "end\n":
                acknowledged = int(line.removeprefix("judged "))
            store = Store(path)
            said = store.judgements()
            assert len(said) >= acknowledged > attempt
            assert [each.person for each in said] == [str(number) for number in range(len(said))]
            assert store._one("PRAGMA integrity_check")[0] == "ok"
            store.close()
            process.stdin.write("go on\n")
            process.stdin.flush()


def test_training_that_a_kill_cut_short_is_forgotten(tmp_path: Path) -> None:
    store = make_project(tmp_path / "notes.sqlite").store
    store.begin_training()
    assert [training.seconds for training in store.trainings()] == [None]
    store.forget_unfinished()
    store.end_training(store.begin_training(), 1.5, {"score": None})
    assert [training.seconds for training in store.trainings()] == [1.5]
    store.close()


def test_training_that_begins_and_fails_changes_no_other_one(tmp_path: Path) -> None:
    store = make_project(tmp_path / "notes.sqlite").store
    first, second = store.begin_training(), store.begin_training()
    store.end_training(second, 0.0, {"error": "no model"})
    store.end_training(first, 1.5, {"score": None})
    assert [(each.seconds, dict(each.facts)) for each in store.trainings()] == [
        (1.5, {"score": None}),
        (0.0, {"error": "no model"}),
    ]
    store.close()


def test_text_keeps_id_columns_and_offsets(tmp_path: Path) -> None:
    store = make_project(tmp_path / "notes.sqlite").store
    text = store.text(2)
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
    assert len({text.sentence.document for text in project.store.texts()}) == 4
    project.close()


def test_file_that_is_no_project_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    with pytest.raises(DataError, match=r"notes\.sqlite: there is no such file; make one with tagger annotate"):
        Store(path)
    path.write_text("no database, but longer than the head of one " * 5)
    with pytest.raises(DataError, match="expected a project of tagger annotate, got a file that is none"):
        Store(path)
    path.unlink()
    sqlite3.connect(path).execute("CREATE TABLE other (id)").connection.close()
    with pytest.raises(DataError, match="of version 1, got another database"):
        Store(path)


def test_project_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    make_project(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    with pytest.raises(DataError, match=r"got one of version 2; upgrade tagger"):
        Store(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DROP TABLE settings", "SQLite says: no such table: settings"),
        ("DROP TABLE judgements", "SQLite says: no such table: judgements"),
        ("DELETE FROM settings WHERE key = 'types'", "expected a whole project, got no setting `types`"),
        ("UPDATE settings SET value = '{'", "expected a whole project, got invalid JSON"),
        ("UPDATE texts SET tokens = '['", "SQLite says: malformed JSON"),
        ("UPDATE texts SET offsets = '[[0, 3]]' WHERE id = 2", "expected a whole project, got an invalid text 2"),
        ("UPDATE judgements SET stop = 99", "expected a whole project, got an invalid judgement 1"),
        ("UPDATE judgements SET kind = 'other'", "expected a whole project, got an invalid judgement 1"),
        ("DELETE FROM texts WHERE id = 1", "expected a whole project, got an invalid judgement 1"),
    ],
)
def test_damaged_project_is_refused(tmp_path: Path, change: str, said: str) -> None:
    path = tmp_path / "notes.sqlite"
    project = make_project(path)
    project.judge(1, 0, 1, "person")
    project.close()
    connection = sqlite3.connect(path)
    connection.executescript(change)
    connection.close()
    with pytest.raises(DataError, match=rf"notes\.sqlite: .*{said}.*; .*use a copy of the file$"):
        Store(path)


def test_damaged_pages_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    make_project(path, [f"text number {n} of all" for n in range(200)]).close()
    content = path.read_bytes()
    path.write_bytes(content[: 4096 * 3] + b"\xff" * 4096 * 4 + content[4096 * 7 :])
    with pytest.raises(DataError, match=r"notes\.sqlite: .*; .*use a copy of the file$"):
        Store(path)


def test_file_that_is_damaged_while_it_is_open_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    store = make_project(path).store
    path.write_bytes(b"x" * path.stat().st_size)
    calls = (store.texts, store.settings, lambda: store.judge(1, "tokens", 0, 1), lambda: store.copy(tmp_path / "copy"))
    for call in calls:
        with pytest.raises(DataError, match=r"notes\.sqlite: .*but SQLite says: .*, or use a copy of the file$"):
            call()


def test_record_that_is_no_json_is_one_sentence(tmp_path: Path) -> None:
    store = make_project(tmp_path / "notes.sqlite").store
    with store.changes() as connection:
        connection.execute("UPDATE documents SET record = '{'")
    with pytest.raises(DataError, match=r"notes\.sqlite: expected a whole project, got invalid JSON"):
        store.texts()


def test_sequences_of_numbers_are_no_texts(tmp_path: Path) -> None:
    sentence = sentence_of_frames(frames_of(np.ones((2, 1))))
    with pytest.raises(DataError, match="expected a text to annotate, got frames; give a file of texts"):
        Project.create(tmp_path / "notes.sqlite", [Document(sentence.text, (sentence,))], types=["PER"], teach=False)
    assert list(tmp_path.iterdir()) == []


def test_project_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    with pytest.raises(DataError, match="expected at least one text with a word, got none"):
        make_project(path, [])
    assert list(tmp_path.iterdir()) == []
    make_project(path).close()
    assert [file.name for file in tmp_path.iterdir()] == ["notes.sqlite"]
    with pytest.raises(DataError, match="the file exists; open it with tagger annotate"):
        make_project(path)


def test_settings_are_json(tmp_path: Path) -> None:
    store = make_project(tmp_path / "notes.sqlite", seed=4).store
    assert store.settings() == {"types": ["person", "location"], "start": "english", "seed": 4, "gold": 0}
    assert json.loads(store._one("SELECT value FROM settings WHERE key = 'types'")[0]) == ["person", "location"]
    store.close()
