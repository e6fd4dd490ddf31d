"""Publishing a model: what the commit has, and when it is refused."""

import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from exporting import exported
from hub_server import Hub
from huggingface_hub import ModelCard

import tagger
from tagger.inference.torch_backend import TorchBackend
from tagger.model.folder.opening import OWN
from tagger.model.folder.torch_model import load_model

TEXT = "Ada Lovelace met Charles Babbage in London."


def head_of(hub: Hub, repo: str, revision: str = "main") -> dict[str, Any]:
    return ModelCard(hub.files(repo, revision)["README.md"].decode()).data.to_dict()


def load(path: object) -> tagger.Tagger:
    return tagger.load(str(path), backend="numpy", threads=1)


def test_a_published_model_is_the_same_model(hub: Hub, folder: Path) -> None:
    model = load(folder)
    url = model.push_to_hub("ada/small", token="hf_own")
    commit = hub.branches["ada/small"]["main"]
    assert url == f"{hub.endpoint}/ada/small/commit/{commit}"
    assert hub.tokens >= {"Bearer hf_own"}
    for path in folder.iterdir():
        assert path.name == "README.md" or hub.files("ada/small")[path.name] == path.read_bytes()
    again = load(f"hf://ada/small@{commit}")
    assert again.tag(TEXT) == model.tag(TEXT)
    assert again.tag(TEXT).spans("ner")


def test_the_card_has_a_head_for_the_hub_and_says_how_to_load_the_model(hub: Hub, folder: Path) -> None:
    load(folder).push_to_hub("ada/small")
    assert head_of(hub, "ada/small") == {
        "library_name": "tagger",
        "pipeline_tag": "token-classification",
        "tags": [
            "tagger",
            "token-classification",
            "text-classification",
            "named-entity-recognition",
            "sentiment-analysis",
        ],
    }
    text = hub.files("ada/small")["README.md"].decode()
    assert text.endswith('# A sequence tagger\n\n```python\nmodel = tagger.load("hf://ada/small")\n```\n')


def test_a_branch_is_created_and_the_main_branch_stays(hub: Hub, folder: Path) -> None:
    load(folder).push_to_hub("ada/small", license="mit")
    for _ in range(2):  # the second time the branch exists
        load(folder).push_to_hub("ada/small", revision="next", license="cc0-1.0", language="en")
    assert head_of(hub, "ada/small")["license"] == "mit"
    assert head_of(hub, "ada/small", "next")["license"] == "cc0-1.0"
    assert head_of(hub, "ada/small", "next")["language"] == ["en"]
    assert load("hf://ada/small@next").tag(TEXT).spans("ner")


def test_a_private_repository_needs_a_token(hub: Hub, folder: Path) -> None:
    load(folder).push_to_hub("ada/secret", private=True, token="hf_own")
    with pytest.raises(tagger.ModelError, match="no such model, or it is private"):
        load("hf://ada/secret")


def test_a_downloaded_model_keeps_what_its_card_says(hub: Hub, folder: Path) -> None:
    load(folder).push_to_hub("ada/small", license="mit", language=["de", "fr"])
    first = head_of(hub, "ada/small")
    load("hf://ada/small").push_to_hub("bob/copy")
    assert head_of(hub, "bob/copy") == first


def test_the_model_of_the_library_comes_with_its_licence(hub: Hub) -> None:
    load("english").push_to_hub("ada/english")
    head = head_of(hub, "ada/english")
    assert (head["license"], head["language"]) == ("cc-by-sa-4.0", ["en"])
    assert {"part-of-speech", "named-entity-recognition"} <= {*head["tags"]}
    assert hub.files("ada/english")["ATTRIBUTION.md"] == (OWN / "english" / "ATTRIBUTION.md").read_bytes()


def test_other_files_of_the_folder_are_not_published(hub: Hub, folder: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(folder, tmp_path / "model"))
    (place / "notes.txt").write_text("mine")
    (place / "feature.old.json").write_text("{}")
    load(place).push_to_hub("ada/small")
    assert {*hub.files("ada/small")} - {".gitattributes"} == {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["weights.safetensors", "config.json"])
def test_a_folder_that_holds_another_model_now_is_refused(hub: Hub, folder: Path, tmp_path: Path, name: str) -> None:
    place = Path(shutil.copytree(folder, tmp_path / "model"))
    model = tagger.load(place, threads=1)
    content = (place / name).read_bytes()
    (place / name).unlink()
    (place / name).write_bytes(content + b" ")
    with pytest.raises(tagger.ModelError, match="must hold the model that was loaded, but holds another one now"):
        model.push_to_hub("ada/small")
    assert hub.branches == {}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("LICENSE", b"x" * 1_100_000, "LICENSE must have at most 1,000,000 bytes, got 1,100,000; nothing was uploaded"),
        ("README.md", b"x" * 1_000_000, "README.md must have at most 1,000,000 bytes, got 1,000,"),
        ("README.md", b"caf\xe9\n", "README.md: must be UTF-8, got the byte 0xe9 at 3; save it as UTF-8"),
        ("README.md", b"---\nlicense: mit\n", "README.md: metadata that begin with a line --- must end with another"),
    ],
)
def test_what_could_not_be_read_again_is_not_published(
    hub: Hub, folder: Path, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    shutil.copytree(folder, tmp_path / "model")
    (tmp_path / "model" / name).write_bytes(content)
    with pytest.raises(tagger.ModelError, match=re.escape(message)):
        load(tmp_path / "model").push_to_hub("ada/small")
    assert not hub.commits


def test_a_message_is_needed(hub: Hub, folder: Path) -> None:
    with pytest.raises(ValueError, match="commit_message must be a text"):
        load(folder).push_to_hub("ada/small", commit_message=" ")


def test_a_model_without_a_folder_is_refused(hub: Hub, folder: Path) -> None:
    model = replace(load_model(folder), source=None)  # as after training
    with pytest.raises(tagger.ModelError, match="push_to_hub: the model must be loaded from a folder, which has its"):
        tagger.Tagger(TorchBackend(model)).push_to_hub("ada/small")


def test_an_exported_model_is_refused(hub: Hub, folder: Path, tmp_path: Path) -> None:
    model = tagger.load(exported(folder, tmp_path / "exported", "float32"), backend="onnx")
    with pytest.raises(
        tagger.ModelError, match=r"must consist of files \.json and \.safetensors alone, got 'model.onnx"
    ):
        model.push_to_hub("ada/small")


@pytest.mark.parametrize(
    ("repo", "status", "message"),
    [
        ("ada/small", 401, r"^hf://ada/small: the Hugging Face hub must accept the request, got HTTP 401 .* log in"),
        ("ada/small", 403, r"^hf://ada/small: the Hugging Face hub must accept the request, got HTTP 403 .* log in"),
        ("a/b/c", None, r"^hf://a/b/c: must be the name of a repository, owner/name: "),
    ],
)
def test_what_the_hub_refuses_is_told_in_one_sentence(
    hub: Hub, folder: Path, repo: str, status: int | None, message: str
) -> None:
    hub.refused = status
    with pytest.raises(tagger.ModelError, match=message) as caught:
        load(folder).push_to_hub(repo)
    assert "\n" not in str(caught.value)


def test_without_huggingface_hub_the_error_says_how_to_install_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(folder)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(tagger.MissingExtraError, match=r"^push_to_hub needs the package huggingface_hub, which is not"):
        model.push_to_hub("ada/small")
