"""Stores are bounded: those that were used longest ago are removed, and none that is in use."""

import os
import shutil
import subprocess
import sys
from collections import namedtuple
from contextlib import ExitStack
from pathlib import Path

import pytest

from tagger.errors import RecipeError
from tagger.features import stores as module
from tagger.features.store import INDEX, VALUES, Store
from tagger.features.stores import Stores, largest_size, stores_of_user

Usage = namedtuple("Usage", "total used free")


def make(stores: Stores, name: str, *, size: int = 1000, used: float = 0) -> Path:
    """Make a store that was last used at a time."""
    with stores.opened(name, {"kind": "fake", "model": name}) as folder:
        Store(folder)
        (folder / VALUES).write_bytes(bytes(size))
        (folder / INDEX).write_bytes(b"")
    os.utime(folder / module.ABOUT, (used, used))
    return folder


def models(stores: Stores) -> list[str]:
    return [store.about["model"] for store in stores.kept()]


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """Return stores that may have 4,000 bytes, on a disk with much room."""
    monkeypatch.setenv(module.GIGABYTES, str(4000 / 1e9))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, 10**12))
    return Stores(tmp_path / "new" / "features")


def test_stores_are_listed_by_their_last_use_and_opening_one_is_a_use(stores: Stores) -> None:
    assert stores.kept() == []
    for name, used in (("b", 20), ("a", 10), ("c", 30)):
        make(stores, name, used=used)
    assert models(stores) == ["a", "b", "c"]
    with stores.opened("a", {}):
        assert [store.in_use for store in stores.kept()] == [False, False, True]
    assert models(stores) == ["b", "c", "a"]
    assert [store.in_use for store in stores.kept()] == [False] * 3


def test_the_longest_unused_stores_make_room(stores: Stores) -> None:
    for used, name in enumerate("abc"):
        make(stores, name, used=used)
    assert stores.make_room(700) == ""
    assert models(stores) == ["a", "b", "c"]
    assert stores.make_room(1700) == ""
    assert models(stores) == ["b", "c"]
    assert [path.name[0] for path in stores.root.iterdir()] != "."


def test_a_store_in_use_stays_and_what_does_not_fit_removes_nothing(stores: Stores) -> None:
    for used, name in enumerate("abc"):
        make(stores, name, used=used)
    with stores.opened("a", {}):
        assert stores.make_room(3500).startswith("may hold 4.0 kB; set TAGGER_CACHE_GB")
        assert len(models(stores)) == 3
        assert stores.make_room(1500) == ""
        assert models(stores) == ["c", "a"]
        assert [store.about["model"] for store in stores.remove(stores.kept())] == ["a"]
        assert models(stores) == ["a"]


def test_room_on_the_disk_counts(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    for used, name in enumerate("ab"):
        make(stores, name, used=used)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**12, 0, module.SPARE + 100))
    assert stores.make_room(3000).startswith("is on a disk with 500.0 MB free")
    assert models(stores) == ["a", "b"]
    assert stores.make_room(600) == ""
    assert models(stores) == ["b"]


def test_a_process_that_was_killed_uses_nothing(stores: Stores) -> None:
    code = (
        "import os, sys; from pathlib import Path; from tagger.features.stores import Stores\n"
        "with Stores(Path(sys.argv[1])).opened('a', {}): print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, stores.root], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert [store.in_use for store in stores.kept()] == [True]
        process.kill()
        process.wait()
    assert [store.in_use for store in stores.kept()] == [False]
    assert stores.remove(stores.kept()) == []
    assert stores.kept() == []


def test_what_a_killed_removal_left_is_deleted_by_the_next(stores: Stores) -> None:
    make(stores, "a")
    (stores.root / f"{module.REMOVED}x").mkdir()
    (stores.root / f"{module.REMOVED}x" / module.ABOUT).write_text("{}")
    assert models(stores) == ["a"]
    assert stores.remove(()) == []
    assert [path.name for path in stores.root.iterdir()] == [stores.kept()[0].folder.name]


def test_a_store_is_shared_by_all_that_open_it(stores: Stores) -> None:
    with ExitStack() as stack:
        folders = {stack.enter_context(stores.opened(name, {})) for name in ("a", "a", "b")}
        assert len(folders) == 2


def test_facts_that_are_damaged_are_empty(stores: Stores) -> None:
    folder = make(stores, "a")
    for content in ("", "[]", "{"):
        (folder / module.ABOUT).write_text(content)
        assert [store.about for store in stores.kept()] == [{}]
    facts = stores.kept()[0].to_dict()
    assert (facts["passages"], facts["tokens"], facts["bytes"]) == (None, None, 1001)


@pytest.mark.parametrize(("given", "size"), [(None, 500.0), ("", 500.0), ("0.5", 0.5e9), ("0", 0.0)])
def test_size_is_half_of_the_disk_or_as_given(given: str | None, size: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(module.GIGABYTES, raising=False)
    if given is not None:
        monkeypatch.setenv(module.GIGABYTES, given)
    assert largest_size(1000) == size
    assert given or largest_size(1e15) == 20e9


@pytest.mark.parametrize("given", ["20 GB", "-1", "nan"])
def test_a_size_that_is_none_is_an_error(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(module.GIGABYTES, given)
    with pytest.raises(RecipeError, match=f"TAGGER_CACHE_GB: must be a number of gigabytes such as 20, got '{given}'"):
        largest_size(1)


def test_user_without_a_home_has_no_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TAGGER_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: Path("~nobody-at-all").expanduser())
    assert stores_of_user() is None
    monkeypatch.setenv("TAGGER_CACHE", "here")
    assert stores_of_user().root == Path("here").absolute() / "features"  # type: ignore[union-attr]
