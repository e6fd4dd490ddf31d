"""Files of other programs, of newer versions and damaged ones are refused."""

import sqlite3
from pathlib import Path

import pytest
from annotation.projects import make_project

from tagger.annotation.store.store import Store
from tagger.errors import DataError


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
        ("UPDATE settings SET value = '3' WHERE key = 'types'", "got the setting `types`, which must be a list"),
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
