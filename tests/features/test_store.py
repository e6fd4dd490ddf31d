"""A store returns the values that it was given, or none, whatever happens to its files."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tagger.features.store import INDEX, VALUES, DamagedError, Store, count

A, B = b"a" * 16, b"b" * 16
VALUES_OF = {A: np.arange(6, dtype=np.float16).reshape(2, 3), B: np.full((1, 3), 7, np.float16)}
LENGTHS = {key: len(values) for key, values in VALUES_OF.items()}


def append(folder: Path, *keys: bytes) -> None:
    Store(folder).append({key: LENGTHS[key] for key in keys}, np.concatenate([VALUES_OF[key] for key in keys]))


def read(folder: Path) -> dict[bytes, NDArray[np.float16]]:
    """Return all that a store finds, and check it."""
    store = Store(folder)
    found = {}
    for key, place in store.find(LENGTHS)[0].items():
        rows = store.rows([place])
        assert rows is not None
        np.testing.assert_array_equal(rows[np.arange(len(rows))], VALUES_OF[key])
        found[key] = rows[np.arange(len(rows))]
    return found


def test_values_are_read_as_they_were_written_in_any_order(tmp_path: Path) -> None:
    append(tmp_path, A)
    append(tmp_path, B)
    store = Store(tmp_path)
    places, damaged = store.find({**LENGTHS, b"c" * 16: 1})
    rows = store.rows([places[B], places[A], places[B]])
    assert rows is not None
    assert (damaged, rows.shape, rows.dtype, count(tmp_path)) == (0, (4, 3), np.float16, (2, 3))
    np.testing.assert_array_equal(rows[np.array([3, 1, 0])], [[7, 7, 7], [0, 1, 2], [7, 7, 7]])
    np.testing.assert_array_equal(rows[np.array([2])], [[3, 4, 5]])


def test_rows_that_a_killed_process_left_are_never_values(tmp_path: Path) -> None:
    append(tmp_path, A)
    with (tmp_path / VALUES).open("ab") as stream:
        stream.write(b"12345")  # less than a row
    assert read(tmp_path).keys() == {A}
    append(tmp_path, B)
    assert read(tmp_path).keys() == {A, B}
    assert (tmp_path / VALUES).stat().st_size == (2 + 1 + 1) * 6


@pytest.mark.parametrize("size", range(0, 18, 5))
def test_values_that_were_cut_off_are_not_found(size: int, tmp_path: Path) -> None:
    append(tmp_path, A, B)
    with (tmp_path / VALUES).open("r+b") as stream:
        stream.truncate(size)
    found, damaged = Store(tmp_path).find(LENGTHS)
    assert (found.keys(), damaged) == (({A}, 1) if size >= 12 else (set(), 2))
    append(tmp_path, A, B)
    assert read(tmp_path).keys() == {A, B}


def test_a_store_that_is_cut_off_or_renewed_while_it_is_open_is_read_anew(tmp_path: Path) -> None:
    append(tmp_path, A, B)
    store = Store(tmp_path)
    places, _ = store.find(LENGTHS)
    with (tmp_path / VALUES).open("r+b") as stream:
        stream.truncate(6)
    with pytest.raises(DamagedError, match="cut off"):
        store.rows(list(places.values()))
    assert store.find(LENGTHS) == ({}, 2)
    Store.delete(tmp_path)
    append(tmp_path, B)
    append(tmp_path, A)
    places, damaged = store.find(LENGTHS)
    rows = store.rows([places[A], places[B]])
    assert rows is not None
    assert damaged == 0
    np.testing.assert_array_equal(rows[np.arange(3)], np.concatenate([VALUES_OF[A], VALUES_OF[B]]))
    store.append({A: 1}, np.zeros((1, 3), np.float16))
    assert store.find(LENGTHS) == ({B: places[B]}, 1)  # the array of another length is not what is asked for


def test_a_changed_byte_anywhere_never_gives_other_values(tmp_path: Path) -> None:
    append(tmp_path, A, B)
    for name in (VALUES, INDEX):
        content = (tmp_path / name).read_bytes()
        used = [i for i, byte in enumerate(content) if byte]
        for i in {*used[:: len(used) // 100 + 1], *range(0, len(content), 997)}:
            (tmp_path / name).write_bytes(content[:i] + bytes([content[i] ^ 0x11]) + content[i + 1 :])
            try:
                assert read(tmp_path).keys() <= {A, B}
            except (DamagedError, sqlite3.OperationalError):
                continue
        (tmp_path / name).write_bytes(content)


@pytest.mark.parametrize("content", [b"", b"no database, but long enough to be taken for one" * 100])
def test_index_that_is_none_is_damaged(content: bytes, tmp_path: Path) -> None:
    append(tmp_path, A)
    (tmp_path / INDEX).write_bytes(content)
    with pytest.raises(DamagedError):
        Store(tmp_path)
    assert count(tmp_path) is None
    Store.delete(tmp_path)
    append(tmp_path, B)
    assert read(tmp_path).keys() == {B}


def test_values_of_another_form_are_refused_and_change_nothing(tmp_path: Path) -> None:
    append(tmp_path, A)
    for form in (np.zeros((1, 4), np.float16), np.zeros((1, 3), np.float32)):
        with pytest.raises(DamagedError, match="its rows have the form"):
            Store(tmp_path).append({B: 1}, form)
    append(tmp_path, B)
    assert read(tmp_path).keys() == {A, B}
