"""An output that a run has marked continues after an error or a kill; what cannot be continued stays as it is."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from tagger.errors import DataError
from tagger.files.journal import continued, is_unfinished, unfinished_of

FACTS = {"the input": [1, "x"], "--nbest": 0}


class StoppedError(Exception):
    """What stops a run."""


def stop_after(path: Path, *parts: bytes, resume: bool = False) -> None:
    """Write parts, with a mark after each but the last, and stop."""
    with continued(path, FACTS, resume=resume) as output:
        done = output.state["parts"] if output.state else 0
        for number, part in enumerate(parts, 1):
            output.stream.write(part)
            if number < len(parts):
                output.mark({"parts": done + number})
        output.stream.flush()
        raise StoppedError


def stopped(path: Path, *parts: bytes, resume: bool = False) -> None:
    with pytest.raises(StoppedError):
        stop_after(path, *parts, resume=resume)


def finish(path: Path, part: bytes, resume: bool = True) -> int:
    with continued(path, FACTS, resume=resume) as output:
        output.stream.write(part)
    return output.state["parts"] if output.state else 0


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def refused(path: Path, facts: dict[str, object] = FACTS, *, resume: bool) -> str:
    """The error of a run, which has touched nothing."""
    before = contents(path.parent)
    with pytest.raises(DataError) as caught, continued(path, facts, resume=resume):
        pass
    assert contents(path.parent) == before
    return str(caught.value)


def test_output_takes_its_place_at_the_end_with_the_permissions_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old")
    path.chmod(0o640)
    with continued(path, FACTS) as output:
        output.stream.write(b"new")
        output.mark({})
        assert path.read_text() == "old"
    assert contents(tmp_path) == {"out": b"new"}
    assert path.stat().st_mode & 0o777 == 0o640


def test_stopped_output_continues_after_its_last_mark(tmp_path: Path) -> None:
    path = tmp_path / "out"
    stopped(path, b"one ", b"two ", b"lost")
    assert is_unfinished(path)
    assert not path.exists()
    stopped(path, b"three ", b"lost again", resume=True)
    assert finish(path, b"end") == 3
    assert contents(tmp_path) == {"out": b"one two three end"}


def test_nothing_is_kept_of_a_run_that_stops_before_a_mark(tmp_path: Path) -> None:
    stopped(tmp_path / "out", b"lost")
    assert contents(tmp_path) == {}
    assert not is_unfinished(tmp_path / "out")


def test_run_without_resume_leaves_an_unfinished_output_alone(tmp_path: Path) -> None:
    stopped(tmp_path / "out", b"one", b"")
    said = refused(tmp_path / "out", resume=False)
    part = tmp_path / ".out.unfinished"
    assert said == (
        f"{tmp_path / 'out'}: an unfinished output exists; add --resume to continue it, or delete {part} and "
        f"{part}.json to start from the beginning"
    )


@pytest.mark.parametrize(
    ("facts", "named"),
    [({**FACTS, "--nbest": 2}, "--nbest"), ({"the input": [2], "--x": 1}, "the input, --x, --nbest")],
)
def test_run_with_other_facts_is_refused_and_touches_nothing(
    facts: dict[str, object], named: str, tmp_path: Path
) -> None:
    stopped(tmp_path / "out", b"one", b"two")
    assert f"but {named} changed; change it back, or delete" in refused(tmp_path / "out", facts, resume=True)


def digit(text: str) -> str:
    return text.replace('"bytes": 3', '"bytes": 2')


FOREIGN = json.dumps({"content": {}, "sha256": sha256(b"{}").hexdigest()})


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:20],
        lambda text: "[]",
        digit,
        lambda text: "",
        lambda text: "[" * 100_000,
        lambda text: FOREIGN,
        lambda text: '{"content": 3, "sha256": 4}',
    ],
)
def test_damaged_journal_is_refused_and_touches_nothing(damage: Callable[[str], str], tmp_path: Path) -> None:
    stopped(tmp_path / "out", b"one", b"two")
    journal = tmp_path / ".out.unfinished.json"
    journal.write_text(damage(journal.read_text()))
    assert f"the unfinished output or its journal is damaged; delete {tmp_path / '.out.unfinished'} and" in refused(
        tmp_path / "out", resume=True
    )


@pytest.mark.parametrize("damaged", [b"on", b"onx", b"xnetwo"])
def test_file_with_other_bytes_than_its_journal_says_is_refused(damaged: bytes, tmp_path: Path) -> None:
    stopped(tmp_path / "out", b"one", b"two")
    (tmp_path / ".out.unfinished").write_bytes(damaged)
    assert "is damaged; delete" in refused(tmp_path / "out", resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_file_or_journal_alone_is_written_over(resume: bool, tmp_path: Path) -> None:
    path = tmp_path / "out"
    stopped(path, b"one", b"two")
    (tmp_path / ".out.unfinished.json").unlink()
    assert finish(path, b"new", resume=resume) == 0
    assert contents(tmp_path) == {"out": b"new"}
    stopped(path, b"one", b"two")
    (tmp_path / ".out.unfinished").unlink()
    assert finish(path, b"newer", resume=resume) == 0
    assert contents(tmp_path) == {"out": b"newer"}


def test_two_runs_on_one_output_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with continued(path, FACTS) as output:
        output.stream.write(b"one")
        output.mark({})
        for resume in (False, True):
            assert refused(path, resume=resume) == (
                f"{path}: another run is writing this file; wait for its end, or name another file"
            )
    assert contents(tmp_path) == {"out": b"one"}


def test_lock_ends_with_a_killed_run(tmp_path: Path) -> None:
    code = "import sys, time; from pathlib import Path; from tagger.files.journal import continued\n"
    code += "with continued(Path(sys.argv[1]), {'a': 1}) as output:\n"
    code += "    output.stream.write(b'one'); output.mark({'parts': 1}); print('marked', flush=True); time.sleep(100)"
    with subprocess.Popen([sys.executable, "-c", code, tmp_path / "out"], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        run.stdout.readline()
        run.kill()
    with continued(tmp_path / "out", {"a": 1}, resume=True) as output:
        output.stream.write(b" end")
    assert contents(tmp_path) == {"out": b"one end"}


def test_full_disk_keeps_what_was_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"

    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    def write() -> None:
        with continued(path, FACTS) as output:
            output.stream.write(b"one ")
            output.mark({"parts": 1})
            output.stream.write(b"two ")
            monkeypatch.setattr("tagger.files.writing.os.fsync", full)
            output.mark({"parts": 2})

    with pytest.raises(DataError, match=f"^{path}: the file cannot be written: No space left on device$"):
        write()
    monkeypatch.undo()
    assert json.loads((tmp_path / ".out.unfinished.json").read_text())["content"]["state"] == {"parts": 1}
    assert len(contents(tmp_path)) == 2
    assert finish(path, b"end") == 1
    assert path.read_bytes() == b"one end"


def test_link_to_another_disk_stays_a_link(tmp_path: Path) -> None:
    other = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    try:
        (tmp_path / "out").symlink_to(other / "far")
        assert unfinished_of(tmp_path / "out").parent == other.resolve()
        stopped(tmp_path / "out", b"one ", b"lost")
        assert finish(tmp_path / "out", b"end") == 1
        assert (tmp_path / "out").is_symlink()
        assert contents(other) == {"far": b"one end"}
    finally:
        shutil.rmtree(other)


def test_place_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="its folder must exist"), continued(tmp_path / "no/out", FACTS):
        pass
