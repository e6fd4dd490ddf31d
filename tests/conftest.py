"""What all tests share: where the real corpora are, and what the summary says when they are not."""

import os
from pathlib import Path

import pytest

REQUIRED = os.environ.get("TAGGER_REQUIRE_DATA") == "1"


def _data_folder() -> Path | None:
    value = os.environ.get("TAGGER_DATA")
    return Path(value).resolve() if value and Path(value).is_dir() else None


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real corpora; a test that asks for it is skipped, or fails, where it is not there."""
    folder = _data_folder()
    if folder is None:
        (pytest.fail if REQUIRED else pytest.skip)("needs real data: set TAGGER_DATA to the folder of corpora")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "data_folder" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.data)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "TAGGER_DATA" in str(r.longrepr)]
    if skipped:
        terminalreporter.write_line(
            f"{len(skipped)} tests on real data were skipped, for $TAGGER_DATA is not set to their folder", yellow=True
        )
