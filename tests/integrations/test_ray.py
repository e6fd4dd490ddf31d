"""Tagging on a real Ray of two processes: the rows of one process, also if a process dies or the job is cut."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow
import pytest
from pyarrow import parquet
from untrained import loud_model

import tagger
from tagger.corpus.synthetic import generate
from tagger.model.folder.torch_model import save_model

ray = pytest.importorskip("ray", exc_type=ImportError)
pytestmark = pytest.mark.filterwarnings("ignore")  # those of Ray are not ours
BYTES = 6_000  # of a block


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model, `texts.txt`, and the same texts with another column as JSON lines and Parquet."""
    folder = tmp_path_factory.mktemp("ray")
    save_model(loud_model(), folder / "model", card="")
    texts = [f"{sentence.text} n{i}" for i, sentence in enumerate(generate(1000, seed=3, split="train"))]
    rows = [{"id": f"r{number}", "text": text} for number, text in enumerate(texts)]
    (folder / "texts.txt").write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    (folder / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    parquet.write_table(pyarrow.Table.from_pylist(rows), folder / "texts.parquet", row_group_size=10)
    return folder


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Start a Ray with two cores, and return its address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # the tests wait for the workers
        context = ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
        yield context.address_info["gcs_address"]
        ray.shutdown()


@pytest.fixture(scope="module")
def wanted(folder: Path) -> list[dict[str, Any]]:
    """Return the rows that one process makes of `texts.parquet`."""
    model = tagger.load(folder / "model", threads=1)
    return tagger.tag_dataframe(model, parquet.read_table(folder / "texts.parquet")).to_pylist()


def same(found: Any, wanted: Any) -> bool:
    """Whether rows are the same, apart from the last digits of scores, which depend on what is tagged together."""
    if isinstance(wanted, float):
        return bool(found == pytest.approx(wanted, abs=1e-4))
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, dict):
        return list(found) == list(wanted) and all(same(found[name], wanted[name]) for name in wanted)
    return bool(found == wanted)


def written(output: Path) -> list[dict[str, Any]]:
    files = sorted(output.iterdir())
    assert [file.name for file in files if not file.match("part-*.parquet")] == []
    return [row for file in files for row in parquet.read_table(file).to_pylist()]


def workers() -> list[psutil.Process]:
    """Return the processes that tag."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it has ended
            if "MapWorker(MapBatches(Writer))" in " ".join(child.cmdline()):
                found.append(child)
    return found


@pytest.mark.parametrize("read", ["read_text", "read_json", "read_parquet"])
def test_a_dataset_has_the_rows_of_one_process(
    read: str, folder: Path, address: str, wanted: list[dict[str, Any]]
) -> None:
    name = {"read_text": "texts.txt", "read_json": "texts.jsonl", "read_parquet": "texts.parquet"}[read]
    dataset = getattr(ray.data, read)(str(folder / name))
    rows = tagger.ray.tag(dataset, folder / "model").take_all()
    kept = [{name: row[name] for name in row if read != "read_text" or name != "id"} for row in wanted]
    assert same(sorted(rows, key=lambda row: row["text"]), sorted(kept, key=lambda row: row["text"]))
    assert any(row["ner"] for row in rows)


def test_a_killed_worker_loses_and_doubles_no_row(
    folder: Path, address: str, wanted: list[dict[str, Any]], tmp_path: Path
) -> None:
    killed: list[int] = []

    def kill_one(rows: Iterable[int], total: int) -> Iterator[int]:
        for number, count in enumerate(rows, 1):
            if number == 2:
                victim = workers()[0]
                victim.kill()
                killed.append(victim.pid)
            yield count

    output = tmp_path / "out"
    found = tagger.ray.tag_files(folder / "texts.jsonl", folder / "model", output, block_bytes=BYTES, watch=kill_one)
    assert killed
    assert found == (len(list(output.iterdir())), len(wanted), 0)
    assert found.blocks >= 10
    assert same(written(output), wanted)


def test_a_cut_job_goes_on_with_the_blocks_that_are_missing(
    folder: Path, address: str, wanted: list[dict[str, Any]], tmp_path: Path
) -> None:
    def cut(rows: Iterable[int], total: int) -> Iterator[int]:
        yield next(iter(rows))
        raise KeyboardInterrupt

    job = {"path": folder / "texts.parquet", "model": folder / "model", "output": tmp_path / "out"}
    with pytest.raises(KeyboardInterrupt):
        tagger.ray.tag_files(**job, watch=cut)
    settle(tmp_path / "out")
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").glob("part-*.parquet")}
    assert 1 <= len(before) < 100
    found = tagger.ray.tag_files(**job, resume=True)
    assert (found.blocks, found.before) == (100 - len(before), len(before))
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert same(written(tmp_path / "out"), wanted)
    assert tagger.ray.tag_files(**job, resume=True) == (0, 0, 100)


def settle(output: Path) -> None:
    """Wait until no worker writes any more."""
    until = time.monotonic() + 30
    while workers() and time.monotonic() < until:
        time.sleep(0.1)


def test_the_command_writes_a_folder(folder: Path, address: str, wanted: list[dict[str, Any]], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tagger", "tag", folder / "model", folder / "texts.txt", "--ray", address]
    done = subprocess.run([*command, "--output", tmp_path / "out"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{tmp_path}/out: 1 block with 1000 rows" in done.stderr.splitlines()
    texts_alone = [{name: value for name, value in row.items() if name != "id"} for row in wanted]
    assert same(written(tmp_path / "out"), texts_alone)


def test_an_error_of_a_worker_is_that_of_one_process(folder: Path, address: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"good\nb\xe9d\n")
    with pytest.raises(tagger.DataError, match=r"a\.txt:2: must be UTF-8, got byte 0xe9 .* save it as UTF-8$"):
        tagger.ray.tag_files(tmp_path / "a.txt", folder / "model", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_cluster_that_is_not_there_is_one_sentence(folder: Path) -> None:
    command = [sys.executable, "-m", "tagger", "tag", folder / "model", folder / "texts.txt"]
    command += ["--ray", "nowhere", "--output", folder / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 2
    assert "error: --ray nowhere: must be the address of a running Ray" in done.stderr
