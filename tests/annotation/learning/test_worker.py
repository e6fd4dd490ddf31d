"""The process that trains, from its first judgement to its model."""

import time
from pathlib import Path

import pytest
from annotation.projects import judged_project

import tagger
from tagger.annotation.learning.worker import folder_of
from tagger.annotation.project import Project
from tagger.annotation.store.trainings import AFTER


@pytest.mark.slow
def test_process_trains_beside_the_page(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    judged_project(path, types=["product", "organization"]).close()
    project = Project(path)
    try:
        until = time.monotonic() + 120
        while not project.progress()["trainings"]:
            assert time.monotonic() < until
            time.sleep(0.5)
        found = project.progress()
        assert found["next_training_in"] == AFTER
        assert found["error"] is None
        assert tagger.load(folder_of(path)).layers == ("ner",)
    finally:
        project.close()
