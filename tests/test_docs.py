"""What the documents promise: every block of the README's tour runs, and every recipe loads."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tagger.config import load_recipe, parse_recipe

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(bash|python|text|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCORE = re.compile(r" \(\d\.\d\d\)")  # differs in the last digit from machine to machine


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and content of the fenced blocks of a Markdown text; those without a language are not run."""
    return [(match[1], match[2]) for match in BLOCK.finditer(text)]


def test_every_block_of_the_tour_runs(tmp_path: Path) -> None:
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    printed = session = ""  # what Python blocks say goes on from block to block
    for language, code in blocks((ROOT / "README.md").read_text(encoding="utf-8")):
        if language == "toml":
            parse_recipe(tomllib.loads(code), where="README.md")
        elif language == "text":
            assert SCORE.sub("", printed) == SCORE.sub("", code)
        else:
            session += code if language == "python" else ""
            command = ["bash", "-euo", "pipefail", "-c", code]
            if language == "python":
                command = [sys.executable, "-c", session]
            done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{code}\n{done.stderr}"
            printed = done.stdout
    report = json.loads((tmp_path / "runs/quickstart/report.json").read_text(encoding="utf-8"))
    assert report["scores"]["ner"]["f1"] >= 0.97
    assert report["scores"]["sentiment"]["accuracy"] >= 0.95


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.toml")), ids=lambda path: path.stem)
def test_recipe_loads_and_opens_with_its_command_and_score(path: Path) -> None:
    load_recipe(path)
    head = path.read_text(encoding="utf-8").splitlines()[:8]
    assert head[0].startswith(f"# tagger train recipes/{path.name}")
    assert any("Expected" in line for line in head)


def test_recipes_are_all_in_their_table() -> None:
    table = (ROOT / "recipes" / "README.md").read_text(encoding="utf-8")
    missing = [path.name for path in (ROOT / "recipes").glob("*.toml") if path.name not in table]
    assert missing == []


@pytest.mark.parametrize("path", ["README.md", "CONTRIBUTING.md", "recipes/README.md"])
def test_files_that_documents_name_exist(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tagger|scripts|tests|recipes|docs)/[\w/.-]+)`", text))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
