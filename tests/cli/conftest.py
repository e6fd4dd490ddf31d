"""What tests of commands share: a command that is called as from a shell, and a model that was not trained."""

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from untrained import loud_model

from tagger.cli.app import main
from tagger.model.folder.torch_model import save_model


class Outcome(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Outcome]:
    def run(*arguments: object, text: str | bytes = b"") -> Outcome:
        data = text.encode() if isinstance(text, str) else text
        monkeypatch.setattr(sys, "argv", ["tagger", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capfdbinary.readouterr()
        return Outcome(int(stop.value.code or 0), out.decode(), err.decode())

    return run


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model with untrained weights, which finds many entities."""
    folder = tmp_path_factory.mktemp("model")
    save_model(loud_model(), folder, card="")
    return folder
