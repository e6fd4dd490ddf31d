"""What was acknowledged survives a kill, and a file that is damaged while it is open is one sentence."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from annotation.projects import make_project

from tagger.annotation.store.store import Store
from tagger.errors import DataError

JUDGE = """
import os, sys
from tagger.annotation.store.store import Store
for attempt in range(20):
    if child := os.fork():
        print(child, flush=True)
        os.waitpid(child, 0)
        print("end", flush=True)
        sys.stdin.readline()  # until the file was checked
        continue
    store = Store(sys.argv[1])
    number = store.judgements.count()
    while True:
        store.judgements.add(1 + number % 4, "tokens", 0, 1, "person", person=str(number))
        number += 1
        os.write(1, f"judged {number}\\n".encode())
"""  # a process that imports the library once, and a child that judges until it is killed, again and again


def test_twenty_kills_lose_no_judgement_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    make_project(path).close()
    with subprocess.Popen(
        [sys.executable, "-c", JUDGE, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for attempt in range(20):
            child, acknowledged = None, attempt
            while child is None or acknowledged == attempt:  # both lines come, in either order
                word, _, number = process.stdout.readline().strip().partition(" ")
                child, acknowledged = (child, int(number)) if number else (int(word), acknowledged)
            time.sleep(0.003 * attempt)
            os.kill(child, signal.SIGKILL)
            while (line := process.stdout.readline()) != "end\n":
                acknowledged = int(line.removeprefix("judged "))
            store = Store(path)
            said = store.judgements.all()
            assert len(said) >= acknowledged > attempt
            assert [each.person for each in said] == [str(number) for number in range(len(said))]
            assert store.database.first("PRAGMA integrity_check")[0] == "ok"
            store.close()
            process.stdin.write("go on\n")
            process.stdin.flush()


def test_file_that_is_damaged_while_it_is_open_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite"
    store = make_project(path).store
    path.write_bytes(b"x" * path.stat().st_size)
    calls = (
        store.texts.all,
        store.judgements.all,
        lambda: store.judgements.add(1, "tokens", 0, 1),
        lambda: store.database.copy(tmp_path / "copy"),
    )
    for call in calls:
        with pytest.raises(DataError, match=r"notes\.sqlite: .*but SQLite says: .*, or use a copy of the file$"):
            call()
