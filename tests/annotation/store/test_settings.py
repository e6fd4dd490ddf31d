"""Settings in the file."""

import json
from pathlib import Path

from annotation.projects import make_project

from tagger.annotation.store.settings import Settings


def test_settings_are_json(tmp_path: Path) -> None:
    store = make_project(tmp_path / "notes.sqlite", seed=4).store
    assert store.settings == Settings(["person", "location"], start="english", seed=4, gold=0)
    assert json.loads(store.database.first("SELECT value FROM settings WHERE key = 'types'")[0]) == [
        "person",
        "location",
    ]
    store.close()
