"""The project of a test, and the end of all projects after each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from annotation.projects import OPEN, make_project

from tagger.annotation.project import Project


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of four texts."""
    return make_project(tmp_path / "notes.sqlite")
