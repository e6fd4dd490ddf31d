"""A file is made whole, and only projects open."""

import sqlite3
from pathlib import Path

import pytest
from annotation.projects import make_project

from tagger.annotation.store.store import Store
from tagger.errors import DataError


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


def test_project_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    with pytest.raises(DataError, match="expected at least one text with a word, got none"):
        make_project(path, [])
    assert list(tmp_path.iterdir()) == []
    make_project(path).close()
    assert [file.name for file in tmp_path.iterdir()] == ["notes.sqlite"]
    with pytest.raises(DataError, match="the file exists; open it with tagger annotate"):
        make_project(path)
