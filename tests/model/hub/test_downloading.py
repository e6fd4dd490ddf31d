"""Models from the hub: what is downloaded, what is refused before and after, and what works without a connection."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hub_server import Hub
from huggingface_hub import constants

import tagger
from tagger.files.hashes import config_to_json
from tagger.model.folder.opening import model_path

TEXT = "Ada Lovelace met Charles Babbage in London."
MODEL = ["config.json", "tokenizer.json", "vocabulary.json", "weights.safetensors"]
EVIL = {"evil.py": b"raise SystemExit\n", "pytorch_model.bin": b"\x80", "model/config.json": b"{}", "x.pkl": b"\x80"}


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def load(address: str) -> tagger.Tagger:
    return tagger.load(address, backend="numpy", threads=1)


def cached_names() -> set[str]:
    return {path.name for path in Path(constants.HF_HUB_CACHE).rglob("*") if "snapshots" in path.parts}


def test_a_model_of_the_hub_is_the_same_model(hub: Hub, folder: Path) -> None:
    commit = hub.commit("ada/small", files_in(folder))
    here, there = load(str(folder)), load("hf://ada/small")
    assert there.tag(TEXT) == here.tag(TEXT)
    assert there.tag(TEXT).spans("ner")
    assert there.model.source is not None
    assert there.model.source.folder.name == commit
    report = there.evaluate(list(tagger.generate(1, seed=2, split="test")))
    assert report.signature.model == "ada/small"


def test_only_the_files_of_a_model_are_downloaded(hub: Hub, folder: Path) -> None:
    hub.commit("ada/small", files_in(folder) | EVIL | {"ATTRIBUTION.md": b"by Ada\n", "feature.other.json": b"{}"})
    load("hf://ada/small")
    assert hub.downloads() == sorted([*MODEL, "README.md", "ATTRIBUTION.md"])
    assert not cached_names() & {*EVIL, "feature.other.json"} - {"config.json"}


def test_a_revision_is_a_branch_a_tag_or_a_commit(hub: Hub, folder: Path) -> None:
    first = hub.commit("ada/small", files_in(folder))
    second = hub.commit("ada/small", {"README.md": b"# Other\n"})
    hub.commit("ada/small", {"config.json": b"{}"}, branch="refs/pr/1")
    assert model_path("hf://ada/small").name == second
    assert model_path(f"hf://ada/small@{first}").name == first
    with pytest.raises(tagger.ModelError, match=r"^hf://ada/small@refs/pr/1: must be a model of tagger, got a config"):
        model_path("hf://ada/small@refs/pr/1")


def test_a_second_load_downloads_nothing(hub: Hub, folder: Path) -> None:
    commit = hub.commit("ada/small", files_in(folder))
    load("hf://ada/small")
    hub.asked.clear()
    load("hf://ada/small")
    assert hub.downloads() == []
    hub.asked.clear()
    load(f"hf://ada/small@{commit}")
    assert hub.asked == []  # a commit never changes


def test_the_cache_works_without_a_connection(
    hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hub.commit("ada/small", files_in(folder))
    found = load("hf://ada/small").tag(TEXT)
    hub.refused = 503
    assert load("hf://ada/small").tag(TEXT) == found
    assert caplog.messages == ["hf://ada/small: the hub cannot be reached, so the copy in the cache is used"]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.asked.clear()
    assert load("hf://ada/small").tag(TEXT) == found
    assert len(caplog.messages) == 1
    assert hub.asked == []
    with pytest.raises(tagger.ModelError, match=r"^hf://ada/small@v2: the cache does not hold this model, and HF_HUB_"):
        load("hf://ada/small@v2")


def test_an_unfinished_copy_is_not_used_without_a_connection(
    hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.commit("ada/small", files_in(folder))
    (model_path("hf://ada/small") / "weights.safetensors").unlink()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(tagger.ModelError, match="the cache does not hold this model"):
        load("hf://ada/small")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert load("hf://ada/small").tag(TEXT).spans("ner")


@pytest.mark.parametrize("name", ["weights.safetensors", "vocabulary.json"])
def test_a_changed_file_is_refused_also_from_the_cache(hub: Hub, folder: Path, name: str) -> None:
    files = files_in(folder)
    hub.commit("ada/small", files | {name: files[name][::-1]})
    message = rf"^hf://ada/small: {name} must have the SHA-256 that config\.json names, '\w+', got \w+: it is from"
    with pytest.raises(tagger.ModelError, match=message):
        load("hf://ada/small")
    with pytest.raises(
        tagger.ModelError, match=rf"{name} must have the SHA-256 .* delete .*models--ada--small and load"
    ):
        load("hf://ada/small")


@pytest.mark.parametrize("name", ["config.json", "vocabulary.json"])
@pytest.mark.parametrize("fixed", [True, False])
def test_a_damaged_copy_in_the_cache_is_loaded_again_once_it_is_deleted(
    hub: Hub, folder: Path, name: str, fixed: bool
) -> None:
    commit = hub.commit("ada/small", files_in(folder))
    address = f"hf://ada/small@{commit}" if fixed else "hf://ada/small"
    load(address)
    copies = Path(constants.HF_HUB_CACHE) / "models--ada--small"
    path = (copies / "snapshots" / commit / name).resolve()
    path.write_bytes(path.read_bytes()[:-2] + b"?")
    with pytest.raises(tagger.ModelError, match=rf"^{address}: .* delete {copies} and load the model again$"):
        load(address)
    shutil.rmtree(copies)
    assert load(address).tag(TEXT).spans("ner")


@pytest.mark.parametrize(
    ("name", "size", "limit"),
    [
        ("config.json", 1_000_001, "1,000,000"),
        ("weights.safetensors", 2**33 + 1, "8,589,934,592"),
        ("tokenizer.json", 2**30 + 1, "1,073,741,824"),
        ("README.md", 1_000_001, "1,000,000"),
    ],
)
def test_a_file_that_is_too_large_is_refused_before_it_is_downloaded(
    hub: Hub, folder: Path, name: str, size: int, limit: str
) -> None:
    hub.commit("ada/small", files_in(folder))
    hub.sizes[name] = size
    message = f"^hf://ada/small: {name} must have at most {limit} bytes, got {size:,}; it was not downloaded$"
    with pytest.raises(tagger.ModelError, match=message):
        load("hf://ada/small")
    assert set(hub.downloads()) <= {"config.json"} - {name}


def test_files_that_are_too_large_together_are_refused(hub: Hub, folder: Path) -> None:
    files = files_in(folder)
    files |= {f"feature.{name}.safetensors": b"" for name in "ab"}
    values = json.loads(files["config.json"])
    hashed = {name: content for name, content in files.items() if name not in ("config.json", "README.md")}
    hub.commit("ada/small", files | {"config.json": config_to_json(values, hashed)})
    hub.sizes = {name: 2**33 for name in files if name.endswith(".safetensors")}
    with pytest.raises(tagger.ModelError, match="must have at most 17,179,869,184 bytes, got 25,"):
        load("hf://ada/small")
    assert hub.downloads() == ["config.json"]


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("weights.bin", "check the name"),
        ("evil.py", "check the name"),
        ("../config.json", "check the name"),
        ("sub/weights.safetensors", "check the name"),
        ("*.json", "check the name"),
        ("model.onnx", "give the trained model, and export it where you use it"),
    ],
)
def test_other_names_than_json_and_safetensors_are_refused(hub: Hub, folder: Path, name: str, advice: str) -> None:
    files = files_in(folder) | {name: b"x"}
    values = json.loads(files["config.json"])
    hub.commit("ada/small", files | {"config.json": config_to_json(values, {name: b"x"})})
    with pytest.raises(tagger.ModelError) as caught:
        load("hf://ada/small")
    assert str(caught.value) == (
        f"hf://ada/small: a model on the hub must consist of files .json and .safetensors alone, got {name!r}; {advice}"
    )
    assert hub.downloads() == ["config.json"]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"pytorch_model.bin": b""}, "must be a repository with a model of tagger, got one without config.json"),
        (
            {"config.json": b'{"model_type": "bert"}'},
            "must be a model of tagger, got a config.json without the SHA-256",
        ),
        ({"config.json": b"[" * 100_000}, "must be a model of tagger, got a config.json without the SHA-256 of its"),
        (
            {"config.json": config_to_json({}, {"weights.safetensors": b""})},
            "must hold each file that its config.json names, got no 'weights.safetensors'; ask its owner to upload",
        ),
    ],
)
def test_other_repositories_are_refused(hub: Hub, files: dict[str, bytes], message: str) -> None:
    hub.commit("ada/other", files)
    with pytest.raises(tagger.ModelError) as caught:
        load("hf://ada/other")
    assert str(caught.value).startswith(f"hf://ada/other: {message}")
    assert "\n" not in str(caught.value)


def test_unknown_and_private_models_are_told_in_one_sentence(hub: Hub, folder: Path) -> None:
    for repo in ("ada/secret", "ada/asked"):
        hub.commit(repo, files_in(folder))
    hub.private.add("ada/secret")
    hub.gated.add("ada/asked")
    unknown = "the Hugging Face hub has no such model, or it is private; check the name, or log in with `hf auth login`"
    for name, message in {
        "ada/none": unknown,
        "ada/secret": unknown,
        "ada/asked": "its owner must permit the download; ask for it on the page of the model, and log in with",
        "ada/-small-": "must be the name of a repository, owner/name: ",
    }.items():
        with pytest.raises(tagger.ModelError) as caught:
            load(f"hf://{name}")
        assert str(caught.value).startswith(f"hf://{name}: {message}")
        assert "\n" not in str(caught.value)


def test_a_token_opens_a_private_model(hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.commit("ada/secret", files_in(folder))
    hub.private.add("ada/secret")
    monkeypatch.setenv("HF_TOKEN", "hf_own")
    assert load("hf://ada/secret").tag(TEXT).spans("ner")


def test_a_wrong_revision_is_told_in_one_sentence(hub: Hub, folder: Path) -> None:
    hub.commit("ada/small", files_in(folder))
    for revision in ("v9", "0" * 40):
        with pytest.raises(tagger.ModelError) as caught:
            load(f"hf://ada/small@{revision}")
        assert str(caught.value) == (
            f"hf://ada/small@{revision}: the model has no branch, tag or commit {revision!r}; see the history on its "
            "page"
        )


@pytest.mark.parametrize(("status", "message"), [(500, "HTTP 500 "), (429, "HTTP 429 "), (403, "HTTP 403 ")])
def test_other_answers_of_the_hub_are_told_in_one_sentence(hub: Hub, status: int, message: str) -> None:
    hub.refused = status
    with pytest.raises(tagger.ModelError) as caught:
        load("hf://ada/small")
    assert str(caught.value).startswith(f"hf://ada/small: the Hugging Face hub must accept the request, got {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("body", [b"<html>Log in</html>", b'{"error": 1}', b"[]"])
def test_what_is_no_hub_is_told_in_one_sentence_and_the_cache_is_used(hub: Hub, folder: Path, body: bytes) -> None:
    hub.commit("ada/small", files_in(folder))
    load("hf://ada/small")
    hub.says = body
    with pytest.raises(tagger.ModelError, match=r"hub \(.*\) must answer as one, got .*; check HF_ENDPOINT") as caught:
        load("hf://ada/other")
    assert "\n" not in str(caught.value)
    assert load("hf://ada/small").tag(TEXT).spans("ner")


@pytest.mark.parametrize("endpoint", ["http://[", "http://127.0.0.1:99999"])
def test_an_endpoint_that_is_no_url_is_one_sentence(folder: Path, endpoint: str) -> None:
    code = "import sys, tagger\ntry:\n    {}\nexcept tagger.ModelError as error:\n    print(error)"
    for call in ('tagger.load("hf://ada/small")', f'tagger.load({str(folder)!r}).push_to_hub("ada/small")'):
        settings = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HUB_OFFLINE": "0"}
        done = subprocess.run([sys.executable, "-c", code.format(call)], env=settings, capture_output=True, text=True)
        said = done.stdout.splitlines()[-1:]  # the package reports on its own imports before
        assert [line for line in said if line.startswith("hf://ada/small: ") and "HF_ENDPOINT" in line], done.stderr


def test_a_hub_that_is_not_there_is_told_in_one_sentence(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(tagger.ModelError) as caught:
        load("hf://ada/small")
    assert str(caught.value).startswith("hf://ada/small: the Hugging Face hub (http://127.0.0.1:9) cannot be reached")
    assert "\n" not in str(caught.value)


def test_without_huggingface_hub_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(tagger.MissingExtraError, match=r"^hf://ada/small needs the package huggingface_hub, which is"):
        load("hf://ada/small")


def test_training_starts_from_a_model_of_the_hub(hub: Hub, folder: Path, tmp_path: Path) -> None:
    commit = hub.commit("ada/small", files_in(folder))
    recipe = tmp_path / "recipe.toml"
    head = '[heads.ner]\nkind = "tokens"\n'
    data = '[data]\nformat = "synthetic"\nsentences = 20\n'
    recipe.write_text(f'start = "hf://ada/small@{commit}"\n\n{data}\n{head}\n[training]\nepochs = 1\n')
    run = tagger.train(recipe, output=tmp_path / "run")
    assert run.tagger.model.config.encoder.hidden_size == 12  # of the model, not the default
    assert f'start = "hf://ada/small@{commit}"' in (tmp_path / "run" / "recipe.toml").read_text()
