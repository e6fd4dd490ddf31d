"""Types that no project can have."""

from pathlib import Path

import pytest
from annotation.projects import make_project

from tagger.errors import DataError


@pytest.mark.parametrize("types", [[], ["PER", "PER"], ["a b"], [""]])
def test_invalid_types_are_refused(tmp_path: Path, types: list[str]) -> None:
    with pytest.raises(DataError, match="--types: expected different names without white space, such as PER,ORG, got"):
        make_project(tmp_path / "notes.sqlite", types=types)
    assert list(tmp_path.iterdir()) == []
