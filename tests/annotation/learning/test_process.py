"""The process that trains, from the side of the page."""

import time
from pathlib import Path

import pytest
from annotation.projects import make_project

from tagger.annotation.project import Project


def test_process_is_ended_with_the_project_and_started_again_if_it_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "notes.sqlite"
    make_project(path, start="nowhere").close()
    project = Project(path)
    monkeypatch.setattr("tagger.annotation.learning.process.RESTART", 0.0)
    assert project._process is not None
    first = project._process._process
    assert first is not None
    first.kill()
    first.wait()
    project.progress()
    second = project._process._process
    assert second is not None
    assert second is not first
    began = time.monotonic()
    project.close()
    assert second.poll() is not None
    assert time.monotonic() - began < 30
