"""The exception tree, one error for many problems, and what a missing package leads to."""

import re
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import pytest

from tagger.errors import (
    DataError,
    MissingExtraError,
    ModelError,
    Problems,
    RecipeError,
    TaggerError,
    gather,
    missing_package,
)


@pytest.mark.parametrize("kind", [DataError, RecipeError, ModelError, MissingExtraError])
def test_whoever_catches_the_root_catches_every_error_of_a_user(kind: type[TaggerError]) -> None:
    with pytest.raises(TaggerError, match="what to do"):
        raise kind("what to do")


def test_error_of_problems_is_of_the_kind_asked_for_and_has_a_line_for_each() -> None:
    error = DataError.of(["a:1: first", "a:2: second"])
    assert type(error) is DataError
    assert str(error) == "a:1: first\na:2: second"


@pytest.mark.parametrize(
    ("count", "last"),
    [(10, "9"), (11, "... and 1 more such problem"), (25, "... and 15 more such problems")],
)
def test_ten_problems_are_shown_and_the_rest_is_counted(count: int, last: str) -> None:
    lines = str(DataError.of([str(i) for i in range(count)])).splitlines()
    assert lines[:10] == [str(i) for i in range(10)]
    assert lines[-1] == last
    assert len(lines) == min(count, 11)


@pytest.mark.parametrize("count", [0, 1, 10, 11, 12])
def test_counted_problems_read_as_a_list_of_them_does(count: int) -> None:
    sentences = [f"problem {i}" for i in range(count)]
    counted = Problems(sentences[:5])
    for sentence in sentences[5:]:
        counted.append(sentence)
    assert (len(counted), bool(counted)) == (count, count > 0)
    assert str(DataError.of(counted)) == str(DataError.of(sentences))


def test_counted_problems_keep_ten() -> None:
    counted = Problems(str(i) for i in range(1000))
    assert counted.first == [str(i) for i in range(10)]


def test_all_calls_are_made_and_their_errors_stand_in_one() -> None:
    made = []

    def call(number: int) -> int:
        made.append(number)
        if number % 2:
            raise DataError.of([f"file {number}:{line}: wrong" for line in range(1, number + 1)])
        return number

    assert gather(partial(call, number) for number in (0, 2, 4)) == [0, 2, 4]
    made.clear()
    with pytest.raises(DataError) as caught:
        gather(partial(call, number) for number in (0, 1, 2, 3, 1))
    assert made == [0, 1, 2, 3, 1]
    assert str(caught.value).splitlines() == [
        "file 1:1: wrong",
        "file 3:1: wrong",
        "file 3:2: wrong",
        "file 3:3: wrong",
    ]


def test_errors_beyond_the_first_ten_files_are_counted() -> None:
    def call(number: int) -> None:
        raise DataError(f"file {number}: wrong")

    with pytest.raises(DataError) as caught:
        gather(partial(call, number) for number in range(12))
    lines = str(caught.value).splitlines()
    assert lines[:10] == [f"file {number}: wrong" for number in range(10)]
    assert lines[10:] == ["... and 2 more such files"]


WITHOUT = """
import sys
for package in ("torch", "markupsafe", "jinja2"):
    sys.modules[package] = None
import tagger
for name in tagger.__all__:
    try:
        getattr(tagger, name)
    except tagger.MissingExtraError as error:
        print(error)
"""


def test_public_names_that_need_a_missing_package_say_how_to_install_it() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    advice = "run pip install torch, or install tagger with all its dependencies (README)"
    torch = f"needs the package torch, which is not installed; {advice}"
    assert done.stdout.splitlines() == [
        f"tagger.DryRun {torch}",
        f"tagger.GroupListener {torch}",
        f"tagger.LinearChainCRF {torch}",
        f"tagger.RecurrentEncoder {torch}",
        f"tagger.Run {torch}",
        f"tagger.RunListener {torch}",
        f"tagger.StopTraining {torch}",
        f"tagger.TuneListener {torch}",
        f"tagger.audit {torch}",
        f"tagger.dry_run {torch}",
        "tagger.plots needs the package markupsafe, which is not installed; run pip install 'tagger-bilstm[plots]'",
        f"tagger.train {torch}",
        f"tagger.train_several {torch}",
        f"tagger.tune {torch}",
    ]


@pytest.mark.parametrize("package", ["sklearn", "torchcrf", "yaml", "scipy.stats"])
def test_what_to_install_for_a_missing_package_is_a_dependency_of_the_project(package: str) -> None:
    advice = str(missing_package("this", ModuleNotFoundError(name=package)))
    name = advice.partition("run pip install ")[2].partition(",")[0]
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [re.split("[^a-z0-9-]", line)[0] for line in project["dependencies"]]
    assert name in needed
