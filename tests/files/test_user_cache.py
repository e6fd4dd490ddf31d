"""The user's cache folder follows the settings of the system, and one of the library's own; its path is absolute."""

from pathlib import Path

import pytest

from tagger.files.user_cache import user_cache


def test_the_most_specific_setting_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TAGGER_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: Path("home"))
    assert user_cache() == Path("home/.cache/tagger").absolute()
    for name, value, expected in (
        ("LOCALAPPDATA", "l", "l/tagger"),
        ("XDG_CACHE_HOME", "x", "x/tagger"),
        ("TAGGER_CACHE", "t", "t"),
    ):
        monkeypatch.setenv(name, value)
        assert user_cache() == Path(expected).absolute()
