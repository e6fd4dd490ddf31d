"""Addresses of models on the hub, also as paths, which have one slash less."""

from pathlib import Path

import pytest

import tagger
from tagger.model.folder.opening import kept_path
from tagger.model.hub.address import Address, address_of, name_of


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("hf://ada/small", Address("ada/small", None)),
        ("hf://ada-l/small.v2@v1.0", Address("ada-l/small.v2", "v1.0")),
        ("hf://ada/small@refs/pr/1", Address("ada/small", "refs/pr/1")),
        ("runs/ner", None),
        ("hf/ada", None),
    ],
)
def test_addresses(text: str, address: Address | None, kind: type) -> None:
    assert address_of(kind(text)) == address
    assert address is None or str(address) == text


@pytest.mark.parametrize(
    "text",
    ["hf://small", "hf://datasets/ada/small", "hf://ada/small@", "hf://ada/sm all", "hf://ada/small@../../x", "hf://"],
)
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(tagger.ModelError, match="must be hf://owner/name or hf://owner/name@revision, got "):
        tagger.load(text)


def test_a_recipe_keeps_an_address_as_it_is(tmp_path: Path) -> None:
    assert kept_path("hf://ada/small@v1", tmp_path) == "hf://ada/small@v1"


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("cache/models--ada--my--small/snapshots/0123", "ada/my--small"),
        ("runs/ner/model", "ner"),
        ("exported", "exported"),
    ],
)
def test_names_of_models_by_their_folders(folder: str, name: str) -> None:
    assert name_of(Path(folder)) == name
