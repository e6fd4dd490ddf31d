"""`tagger compare` as from a shell: what it prints and writes, and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tagger
from tagger.conversion.writing import write_sentences
from tagger.corpus.synthetic import generate

TEST = list(generate(30, seed=1, split="test"))


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gold") / "gold.jsonl"
    write_sentences(path, TEST)
    return path


@pytest.fixture(scope="module")
def report(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.json"
    tagger.load(model).evaluate(TEST).save(path)
    return path


def test_a_model_and_its_saved_report_are_equal(
    call: Callable[..., Any], model: Path, gold: Path, report: Path, tmp_path: Path
) -> None:
    shown = call("compare", model, report, "--on", gold)
    assert (shown.code, shown.err) == (0, "A: layer `ner` reads as IOB2\n")
    assert shown.out.startswith(f"A: {model} (model, tagged gold.jsonl)\nB: {report} (saved report)\n")
    assert "ner: Changes by type" in shown.out
    assert "sentiment: Changes by class" in shown.out
    out = tmp_path / "all.json"
    as_json = call("compare", model, report, "--on", gold, "--json", "--output", out)
    found = json.loads(as_json.out)
    assert (as_json.code, as_json.err, json.loads(out.read_text())) == (0, "", found)
    for scores in found["scores"].values():
        assert scores["comparison"]["differences"]["B"]["difference"] == 0
        assert scores["comparison"]["differences"]["B"]["p_randomisation"] == 1


def test_details_and_a_written_text_have_all_tables(call: Callable[..., Any], report: Path, tmp_path: Path) -> None:
    shown = call("compare", report, report, "--details", "--output", tmp_path / "all.txt")
    assert shown.code == 0
    assert "without a mistake in" in shown.out
    assert (tmp_path / "all.txt").read_text() == shown.out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["REPORT"], 2, "there must be at least two systems to compare, got 1"),
        (["REPORT", "nowhere"], 1, "nowhere: expected a model"),
        (["REPORT", "GOLD"], 2, "predictions need the file with their gold layers; name it with --on FILE"),
        (["REPORT", "MODEL"], 2, "the model has no report of a test split; name files to tag with --on FILE"),
        (["nowhere", "REPORT", "--output", "nowhere/out.txt"], 1, "nowhere/out.txt: its folder must exist"),
        (["REPORT", "REPORT", "--output", "out.pdf"], 2, "out.pdf: the name must end in"),
    ],
)
def test_mistakes_end_in_one_sentence(
    call: Callable[..., Any], model: Path, gold: Path, report: Path, arguments: list[str], code: int, message: str
) -> None:
    paths = {"REPORT": report, "MODEL": model, "GOLD": gold}
    shown = call("compare", *(paths.get(each, each) for each in arguments))
    assert (shown.code, shown.out) == (code, "")
    assert message in shown.err
    assert shown.err.count("\n") == 1


def test_the_help_ends_in_an_example(call: Callable[..., Any]) -> None:
    shown = call("compare", "--help")
    assert shown.code == 0
    assert shown.out.strip().splitlines()[-1].strip().startswith("Example: tagger compare")
