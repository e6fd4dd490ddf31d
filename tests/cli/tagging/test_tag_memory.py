"""`tagger tag` takes no more memory for a long file than for a short one."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import sys
from pathlib import Path
from tagger.cli.tagging.options import Tagging
from tagger.cli.tagging.tag_file import tag_file
from tagger.tagging import load
tag_file(load(sys.argv[1], backend="numpy", threads=1), sys.argv[2], Tagging(format="jsonl", path=Path(sys.argv[3])))
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
WORDS = ["Ada", "came", "to", "Oslo", "in", "May"]
FILES = {
    "a.jsonl.gz": json.dumps({"text": " ".join(WORDS), "user": "u"}) + "\n",
    "a.conll": "".join(f"{word}\tO\n" for word in WORDS) + "\n",
}


def peak(model: Path, path: Path, number: int) -> int:
    """The peak memory of tagging so many records, in KB."""
    data = (FILES[path.name] * number).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    command = [sys.executable, "-c", CODE, model, path, path.with_name("out.jsonl")]
    return int(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("name", FILES)
def test_memory_does_not_grow_with_the_file(name: str, model: Path, tmp_path: Path) -> None:
    short, long = (peak(model, tmp_path / name, number) for number in (3_000, 12_000))
    assert long < short + 8_000, "9,000 records that stay would take 15 MB and more"
