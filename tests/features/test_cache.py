"""Features that come from disk are those that were computed, in every run that has the same feature and passage."""

import errno
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_features import FakeConfig, FakeFeature, all_rows, cached, passages
from hypothesis import given, settings
from hypothesis import strategies as st

from tagger.features import cache as module
from tagger.features.cache import CachedFeature, caching, key_of, uncached
from tagger.features.passages import Passage
from tagger.features.store import INDEX, VALUES
from tagger.features.stores import Stores

SOME = passages("Ada lives in Oslo .", "No", "", "Ada lives in Oslo .", "It rains")
DISTINCT = [SOME[0], SOME[1], SOME[4]]


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(tmp_path / "features")


class Read:
    """What a run reads through the cache and computes, and its notes."""

    def __init__(self, stores: Stores, given: Sequence[Passage] = SOME, *, times: int = 1, **config: str) -> None:
        self.notes: list[str] = []
        self.progress: list[tuple[str, int, int]] = []
        feature = FakeFeature("x", FakeConfig(kind="fake", **config))
        with cached(
            {"x": feature}, tell=self.notes.append, progress=lambda *done: self.progress.append(done), stores=stores
        ) as features:
            self.rows = [all_rows(features["x"], given) for _ in range(times)]
        self.computed = feature.computed
        expected = FakeFeature("x", FakeConfig(kind="fake", **config)).arrays(given)
        for rows in self.rows:
            assert rows.dtype == expected.dtype
            np.testing.assert_array_equal(rows, expected)


@pytest.mark.parametrize("dtype", ["float16", "float32", "int64"])
def test_a_second_run_computes_nothing(stores: Stores, dtype: str) -> None:
    first = Read(stores, times=2, dtype=dtype)
    assert (first.computed, first.notes) == (DISTINCT, [])
    second = Read(stores, list(reversed(SOME)), dtype=dtype)
    assert (second.computed, second.notes) == ([], [])
    assert Read(stores, [*SOME, *passages("new")], dtype=dtype).computed == passages("new")


def test_a_store_shows_only_settings_that_make_it_another_store(stores: Stores) -> None:
    class Wide(FakeConfig):
        context: int = 2
        width: int = 4

    for config in (Wide(kind="fake", model="b", context=3, width=5), Wide(kind="fake", model="b")):
        with cached({"x": FakeFeature("x", config)}, tell=pytest.fail, stores=stores):
            pass
    assert [store.about for store in stores.kept()] == [{"kind": "fake", "model": "b"}]


def test_the_cached_feature_is_otherwise_the_same(stores: Stores) -> None:
    feature = FakeFeature()
    with cached({"x": feature}, tell=pytest.fail, stores=stores) as features:
        found = features["x"]
        assert isinstance(found, CachedFeature)
        assert (found.name, found.config, found.width, found.context) == ("x", feature.config, 4, 2)
        assert (found.fingerprint, found.content(None), found.shapes()) == (feature.fingerprint, b"", {})
        assert uncached(features) == {"x": feature}
        assert len(found.arrays([])) == 0
        assert len(found.arrays(passages("", ""))) == 0


def test_a_feature_without_a_fingerprint_is_never_kept(stores: Stores) -> None:
    feature = FakeFeature("x", FakeConfig(kind="fake", model="none"))
    with cached({"x": feature}, tell=pytest.fail, stores=stores) as features:
        assert features == {"x": feature}
    assert not stores.root.exists()


def test_another_model_or_setting_never_gives_the_values_of_the_first(stores: Stores) -> None:
    for config in ({}, {"model": "b"}, {"dtype": "float32"}, {"model": "b", "dtype": "float32"}):
        assert Read(stores, **config).computed == DISTINCT
    assert Read(stores, model="b").computed == []
    assert len(stores.kept()) == 4


def test_another_version_of_a_feature_never_gives_the_values_of_the_first(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    Read(stores)
    monkeypatch.setattr(FakeFeature, "version", 2)
    assert Read(stores).computed == DISTINCT


TOKENS = st.lists(st.text(st.characters(exclude_categories=[]), max_size=3), max_size=4).map(tuple)
PASSAGES = st.lists(st.builds(Passage, TOKENS, TOKENS, TOKENS, frames=st.none()), max_size=8)


@settings(max_examples=20)
@given(st.lists(PASSAGES, min_size=1, max_size=3))
def test_random_passages_have_their_own_values(
    tmp_path_factory: pytest.TempPathFactory, runs: list[list[Passage]]
) -> None:
    stores = Stores(tmp_path_factory.mktemp("random"))
    seen = {passage for run in runs for passage in run if not passage.tokens}
    for run in runs:
        read = Read(stores, run)
        assert {passage for passage in read.computed if passage.tokens} == {*run} - seen
        assert read.notes == []
        seen.update(run)


@given(st.lists(st.builds(Passage, TOKENS, TOKENS, TOKENS, frames=st.none()), max_size=8, unique=True))
def test_different_passages_have_different_keys(given: list[Passage]) -> None:
    assert len({key_of(passage) for passage in given}) == len(given)


def test_tokens_that_look_like_one_in_another_encoding_have_different_keys() -> None:
    assert key_of(Passage(("x",), ("a", "b"))) != key_of(Passage(("x",), ("a", "b"), (), (1,)))
    assert key_of(Passage(("\ud83d\ude00",))) != key_of(Passage(("😀",)))
    assert key_of(Passage(("a", "b"))) != key_of(Passage(("a",), (), ("b",))) != key_of(Passage(("a",), ("b",)))


RUN = """
import sys
from pathlib import Path
from fake_features import FakeFeature, all_rows, cached, passages
from tagger.features import cache
from tagger.features.stores import Stores

folder, first, last, step = sys.argv[1], *map(int, sys.argv[2:])
cache.CHUNK_TOKENS = 20
feature = FakeFeature()
with cached({"x": feature}, tell=str, stores=Stores(Path(folder))) as features:
    all_rows(features["x"], passages(*(f"{i} of many" for i in range(first, last, step))))
print(*(passage.tokens[0] for passage in feature.computed))
"""


def start(stores: Stores, *numbers: int) -> subprocess.Popen[str]:
    """Start a process that reads the passages of a range of numbers."""
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", RUN, str(stores.root), *map(str, numbers)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True)


def many(last: int) -> list[Passage]:
    return passages(*(f"{i} of many" for i in range(last)))


def test_processes_at_once_compute_each_passage_once(stores: Stores) -> None:
    with start(stores, 0, 100, 1) as first, start(stores, 99, -1, -1) as second, start(stores, 0, 100, 1) as third:
        computed = [int(word) for process in (first, second, third) for word in process.communicate()[0].split()]
    assert sorted(computed) == list(range(100))
    assert Read(stores, many(100)).computed == []


def test_a_run_that_is_killed_while_it_writes_leaves_only_whole_values(stores: Stores) -> None:
    for number in range(1, 3):
        with start(stores, 0, 3000, 1) as process:
            while sum(path.stat().st_size for path in stores.root.glob(f"*/{VALUES}")) < 2000 * number:
                time.sleep(0.001)
            process.kill()
    read = Read(stores, many(1000))
    assert 0 < len(read.computed) < 1000
    assert read.notes == []
    assert Read(stores, many(1000)).computed == []


def test_values_that_were_cut_off_are_computed_again_with_one_note(stores: Stores) -> None:
    Read(stores)
    (store,) = stores.kept()
    (store.folder / VALUES).write_bytes((store.folder / VALUES).read_bytes()[:-1])
    read = Read(stores, times=2)
    assert read.computed == [SOME[4]]
    assert read.notes == [f"{store.folder}: the feature `x` of 1 passage was damaged on disk and is computed again"]
    assert Read(stores).computed == []


@pytest.mark.parametrize("content", [b"", b"no database at all, and long enough for one" * 200])
def test_a_damaged_store_begins_anew_with_one_note(content: bytes, stores: Stores) -> None:
    Read(stores)
    (store,) = stores.kept()
    (store.folder / INDEX).write_bytes(content)
    read = Read(stores, times=2)
    assert read.computed == DISTINCT
    assert len(read.notes) == 1
    assert read.notes[0].startswith(f"{store.folder}: the cache of the feature `x` is damaged (")
    assert Read(stores).computed == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE form SET width = 3",
        "UPDATE form SET width = 0",
        "UPDATE form SET width = 123456789",
        "UPDATE form SET width = 'many'",
        "UPDATE form SET dtype = '<f4'",
        "UPDATE form SET dtype = '<f3'",
        "UPDATE form SET dtype = '|f9'",
        "UPDATE form SET dtype = 'numbers'",
        "ALTER TABLE form RENAME COLUMN width TO size",
        "ALTER TABLE arrays RENAME COLUMN checksum TO sum",
    ],
)
def test_a_store_whose_index_says_something_wrong_begins_anew(change: str, stores: Stores) -> None:
    Read(stores)
    (store,) = stores.kept()
    with closing(sqlite3.connect(store.folder / INDEX)) as index, index:
        index.execute(change)
    read = Read(stores, times=2)
    assert {*read.computed} == {*DISTINCT}
    assert "damaged (" in read.notes[-1]
    assert (Read(stores).computed, Read(stores).notes) == ([], [])


def test_a_store_that_is_damaged_while_it_is_used_begins_anew(stores: Stores) -> None:
    notes: list[str] = []
    feature = FakeFeature()
    with cached({"x": feature}, tell=notes.append, stores=stores) as features:
        before = features["x"].arrays(SOME)
        (store,) = stores.kept()
        (store.folder / INDEX).write_bytes(b"gone" * 5000)
        np.testing.assert_array_equal(all_rows(features["x"], SOME), FakeFeature().arrays(SOME))
        assert len(notes) == 1
        np.testing.assert_array_equal(before[np.arange(len(before))], FakeFeature().arrays(SOME))
    assert Read(stores).computed == []


def test_values_that_are_cut_off_while_they_are_used_are_computed_again(stores: Stores) -> None:
    notes: list[str] = []
    with cached({"x": FakeFeature()}, tell=notes.append, stores=stores) as features:
        features["x"].arrays(SOME)
        (store,) = stores.kept()
        os.truncate(store.folder / VALUES, 8)
        np.testing.assert_array_equal(all_rows(features["x"], SOME), FakeFeature().arrays(SOME))
    assert notes == [f"{store.folder}: the feature `x` of 3 passages was damaged on disk and is computed again"]
    assert Read(stores).computed == []


class FullAfter(FileIO):
    """A file on a disk that is full after some more bytes."""

    def __init__(self, path: Path, left: int) -> None:
        super().__init__(path, "ab")
        self.left = left

    def write(self, content: Any) -> int:
        if not self.left:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = super().write(content[: self.left])
        self.left -= written
        return written


def not_kept(read: Read) -> bool:
    """Whether a run went on without the cache, and said so once."""
    start = "the feature `x` is not kept on disk and is computed again for dev in each epoch: "
    return len(read.notes) == 1 and read.notes[0].startswith(start) and len(read.computed) >= 2 * len(SOME)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is of Linux")
def test_a_full_disk_ends_the_cache_and_not_the_run(stores: Stores) -> None:
    with cached({"x": FakeFeature()}, tell=pytest.fail, stores=stores) as features:
        features["x"].arrays([])
    (store,) = stores.kept()
    (store.folder / VALUES).symlink_to("/dev/full")
    read = Read(stores, times=2)
    assert not_kept(read)
    assert read.notes[0].endswith("No space left on device; set TAGGER_CACHE to a writable folder on a disk with room")
    (store.folder / VALUES).unlink()
    assert Read(stores).computed == DISTINCT


def test_what_was_written_before_the_disk_was_full_is_deleted(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    Read(stores, DISTINCT[:1])
    (store,) = stores.kept()
    file, real = FullAfter(store.folder / VALUES, 10), Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, *args, **settings: file if path.name == VALUES else real(path, *args, **settings)
    )
    assert not_kept(Read(stores, times=2))
    monkeypatch.undo()
    assert (store.folder / VALUES).stat().st_size == 40
    assert Read(stores).computed == DISTINCT[1:]


def test_a_cache_without_room_is_not_filled(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGGER_CACHE_GB", "0.00000001")
    read = Read(stores, times=2)
    assert not_kept(read)
    assert read.notes[0].endswith(f"but {stores.root} may hold 10 bytes; set TAGGER_CACHE_GB to allow more")


def test_notes_on_the_feature_of_a_teacher_name_the_teacher(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    monkeypatch.setenv("TAGGER_CACHE_GB", "0")
    with caching(tell=notes.append, stores=stores) as keep:
        feature = keep({"x": FakeFeature()}, "the teacher `d`")["x"]
        assert isinstance(feature, CachedFeature)
        feature.arrays(SOME)
    (note,) = notes
    assert note.startswith("the feature `x` of the teacher `d` is not kept on disk and is computed again by each run: ")


def test_a_user_without_a_home_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "stores_of_user", lambda: None)
    notes: list[str] = []
    with caching(tell=notes.append) as keep:
        assert keep({"x": (feature := FakeFeature())}) == {"x": feature}
    assert notes[0].endswith(": the user has no home; set TAGGER_CACHE to a writable folder on a disk with room")


def test_other_stores_make_room(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    Read(stores, model="b")
    (store,) = stores.kept()
    monkeypatch.setenv("TAGGER_CACHE_GB", str(2 * store.bytes / 1e9))
    assert Read(stores, passages(*map(str, range(1000)))).notes == []
    assert [store.about for store in stores.kept()] == [{"kind": "fake"}]


@pytest.mark.skipif(sys.platform == "win32", reason="a file in place of the folder gives another error there")
def test_a_folder_that_cannot_be_made_or_is_gone_ends_the_cache_and_not_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    read = Read(Stores(tmp_path / "file" / "features"), times=2)
    assert not_kept(read)
    stores, notes = Stores(tmp_path / "gone"), []
    with cached({"x": FakeFeature()}, tell=notes.append, stores=stores) as features:
        features["x"].arrays(SOME)
        stores.kept()[0].folder.rename(tmp_path / "elsewhere")
        np.testing.assert_array_equal(all_rows(features["x"], SOME), FakeFeature().arrays(SOME))
    assert len(notes) == 1


def test_work_of_more_than_two_seconds_is_noted_with_the_time_left(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_TOKENS", 1)
    monkeypatch.setattr(module.time, "perf_counter", iter(range(0, 1000, 4)).__next__)
    read = Read(stores)
    assert read.notes == ["computing the feature `x` of 8 tokens; about 2 s left"]
    assert read.progress == [("the feature `x` of 8 tokens", done, 8) for done in (5, 6, 8)]
    assert Read(stores).progress == []


def test_values_are_not_held_in_memory(stores: Stores, peak_memory: Callable[[Callable[[], object]], int]) -> None:
    many = [passages(f"{i} of many tokens")[0] for i in range(5000)]
    Read(stores, many, dtype="float64")
    with cached(
        {"x": FakeFeature("x", FakeConfig(kind="fake", dtype="float64"))}, tell=pytest.fail, stores=stores
    ) as features:
        found = features["x"].arrays(many)
        assert peak_memory(lambda: found[np.arange(100)]) < 10_000
