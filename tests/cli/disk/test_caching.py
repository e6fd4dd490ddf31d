"""`tagger cache`: what is kept on disk, and how to be rid of it."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from fake_features import FakeConfig, FakeFeature, cached, passages

from tagger.features.stores import ABOUT, Stores


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Outcome]


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """Return three stores, of which `a` was used last, `b` ten days and `c` twenty days ago."""
    monkeypatch.setenv("TAGGER_CACHE", str(tmp_path))
    stores = Stores(tmp_path / "features")
    for number, model in enumerate("abc"):
        feature = FakeFeature("x", FakeConfig(kind="fake", model=f"model {model}"))
        with cached({"x": feature}, tell=pytest.fail, stores=stores) as features:
            features["x"].arrays(passages("Ada lives", "in Oslo", "in Oslo"))
        used = time.time() - number * 10 * 86400
        (folder,) = (store.folder for store in stores.kept() if store.about["model"] == f"model {model}")
        os.utime(folder / ABOUT, (used, used))
    return stores


def models(stores: Stores) -> list[str]:
    return [store.about["model"][-1] for store in stores.kept()]


def test_stores_are_a_table_the_last_used_first(call: Call, stores: Stores) -> None:
    done = call("cache")
    heading, *rows, total = done.out.splitlines()
    assert heading.split() == ["feature", "passages", "tokens", "MB", "last", "used"]
    assert [row.split()[:5] for row in rows] == [["fake", "model=model", model, "2", "4"] for model in "abc"]
    assert total.startswith(f"{stores.root}: 3 stores, ")
    assert (done.code, done.err) == (0, "")


def test_stores_are_json(call: Call, stores: Stores) -> None:
    found = json.loads(call("cache", "--json").out)
    assert [store["about"]["model"] for store in found] == ["model c", "model b", "model a"]
    assert found[0].keys() == {"folder", "about", "passages", "tokens", "bytes", "last_used", "in_use"}
    assert (found[0]["passages"], found[0]["tokens"], found[0]["in_use"]) == (2, 4, False)


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (("--clear",), ""),
        (("--older-than", "15"), "ba"),
        (("--older-than", "5"), "a"),
        (("--older-than", "25"), "cba"),
        (("--keep", "1"), "cba"),
        (("--keep", "0.00003"), "ba"),
        (("--keep", "0"), ""),
    ],
)
def test_stores_are_removed(call: Call, stores: Stores, options: tuple[str, ...], left: str) -> None:
    done = call("cache", *options, "--json")
    assert (done.code, models(stores)) == (0, list(left))
    assert [store["about"]["model"][-1] for store in json.loads(done.out)] == list(left)
    assert done.err.startswith(f"removed {3 - len(left)} store")


def test_a_store_in_use_stays_and_the_exit_code_says_so(call: Call, stores: Stores) -> None:
    feature = FakeFeature("x", FakeConfig(kind="fake", model="model b"))
    with cached({"x": feature}, tell=pytest.fail, stores=stores):
        done = call("cache", "--clear")
    assert (done.code, models(stores)) == (1, ["b"])
    assert done.out.splitlines()[1].endswith("  now")
    assert done.err.endswith("error: 1 store stayed, because a run uses what is in it; wait for its end\n")


def test_an_empty_cache_is_no_error(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGGER_CACHE", str(tmp_path / "none"))
    assert call("cache") == (0, f"{tmp_path / 'none' / 'features'}: 0 stores, 0 bytes\n", "")
    assert call("cache", "--clear", "--json").out == "[]\n"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_folder_may_be_a_relative_path(
    call: Call, stores: Stores, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.chdir(stores.root.parent.parent)
    monkeypatch.setenv("TAGGER_CACHE", stores.root.parent.name)
    relative = call("cache", *options)
    assert (relative.code, relative.err) == (0, "")
    monkeypatch.setenv("TAGGER_CACHE", str(stores.root.parent))
    assert call("cache", *options).out == relative.out


@pytest.mark.parametrize("file", ["file", "features"])
def test_a_file_in_the_place_of_the_folder_is_an_error(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    (tmp_path / file).touch()
    monkeypatch.setenv("TAGGER_CACHE", str(tmp_path / "file" if file == "file" else tmp_path))
    done = call("cache")
    message = f"error: {tmp_path / file}: the cache must be a folder, got a file; set TAGGER_CACHE to a folder\n"
    assert (done.code, done.err) == (1, message)


def test_a_damaged_store_is_listed_and_removed(call: Call, stores: Stores) -> None:
    folder = stores.kept()[0].folder
    (folder / ABOUT).write_text("{")
    (folder / "index.sqlite").write_text("no database")
    assert ["damaged", "-", "-"] in [line.split()[:3] for line in call("cache").out.splitlines()]
    call("cache", "--clear")
    assert not folder.exists()


@pytest.mark.parametrize("options", [("--clear", "--keep", "1"), ("--older-than", "1", "--keep", "1")])
def test_only_one_way_to_remove_at_a_time(call: Call, stores: Stores, options: tuple[str, ...]) -> None:
    done = call("cache", *options)
    assert (done.code, done.err) == (2, "error: give only one of --clear, --older-than and --keep\n")
    assert len(models(stores)) == 3
