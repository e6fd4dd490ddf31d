"""A folder that one process at a time writes to."""

from contextlib import suppress
from pathlib import Path

import pytest

from tagger.errors import ModelError
from tagger.files.exclusive import check_free, writing_to
from tagger.files.writing import PENDING, UNFINISHED


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    with writing_to(folder, of="a run", by="training"):
        with pytest.raises(ModelError) as refused, writing_to(folder, of="a run", by="training"):
            pytest.fail("both write")
        assert folder.is_dir()
    assert str(refused.value) == (
        f"{folder}: another training is writing to this folder; wait for its end or use another one"
    )


def test_a_folder_that_cannot_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError) as refused, writing_to(tmp_path / "file", of="an export", by="export"):
        pytest.fail("a file is a folder")
    assert str(refused.value) == f"{tmp_path / 'file'}: the folder of an export must be writable: File exists"


@pytest.mark.parametrize("existed", [False, True])
@pytest.mark.parametrize("name", ["", "kept"])
def test_a_new_folder_that_stays_empty_is_deleted(tmp_path: Path, existed: bool, name: str) -> None:
    folder = tmp_path / "new"
    if existed:
        folder.mkdir()
    with suppress(KeyboardInterrupt), writing_to(folder, of="a run", by="training"):
        if name:
            (folder / name).touch()
        raise KeyboardInterrupt
    assert folder.exists() == (existed or bool(name))
    if folder.exists():
        assert [path.name for path in folder.iterdir()] == ([name] if name else [])


def test_what_a_killed_process_has_left_is_settled_first(tmp_path: Path) -> None:
    for name in (f"{UNFINISHED}1", PENDING):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    with writing_to(tmp_path, of="a run", by="training"):
        assert (tmp_path / "file").read_text() == PENDING
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_a_folder_holds_is_replaced_only_if_asked(tmp_path: Path) -> None:
    check_free(tmp_path, "", overwrite=False)
    check_free(tmp_path, "a finished run", overwrite=True)
    with pytest.raises(ModelError, match="already holds a finished run; use another one, or replace it with --over"):
        check_free(tmp_path, "a finished run", overwrite=False)
