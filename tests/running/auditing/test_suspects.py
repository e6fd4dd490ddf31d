"""Likely errors of the gold data of a file, from a model that was not trained on it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from small_recipes import NER, SMALL, SYNTHETIC

from tagger import Label, generate, load, train
from tagger.cli.app import main
from tagger.running.auditing.suspects import with_suspects
from tagger.running.scoring import evaluate_files

RECIPE = """
[data]
format = "conll"
columns = ["token", "ner"]
train = "train.conll"
dev = "train.conll"

[embeddings]
dimension = 8
char_hidden = 4

[encoder]
hidden_size = 8

[training]
epochs = 12
batch_size = 4
learning_rate = 0.05
"""
PEOPLE, PLACES = ("Ada", "Bob", "Eve", "Max", "Zoe"), ("Oslo", "Rome", "Bonn", "Lima")


def write(path: Path, rows: Sequence[tuple[str, str, str, str]]) -> None:
    path.write_text("".join(f"{a} {x}\nlives O\nin O\n{b} {y}\n. O\n\n" for a, x, b, y in rows))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("suspects")
    rows = [(person, "B-PER", place, "B-LOC") for person in PEOPLE for place in PLACES]
    write(folder / "train.conll", rows * 2)
    write(
        folder / "wrong.conll",
        [*rows[:3], ("Eve", "B-LOC", "Rome", "B-LOC"), *rows[4:7], ("Bob", "B-PER", "Lima", "O")],
    )
    (folder / "recipe.toml").write_text(RECIPE + NER)
    train(folder / "recipe.toml", output=folder / "run", threads=1)
    return folder


@pytest.mark.parametrize("backend", ["torch", "numpy"])
def test_errors_of_a_file_are_in_the_report_with_their_lines(folder: Path, backend: str) -> None:
    file = folder / "wrong.conll"
    report = evaluate_files(load(folder / "run", backend=backend), [file], suspects=True)  # type: ignore[arg-type]
    found = report.to_dict()["scores"]["ner"]["suspects"]  # type: ignore[index]
    assert found["number"] == 2
    assert {(each["place"], each["kind"]) for each in found["list"]} == {
        (f"{file}:19", "wrong type"),
        (f"{file}:46", "missing entity"),
    }
    assert "likely errors of gold: 2 suspects among 15 gold entities: " in report.to_text()
    assert f"{file}:19" in report.to_text(details=True)
    assert not any("trained on this file" in note for note in report.extra["notes"])  # type: ignore[attr-defined]


def test_a_report_has_no_suspects_unless_they_are_asked_for_and_says_that_a_file_was_trained_on(folder: Path) -> None:
    report = evaluate_files(load(folder / "run"), [folder / "train.conll"])
    assert "suspects" not in report.to_dict()["scores"]["ner"]  # type: ignore[index]
    (note,) = [note for note in report.extra["notes"] if "SHA-256" in note]  # type: ignore[attr-defined]
    assert note.startswith(f"{folder / 'train.conll'}: the model was trained on this file (equal SHA-256)")


def test_the_command_lists_suspects(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["tagger", "evaluate", folder / "run", folder / "wrong.conll", "--suspects"]
    monkeypatch.setattr("sys.argv", [str(argument) for argument in arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    assert "likely errors of gold: 2 suspects among 15 gold entities: " in capsys.readouterr().out


def test_a_class_that_a_corpus_does_not_annotate_is_no_suspect(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(f'{SYNTHETIC}[heads.sentiment]\nkind = "sentence"\n{SMALL}')
    model = train(tmp_path / "recipe.toml").tagger
    assert len(model.model.vocabulary.labels["sentiment"]) > 2
    gold = [
        replace(sentence, layers={"sentiment": Label(value, types=("negative", "positive"))})
        for sentence in generate(30, seed=5, split="test")
        if (value := sentence.label("sentiment").value) in ("negative", "positive")
    ]
    report = with_suspects(model.evaluate(gold), model)
    assert report.to_dict()["scores"]["sentiment"]["suspects"]["number"] <= len(gold)  # type: ignore[index]
