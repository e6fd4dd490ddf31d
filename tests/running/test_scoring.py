"""The report of a model on files: what is said of layers and of values that the model does not know."""

import json
from pathlib import Path
from shutil import copytree

import pytest
from small_recipes import NER, SMALL

from tagger.running.predictions import score
from tagger.running.scoring import evaluate_files
from tagger.running.train import train
from tagger.tagging import Tagger, load

ROWS = [
    {"tokens": ["Ada", "left"], "tags": {"ner": ["B-PER", "O"], "upos": ["N", "V"]}},
    {"tokens": ["Oslo", "sleeps"], "tags": {"ner": ["B-LOC", "O"], "upos": ["N", "V"]}},
]
UPOS = '[heads.upos]\nkind = "tokens"\nscheme = "none"\n'
THESE = "these layers of the model"


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    """A model of entities and tags, from its run."""
    folder = tmp_path_factory.mktemp("scoring")
    write(folder / "rows.jsonl", ROWS)
    data = "\n".join(f'{split} = "rows.jsonl"' for split in ("train", "dev", "test"))
    (folder / "small.toml").write_text(f'seed = 7\n[data]\nformat = "jsonl"\n{data}\n{NER}{UPOS}{SMALL}')
    train(folder / "small.toml", output=folder / "run")
    return load(folder / "run")


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"ner": ["B-PER", "O"], "upos": ["N", "V"]}, []),
        ({"ner": ["B-PER", "O"]}, [f"not scored, because no sentence of the files has {THESE}: `upos`"]),
        (
            {"ner": ["B-PER", "B-ORG"], "upos": ["N", "V"]},
            ["layer `ner`: gold has types that the model does not know and cannot predict: `ORG` (1)"],
        ),
        (
            {"ner": ["B-person", "O"], "upos": ["X", "Y"]},
            [
                "layer `ner`: gold has types that the model does not know and cannot predict: `person` (1); "
                "none is one of the model's: `LOC`, `PER`",
                "layer `upos`: gold has tags that the model does not know and cannot predict: `X` (1), `Y` (1); "
                "none is one of the model's: `N`, `V`",
            ],
        ),
    ],
)  # fmt: skip
def test_layers_that_are_not_scored_and_unknown_values_of_gold_are_said(
    model: Tagger, tmp_path: Path, tags: dict[str, list[str]], said: list[str]
) -> None:
    report = evaluate_files(model, [write(tmp_path / "gold.jsonl", [{"tokens": ["Ada", "left"], "tags": tags}])])
    notes = report.extra["notes"]
    assert isinstance(notes, list)
    assert [note for note in notes if "the model" in note] == said


def test_training_files_may_be_in_another_format_than_the_scored_files(model: Tagger, tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"text": "Ada left", "label": [[0, 3, "PER"]]}]
    texts, found = write(tmp_path / "texts.jsonl", rows), write(tmp_path / "found.jsonl", rows)
    columns = tmp_path / "train.conll"
    columns.write_text("Ada\tB-PER\nsings\tO\n\nBo\tB-LOC\nsings\tO\n", encoding="utf-8")
    for report in (
        evaluate_files(model, [texts], train=[columns, texts], format="jsonl", layer="ner"),
        evaluate_files(model, [columns], train=[texts, columns], format="conll", columns=("token", "ner")),
        score(texts, found, train=[columns], format="jsonl", layer="ner"),
    ):
        groups = report.to_dict()["scores"]["ner"]["breakdown"]["seen"]
        assert groups["seen in train"]["gold"] == sum(group["gold"] for group in groups.values())


def test_the_signature_has_the_seed_of_the_run(model: Tagger, tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.jsonl", ROWS)
    assert evaluate_files(model, [gold]).signature.seed == 7
    assert model.model.source is not None
    alone = tmp_path / "other" / "model"
    copytree(model.model.source.folder, alone)
    assert evaluate_files(load(alone), [gold]).signature.seed is None
    report = json.loads((model.model.source.folder.parent / "report.json").read_text(encoding="utf-8"))
    report["signature"]["model_sha256"] = "0"
    (alone.parent / "report.json").write_text(json.dumps(report), encoding="utf-8")
    assert evaluate_files(load(alone), [gold]).signature.seed is None, "the report is of another model"
