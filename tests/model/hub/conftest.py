"""What tests of the hub share: a local stand-in of it, and a model to publish."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import Hub, reached
from untrained import loud_model

from tagger.model.folder.torch_model import save_model


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with reached(monkeypatch, tmp_path) as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model with untrained weights, which finds many entities."""
    place = tmp_path_factory.mktemp("model")
    save_model(loud_model(), place, card='# A sequence tagger\n\n```python\nmodel = tagger.load("this folder")\n```\n')
    return place
