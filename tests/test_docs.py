"""What the documents promise: every block of the README and of docs/ runs, generated parts are up to date, names exist.

Blocks of a page run in order in one folder of their own, in which `recipes/` and the model of the README are. `python`
blocks share their variables, `text` blocks are what the block before them printed, and `toml` blocks are recipes or
sections of one. `console` blocks are commands that need data or take long: they do not run, but their options must
exist.
"""

import ast
import contextlib
import importlib
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest
import reference

import tagger
import tagger.integrations.spacy  # registers the component, as the entry point of an installed package does
from tagger.cli import main
from tagger.config import load_recipe, parse_recipe

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "recipes" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCORE = re.compile(r" \(\d\.\d\d\)")  # differs in the last digit from machine to machine
PLAIN_COMMAND = re.compile(r"tagger [^|<>&;]*")  # needs no shell
PUBLIC_MODULES = ("annotation", "extensions", "metrics", "plots", "ray")
OF_EXTENSIONS = re.search(r"base classes from (.*)\. They are", (ROOT / "docs" / "extensions.md").read_text())
REST: dict[str, object] = {  # what a recipe has besides the sections that a page shows
    "data": {"format": "synthetic", "sentences": 100},
    "heads": {"ner": {"kind": "tokens"}},
}


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Return language and content of each fenced block that is not generated."""
    text = page.read_text(encoding="utf-8")
    text = re.sub(f"{re.escape(reference.BEGIN)}.*?{re.escape(reference.END)}", "", text, flags=re.DOTALL)
    return ((match[1], match[2]) for match in BLOCK.finditer(text))


def run_command(line: str) -> None:
    """Run a `tagger` command in this process, which has the library loaded."""
    before, sys.argv = sys.argv, shlex.split(line)
    try:
        with pytest.raises(SystemExit) as stop:
            main()
    finally:
        sys.argv = before
    assert not stop.value.code, line


def run_bash(code: str) -> None:
    """Run a block: in this process if it has plain commands only, else in a shell."""
    lines = code.splitlines()
    if all(PLAIN_COMMAND.fullmatch(line) for line in lines):
        for line in lines:
            run_command(line)
    else:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        command = ["bash", "-euo", "pipefail", "-c", code]
        done = subprocess.run(command, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE, text=True, check=True)
        sys.stdout.write(done.stdout)


def check_console(code: str) -> None:
    """Check that the scripts and recipes of commands exist, and that the options of `tagger` commands do."""
    known = reference.commands()
    for line in code.splitlines():
        assert line.startswith("$ "), "a console block has one command per line, after `$ `"
        words = shlex.split(line[2:])
        assert [word for word in words if re.match(r"(scripts|recipes)/", word) and not (ROOT / word).exists()] == []
        if words[0] == "tagger":
            name = " ".join(words[: 3 if words[1] in ("annotations", "data", "plot", "recipes") else 2])
            section = known.partition(f"### {name}\n")[2].partition("\n### ")[0]
            assert section, line
            assert [word for word in words if word.startswith("--") and f"`{word}" not in section] == [], line


def check_dockerfile(code: str) -> None:
    """Check that what is copied from the checkout exists there, apart from runs, and that no stage runs as root."""
    copied = [line.split()[1:-1] for line in code.splitlines() if line.startswith("COPY ") and "--from" not in line]
    names = [name for names in copied for name in names if not name.startswith("runs/")]
    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []
    *_, last = (line for line in code.splitlines() if line.startswith("FROM "))
    assert "nonroot" in last or "\nUSER " in code


def run_block(language: str, code: str, session: dict[str, object], printed: str) -> None:
    """Run or check a block; `printed` is what the block before it printed."""
    match language:
        case "python":
            exec(compile(code, "block", "exec"), session)
        case "bash":
            run_bash(code)
        case "text":
            assert SCORE.sub("", printed) == SCORE.sub("", code)
        case "toml":
            given = tomllib.loads(code)
            parse_recipe({**({"heads": REST["heads"]} if "corpora" in given else REST), **given}, where="block")
        case "console":
            check_console(code)
        case "dockerfile":
            check_dockerfile(code)
        case "ini":
            ConfigParser(strict=True).read_string(code)
        case _:
            pytest.fail(f"a block must be python, bash, text, toml, console, dockerfile or ini, got {language!r}")


def run_page(page: Path, folder: Path) -> None:
    """Run all blocks of a page in a folder."""
    session: dict[str, object] = {}
    printed = ""
    with contextlib.chdir(folder):
        for language, code in blocks(page):
            output = io.BytesIO()
            with contextlib.redirect_stdout(io.TextIOWrapper(output, encoding="utf-8", write_through=True)) as stream:
                run_block(language, code, session, printed)
                printed = output.getvalue().decode()
            stream.detach()


@pytest.fixture(scope="module")
def readme_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of the model that the README trains; all its blocks have run then."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "recipes").symlink_to(ROOT / "recipes")
    run_page(ROOT / "README.md", folder)
    return folder / "runs" / "quickstart"


def test_every_block_of_the_readme_runs_and_its_model_is_good(readme_run: Path) -> None:
    report = json.loads((readme_run / "report.json").read_text(encoding="utf-8"))
    assert report["scores"]["ner"]["f1"] >= 0.95
    assert report["scores"]["sentiment"]["accuracy"] >= 0.9  # 0.94 to 1 by processor and number of threads


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 900


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_the_page_runs(page: Path, readme_run: Path, tmp_path: Path) -> None:
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    shutil.copytree(readme_run, tmp_path / "runs" / "quickstart")
    run_page(page, tmp_path)


# The layer of each section of "Data as they are", with the numbers of its train and test sentences.
AS_THEY_ARE = [
    ({"feeling"}, 40_030, 5_027),
    ({"emotion"}, 18_663, 2_333),
    ({"opinion"}, 36_693, 4_587),
    ({"opinion"}, 445, 159),
    ({"ner"}, 12_543, 2_077),
    ({"pos"}, 27_268, 7_265),
]


def test_data_as_they_are_can_be_read_by_their_sections(data_folder: Path) -> None:
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    part = page.partition("## Data as they are\n")[2].partition("\n## ")[0]
    with contextlib.chdir(data_folder):
        corpora = [tagger.load_corpus(**tomllib.loads(match[2])["data"]) for match in BLOCK.finditer(part)]
    found = [
        ({name for s in corpus.test for name in s.layers}, len(corpus.train), len(corpus.test)) for corpus in corpora
    ]
    assert found == AS_THEY_ARE


@pytest.mark.parametrize("page", reference.GENERATED)
def test_generated_part_of_the_page_is_up_to_date(page: str) -> None:
    written = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert reference.BEGIN in written
    assert written == reference.rendered(page), "run: python docs/tools/reference.py"


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.toml")), ids=lambda path: path.stem)
def test_recipe_loads_and_opens_with_its_command_and_score(path: Path) -> None:
    load_recipe(path)
    head = path.read_text(encoding="utf-8").splitlines()[:8]
    assert head[0].startswith(f"# tagger train recipes/{path.name}")
    assert any("Expected" in line for line in head)


def test_recipes_are_all_in_their_table() -> None:
    table = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert [path.stem for path in (ROOT / "recipes").glob("*.toml") if f"`{path.stem}`" not in table] == []


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.stem)
def test_files_that_the_page_names_exist(page: Path) -> None:
    named = set(re.findall(r"`((?:tagger|scripts|tests|recipes|docs)/[\w/.-]+)`", page.read_text(encoding="utf-8")))
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def imports_of(code: str) -> Iterator[str]:
    """Return what a piece of Python imports: `module` or `module.name`."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_public(name: str) -> bool:
    """Whether a name is `tagger`, a name in `tagger.__all__`, or a name in `__all__` of a public module."""
    parts = name.split(".")
    if parts[0] != "tagger" or len(parts) == 1:
        return True
    if parts[1] in PUBLIC_MODULES:
        return len(parts) == 2 or parts[2] in importlib.import_module(f"tagger.{parts[1]}").__all__
    return len(parts) == 2 and parts[1] in tagger.__all__


def test_reference_describes_every_public_name_of_the_table() -> None:
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `(tagger\.\w+)` \|", text, re.M))
    described = set(re.findall(r"^::: (tagger\.\w+)$", text, re.M))
    assert described == named | {f"tagger.{module}" for module in PUBLIC_MODULES}


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.stem)
def test_examples_import_only_public_names(page: Path) -> None:
    code = "\n".join(code for language, code in blocks(page) if language == "python")
    bases = re.findall(r"`(.*?)`", OF_EXTENSIONS[1]) if page.stem == "extensions" and OF_EXTENSIONS else []
    found = [name for name in imports_of(code) if name.rpartition(".")[0] not in bases]
    assert [name for name in found if not is_public(name)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.stem)
def test_scripts_import_only_public_names(path: Path) -> None:
    assert [name for name in imports_of(path.read_text(encoding="utf-8")) if not is_public(name)] == []
