"""What tests of fetching share: a server, no pauses between tries, and no proxy or mirror of the user."""

from collections.abc import Iterator

import pytest
from file_server import Server, serving

from tagger.catalogue import download


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.0)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "TAGGER_DATA_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    with serving() as found:
        yield found
