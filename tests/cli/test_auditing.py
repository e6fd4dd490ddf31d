"""The command `audit`."""

import json
from pathlib import Path

import pytest
from small_recipes import NER, SMALL, SYNTHETIC


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text("\n".join((SYNTHETIC, NER, SMALL)))
    return path


def test_suspects_go_to_a_file_and_their_number_to_standard_output(call, recipe: Path, tmp_path: Path) -> None:
    output = tmp_path / "suspects.jsonl"
    outcome = call("audit", recipe, "--folds", 2, "--set", "training.epochs=1", "--output", output, "--keep", tmp_path)
    assert outcome.code == 0
    lines = output.read_text().splitlines()
    compared, score, number = outcome.out.splitlines()
    assert compared == "40 train sentences compared; not compared: 4 dev and 4 test"
    assert score == "ner: F1 0.0000 of the models on the sentences that they did not learn from"
    assert number.startswith(f"ner: {len(lines)} suspect")
    assert "layer `ner`: the models learned too little (F1 0.0000), so most suspects are" in outcome.err
    assert f"{output}: wrote {len(lines)} suspect" in outcome.err
    assert "fold 2 of 2; about " in outcome.err
    assert {path.name for path in tmp_path.iterdir()} == {"recipe.toml", "suspects.jsonl", "fold-1", "fold-2"}


def test_json_is_all_of_standard_output(call, recipe: Path) -> None:
    outcome = call("audit", recipe, "--folds", 2, "--set", "training.epochs=1", "--json")
    found = json.loads(outcome.out)
    assert (found["sentences"], found["folds"], set(found["suspects"])) == (40, 2, {"ner"})
    assert len(found["suspects"]["ner"]) == found["layers"]["ner"]["number"]


def test_mistakes_are_told_before_anything_is_trained(call, recipe: Path, tmp_path: Path) -> None:
    outcome = call("audit", recipe, "--output", tmp_path / "suspects.csv")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: ")
    assert outcome.err.endswith("suspects.csv: the name must end in .jsonl or .txt, got .csv\n")
    assert call("audit", recipe, "--folds", 1).code == 2
    outcome = call("audit", recipe, "--output", tmp_path / "none" / "suspects.txt")
    assert (outcome.code, outcome.err.splitlines()[1:]) == (1, [])
    assert "suspects.txt: its folder must exist, but does not; create it first" in outcome.err
    assert call("audit", recipe, "--data", tmp_path / "none").code == 1
    outcome = call("audit", recipe, "--folds", 41)
    assert (outcome.code, outcome.err.count("error:")) == (1, 1)
    assert "41 folds need at least 41 of them, got 40" in outcome.err
