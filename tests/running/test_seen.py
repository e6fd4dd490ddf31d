"""What train has: kept in the folder of a run, and compared with by later evaluations."""

import json
from pathlib import Path

import pytest
from small_recipes import NER, SMALL

from tagger.errors import ModelError
from tagger.evaluation import SEEN, read_seen
from tagger.reporting.report import load_report
from tagger.running.scoring import evaluate_files
from tagger.running.train import train
from tagger.tagging import load

TRAIN = "Ada B-PER\nlives O\nin O\nOslo B-LOC\n\nParis B-PER\nsings O\n\n"
TEST = "Ada B-PER\nsings O\n\nEve B-PER\nlives O\nin O\nParis B-LOC\n\n"
DATA = '[data]\nformat = "conll"\ncolumns = ["token", "ner"]\ntrain = "train"\ndev = "train"\ntest = "test"\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train, test and a run."""
    folder = tmp_path_factory.mktemp("seen")
    (folder / "train").write_text(TRAIN)
    (folder / "test").write_text(TEST)
    (folder / "small.toml").write_text(DATA + NER + SMALL)
    train(folder / "small.toml", output=folder / "run")
    return folder


def gold_by_group(report: dict[str, object]) -> dict[str, int]:
    groups = report["scores"]["ner"]["breakdown"]["seen"]  # type: ignore[index]
    return {name: group["gold"] for name, group in groups.items()}


EXPECTED = {"seen in train": 1, "seen with another type": 1, "unseen": 1}  # Ada, Paris and Eve


def test_a_run_keeps_the_words_and_entities_of_train(folder: Path) -> None:
    assert json.loads((folder / "run" / SEEN).read_text()) == {
        "words": ["Ada", "Oslo", "Paris", "in", "lives", "sings"],
        "entities": {"ner": {"Ada": ["PER"], "Oslo": ["LOC"], "Paris": ["PER"]}},
    }


def test_reports_of_training_of_evaluation_and_of_a_saved_file_tell_seen_from_unseen(folder: Path) -> None:
    trained = json.loads((folder / "run" / "report.json").read_text())
    evaluated = evaluate_files(load(folder / "run"), [folder / "test"])
    assert gold_by_group(trained) == gold_by_group(evaluated.to_dict()) == EXPECTED
    loaded = load_report(folder / "run").to_dict()
    assert loaded["scores"] == json.loads(json.dumps(trained["scores"]))
    assert loaded["scores"]["ner"]["breakdown"] == evaluated.to_dict()["scores"]["ner"]["breakdown"]


def test_a_model_without_its_run_is_given_train_or_says_that_it_needs_it(folder: Path, tmp_path: Path) -> None:
    (folder / "run" / "model").rename(tmp_path / "alone")
    model = load(tmp_path / "alone")
    given = evaluate_files(model, [folder / "test"], train=[folder / "train"])
    assert gold_by_group(given.to_dict()) == EXPECTED
    without = evaluate_files(model, [folder / "test"])
    assert "name the training files with --train FILE" in without.to_text()
    assert "seen" not in without.to_dict()["scores"]["ner"]["breakdown"]
    (tmp_path / "alone").rename(folder / "run" / "model")


@pytest.mark.parametrize("content", ["", "[1]", '{"words": 1}', '{"words": [], "entities": {"ner": ["a"]}}'])
def test_a_damaged_file_is_an_error_that_says_what_to_do(content: str, folder: Path) -> None:
    before = (folder / "run" / SEEN).read_bytes()
    (folder / "run" / SEEN).write_text(content)
    with pytest.raises(ModelError, match=r"seen\.json: expected the words and entities of train.*--train FILE"):
        read_seen(load(folder / "run").model)
    (folder / "run" / SEEN).write_bytes(before)
