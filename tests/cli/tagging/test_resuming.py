"""`tagger tag --resume`: a stopped run continues, and its output is that of a run that was never stopped."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tagger.cli.progress import Meter
from tagger.cli.tagging import tag_file
from tagger.files.journal import is_unfinished, unfinished_of
from tagger.files.reading import raw_lines

Call = Callable[..., tuple[int, str, str]]
SIZE = 10  # sentences of a part
WORDS = ("Ada", "Oslo", "came", "to", "the", "old", "town", "of", "Paris", "and", "sang", "zebra", "qux")


def text(number: int) -> str:
    """A text of one to three sentences, with words that no other text has."""
    rng = random.Random(number)
    parts = [" ".join(rng.choices(WORDS, k=rng.randint(1, 9))) for _ in range(rng.randint(1, 3))]
    return ". ".join(f"{part} New{number}" for part in parts) + "."


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file of 100 records, of which each tenth is invalid, and let parts be small."""
    monkeypatch.setattr(tag_file, "PART", SIZE)
    path = tmp_path / "in.jsonl"
    rows = [json.dumps({"id": number, "text": text(number)} if number % 10 else {}) for number in range(1, 101)]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@contextmanager
def interrupted(monkeypatch: pytest.MonkeyPatch, after: int, stop: Callable[[], object]) -> Iterator[None]:
    """Stop a run before its next document when so many are done in it."""
    counting = Meter.counting

    def stopping(meter: Meter, items, **options):  # type: ignore[no-untyped-def]
        for number, item in enumerate(counting(meter, items, **options), 1):
            yield item
            if number == after and meter._noun == "documents tagged":
                stop()

    with monkeypatch.context() as patch:
        patch.setattr(Meter, "counting", stopping)
        yield


def ctrl_c() -> None:
    raise KeyboardInterrupt


def sigterm() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def full_disk() -> None:
    raise OSError(28, "No space left on device")


STOPS = {"Ctrl-C": ctrl_c, "SIGTERM": sigterm, "full disk": full_disk}
OUTPUTS = ("out.jsonl", "out.csv", "out.conll", "out.txt", "out.jsonl.gz", "out.csv.zst", "labelstudio")


@pytest.mark.parametrize("name", OUTPUTS)
def test_run_that_is_stopped_twice_ends_in_the_same_bytes(
    name: str, model: Path, records: Path, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def run(folder: str, *more: str) -> tuple[int, str, str]:
        (tmp_path / folder).mkdir(exist_ok=True)
        format = ("--output-format", name) if name == "labelstudio" else ()
        return call("tag", model, records, "--output", tmp_path / folder / name, "--on-error", "skip", *format, *more)

    plain = run("plain")
    assert (plain[0], plain[2].count("skipped: ")) == (1, 10)
    said = []
    for after, stop in zip((31, 22), (ctrl_c, full_disk), strict=True):
        with interrupted(monkeypatch, after, stop):
            code, _, err = run("stopped", *(["--resume"] if said else []))
        said.append(err)
        assert code != 0
        assert not (tmp_path / "stopped" / name).exists()
        assert is_unfinished(tmp_path / "stopped" / name)
        assert "documents; the same command with --resume continues it\n" in err
    code, out, err = run("stopped", "--resume")
    said.append(err)
    assert (code, out) == (1, ""), "skipped records count over all runs"
    assert err.splitlines()[0].startswith(f"{tmp_path / 'stopped' / name}: continues after ")
    assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == [name]


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_stopped_run_says_how_to_continue_and_only_if_something_is_whole(
    stop: Callable[[], object], model: Path, records: Path, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    arguments = ("tag", model, records, "--output", output, "--on-error", "skip")
    with interrupted(monkeypatch, 2, stop):
        code, _, err = call(*arguments)
    assert code != 0
    assert "--resume" not in err
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl"}
    with interrupted(monkeypatch, 30, stop):
        code, _, err = call(*arguments)
    assert code != 0
    assert "unfinished after" in err
    assert not output.exists()
    assert call(*arguments)[0] == 1, "without --resume"
    assert call(*arguments, "--resume")[2].startswith(f"{output}: continues after ")


def test_changed_input_option_or_model_is_refused_and_nothing_is_touched(
    model: Path, records: Path, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    arguments = ("--output", output, "--on-error", "skip")
    with interrupted(monkeypatch, 30, ctrl_c):
        call("tag", model, records, *arguments)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    code, _, err = call("tag", model, records, *arguments, "--resume", "--nbest", 2)
    assert (code, "--nbest changed; change it back, or delete" in err) == (1, True)
    assert "an unfinished output exists; add --resume" in call("tag", model, records, *arguments)[2]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    records.write_text(records.read_text(encoding="utf-8") + "\n{}", encoding="utf-8")
    assert "but the input changed" in call("tag", model, records, *arguments, "--resume")[2]
    assert unfinished_of(output).read_bytes() == before[".out.jsonl.unfinished"]


def test_record_that_stops_a_run_can_be_skipped_by_the_next(
    model: Path, records: Path, call: Call, tmp_path: Path
) -> None:
    rows = records.read_text(encoding="utf-8").splitlines()
    records.write_text("\n".join(row for row in rows[:60] if row != "{}") + "\n{}\n" + rows[70], encoding="utf-8")
    output = tmp_path / "out.jsonl"
    code, _, err = call("tag", model, records, "--output", output)
    assert code == 1
    assert "unfinished after" in err
    assert call("tag", model, records, "--output", output, "--on-error", "skip", "--resume")[0] == 1
    again = call("tag", model, records, "--output", tmp_path / "plain.jsonl", "--on-error", "skip")
    assert again[0] == 1
    assert output.read_bytes() == (tmp_path / "plain.jsonl").read_bytes()


def test_folder_is_continued_from_elsewhere_also_if_it_holds_the_output(
    model: Path, call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tag_file, "PART", SIZE)
    (folder := tmp_path / "brat").mkdir()
    for number in range(60):
        (folder / f"{number}.txt").write_text(text(number), encoding="utf-8")
        (folder / f"{number}.ann").touch()
    call("tag", model, folder, "--output", tmp_path / "plain.jsonl")
    with interrupted(monkeypatch, 30, ctrl_c):
        call("tag", model, folder, "--output", folder / "out.jsonl")
    monkeypatch.chdir(folder)
    (folder / "notes.md").touch()
    code, _, err = call("tag", model, Path("../brat"), "--output", Path("out.jsonl"), "--resume")
    assert (code, err.startswith("out.jsonl: continues after ")) == (0, True)
    assert (folder / "out.jsonl").read_bytes() == (tmp_path / "plain.jsonl").read_bytes()
    with interrupted(monkeypatch, 30, ctrl_c):
        call("tag", model, folder, "--output", folder / "out.jsonl")
    (folder / "7.txt").write_text("Another text.", encoding="utf-8")
    assert "but the input changed" in call("tag", model, folder, "--output", folder / "out.jsonl", "--resume")[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-", "--output", "out.jsonl"), "got standard input; save the input to a file first"),
        (("in.jsonl",), "--resume needs --output FILE, because it continues a file"),
        (("in.jsonl", "--output", "out.parquet"), "--resume is not for --output-format parquet"),
        (("in.jsonl", "--output", "/dev/null"), "--resume needs files that can be read again, got /dev/null"),
    ],
)
def test_what_cannot_be_continued_is_refused(
    arguments: tuple[str, ...], said: str, model: Path, records: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(records.parent)
    code, _, err = call("tag", model, *arguments, "--resume")
    assert (code, err.startswith("error: "), said in err) == (2, True, True)


def test_resume_without_an_unfinished_output_tags_the_whole_file(
    model: Path, records: Path, call: Call, tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    for _ in range(2):
        _, _, err = call("tag", model, records, "--output", output, "--on-error", "skip", "--resume")
        assert err.startswith(f"{output}: nothing to continue, starts from the beginning\n")
        assert len(list(raw_lines(output))) == 90


NURSERY = """
import json, os, sys
from tagger.cli.tagging import tag_file
from tagger.cli.app import main
import tagger.inference.numpy_backend
tag_file.PART = 10
for line in sys.stdin:  # forks a run, which is ready in no time
    child = os.fork()
    if not child:
        sys.argv = ["tagger", *json.loads(line)]
        main()
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., tuple[int, Callable[[], int]]]]:
    """Start a run: return its number and what waits for its exit status."""
    arguments = [sys.executable, "-W", "ignore", "-c", NURSERY]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        reader, writer = nursery.stdout, nursery.stdin

        def run(*arguments: object) -> tuple[int, Callable[[], int]]:
            writer.write(json.dumps([str(argument) for argument in arguments]) + "\n")
            writer.flush()
            return int(reader.readline()), lambda: int(reader.readline())

        yield run
        writer.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_twenty_kills_lose_and_double_nothing(
    name: str, model: Path, tmp_path: Path, start: Callable[..., tuple[int, Callable[[], int]]]
) -> None:
    rows = [json.dumps({"id": number, "text": text(number)}) for number in range(700)]
    (tmp_path / "in.jsonl").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "plain").mkdir()
    assert start("tag", model, tmp_path / "in.jsonl", "--output", tmp_path / "plain" / name)[1]() == 0
    output, rng, kills, seen = tmp_path / name, random.Random(1), 0, b""
    journal = Path(f"{unfinished_of(output)}.json")
    while True:
        child, ended = start("tag", model, tmp_path / "in.jsonl", "--output", output, "--resume", "--threads", 1)
        until = time.monotonic() + 60
        while kills < 20 and time.monotonic() < until and not output.exists():
            time.sleep(0.001)
            if kills % 5 and journal.exists() and journal.read_bytes() != seen:
                break  # there is progress
            if not kills % 5 and rng.random() < 0.03:
                break  # at any moment, also before the first document
        if kills == 20 or output.exists():
            break
        time.sleep(rng.random() / 200)
        os.kill(child, signal.SIGKILL)
        assert os.WTERMSIG(ended()) == signal.SIGKILL
        kills, seen = kills + 1, journal.read_bytes() if journal.exists() else b""
    assert ended() == 0
    assert kills == 20
    assert output.read_bytes() == (tmp_path / "plain" / name).read_bytes()
    lines = gzip.decompress(output.read_bytes()) if name.endswith(".gz") else output.read_bytes()
    assert [json.loads(line)["id"] for line in lines.splitlines()] == list(range(700))
    assert {path.name for path in tmp_path.iterdir()} == {"in.jsonl", "plain", name}
