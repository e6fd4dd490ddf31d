"""A model is used as it was trained: what it tags in a file is what its score on the file counts, to the last entity.

The strict F1 is computed here from the tagged JSON lines and the annotations of the file, by characters, and compared
with the report on the same file.
"""

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tagger import Recipe, Sentence, generate, load, train
from tagger.cli.app import app

Spans = list[tuple[int, int, str]]
SMALL: dict[str, Any] = {
    "embeddings": {"dimension": 16, "char_hidden": 8, "dropout": 0.1},
    "encoder": {"hidden_size": 16, "dropout": 0.1},
    "training": {"epochs": 8, "learning_rate": 0.03},
    "heads": {"ner": {"kind": "tokens"}},
}


def texts(number: int, seed: int) -> list[tuple[str, Spans]]:
    """Texts of one to four generated sentences, with their entities as characters."""
    rng, sentences = random.Random(seed), list(generate(4 * number, seed=seed, split="train"))
    found = []
    for _ in range(number):
        text, spans = "", []
        for sentence in (sentences.pop() for _ in range(rng.randint(1, 4))):
            start = len(text)
            spans += [(start + s.start_char, start + s.end_char, s.type) for s in sentence.spans("ner")]
            text += sentence.text + rng.choice([" ", "  ", "\n"])
        found.append((text.rstrip(), spans))
    return found


def damaged(rows: list[tuple[str, Spans]], seed: int) -> list[tuple[str, Spans]]:
    """Texts with entities that cut a token, cross two sentences or touch only a part of another one."""
    rng = random.Random(seed)
    found = []
    for text, spans in rows:
        shorter = [(a, b - 1, kind) if b - a > 2 and rng.random() < 0.3 else (a, b, kind) for a, b, kind in spans]
        if shorter and text.count(". ") and rng.random() < 0.3:
            cut = text.index(". ")
            crossing = (max(0, cut - 3), min(len(text), cut + 4), "product")
            if all(b <= crossing[0] or a >= crossing[1] for a, b, _ in shorter):
                shorter.append(crossing)
        found.append((text, shorter))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model that was trained on texts of several sentences."""
    path = tmp_path_factory.mktemp("trained")
    write_jsonl(path / "train.jsonl", texts(150, seed=1))
    data = {"format": "jsonl", "train": "train.jsonl", "split": {"dev": 0.1}, "rename": {"person": "human"}}
    train(Recipe(data=data, **SMALL), data=path, output=path / "run")  # type: ignore[arg-type]
    return path


def write_jsonl(path: Path, rows: Iterable[tuple[str, Spans]]) -> None:
    records = [{"id": i, "text": text, "label": spans} for i, (text, spans) in enumerate(rows)]
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def evaluate(model: Path, *arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["evaluate", str(model), *arguments, "--json"], catch_exceptions=False)
    scores: dict[str, Any] = json.loads(result.stdout)["scores"]["ner"]
    return scores


def tagged(model: Path, *arguments: str) -> list[dict[str, Any]]:
    command = ["tag", str(model), *arguments, "--output-format", "jsonl"]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    return [json.loads(line) for line in result.stdout.splitlines()]


def spans_of(records: Iterable[dict[str, Any]]) -> list[set[tuple[int, int, str]]]:
    """The predicted entities of each record, as characters of its text."""
    return [{(s["start_char"], s["end_char"], s["type"]) for s in r["spans"]["ner"]} for r in records]


def renamed(spans: Spans) -> set[tuple[int, int, str]]:
    return {(a, b, "human" if kind == "person" else kind) for a, b, kind in spans}


def assert_equal(scores: dict[str, Any], gold: list[set[Any]], predicted: list[set[Any]]) -> None:
    assert len(gold) == len(predicted)
    right = sum(len(a & b) for a, b in zip(gold, predicted, strict=True))
    numbers = {"correct": right, "gold": sum(map(len, gold)), "predicted": sum(map(len, predicted))}
    assert {name: scores[f"{name}_entities"] for name in numbers} == numbers
    assert scores["f1"] == pytest.approx(2 * right / (numbers["gold"] + numbers["predicted"]))
    assert 0 < scores["f1"] < 1


def test_records_of_several_sentences_with_entities_that_do_not_fit(folder: Path) -> None:
    rows = damaged(texts(60, seed=2), seed=3)
    rows[5:5] = [("", []), ("  \n", [])]
    write_jsonl(folder / "gold.jsonl", rows)
    scores = evaluate(folder / "run", str(folder / "gold.jsonl"))
    records = tagged(folder / "run", str(folder / "gold.jsonl"), "--input-format", "jsonl")
    assert [record["id"] for record in records] == list(range(62))
    assert_equal(scores, [renamed(spans) for _, spans in rows], spans_of(records))
    assert scores["unaligned_entities"] > 10
    assert {"human", "product"} <= set(scores["types"])
    assert "person" not in scores["types"]


def test_nested_and_overlapping_entities(folder: Path) -> None:
    model = load(folder / "run")
    rows = []
    for text, spans in texts(40, seed=8):
        found = {(s.start_char, s.end_char, s.type) for s in model.tag_document(text).spans("ner")}
        outer = [
            (max(0, a - 4), b, "city") for a, b, kind in spans if (a, b, "human" if kind == "person" else kind) in found
        ]
        rows.append(
            (text, [*spans, *(span for span in outer if span[0] < min(s[0] for s in spans if s[1] == span[1]))])
        )
    write_jsonl(folder / "nested.jsonl", rows)
    scores = evaluate(folder / "run", str(folder / "nested.jsonl"))
    records = tagged(folder / "run", str(folder / "nested.jsonl"))
    assert_equal(scores, [renamed(spans) for _, spans in rows], spans_of(records))
    assert scores["unaligned_entities"] > 10


def test_texts_with_a_label_of_their_own_stay_whole(tmp_path: Path) -> None:
    def write(name: str, rows: list[tuple[str, Spans]]) -> str:
        records = [{"text": t, "label": spans, "mood": "long" if len(t) > 80 else "short"} for t, spans in rows]
        (tmp_path / name).write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        return str(tmp_path / name)

    data = {"format": "jsonl", "train": write("train.jsonl", texts(150, seed=9)), "split": {"dev": 0.1}}
    data["layers"] = {"ner": "label", "mood": "mood"}
    heads = {"ner": {"kind": "tokens"}, "mood": {"kind": "sentence"}}
    train(
        Recipe(data=data, **{**SMALL, "heads": heads, "training": {"epochs": 16, "learning_rate": 0.03}}),
        output=tmp_path / "run",
    )  # type: ignore[arg-type]
    rows = damaged(texts(30, seed=10), seed=11)
    scores = evaluate(tmp_path / "run", write("gold.jsonl", rows))
    records = tagged(tmp_path / "run", str(tmp_path / "gold.jsonl"))
    assert_equal(scores, [set(spans) for _, spans in rows], spans_of(records))
    assert all("sentences" not in record for record in records)


def test_brat_files(folder: Path) -> None:
    rows = damaged(texts(20, seed=4), seed=5)
    (folder / "brat").mkdir()
    predicted = []
    for i, (text, spans) in enumerate(rows):
        path = folder / "brat" / f"{i:02}.txt"
        path.write_text(text, encoding="utf-8")
        lines = [f"T{n}\t{kind} {a} {b}\t{' '.join(text[a:b].split())}\n" for n, (a, b, kind) in enumerate(spans, 1)]
        path.with_suffix(".ann").write_text("".join(lines), encoding="utf-8")
        predicted += spans_of(tagged(folder / "run", str(path), "--unit", "file"))
    scores = evaluate(folder / "run", str(folder / "brat"), "--format", "brat")
    assert_equal(scores, [renamed(spans) for _, spans in rows], predicted)
    assert scores["unaligned_entities"] > 0


def test_column_files(folder: Path) -> None:
    sentences = list(generate(100, seed=6, split="train"))
    blocks = ["".join(f"{w}\t{t}\n" for w, t in zip(s.tokens, s.tags("ner"), strict=True)) for s in sentences]
    (folder / "gold.conll").write_text("\n".join(blocks), encoding="utf-8")
    file, columns = str(folder / "gold.conll"), ["--columns", "token,ner"]
    scores = evaluate(folder / "run", file, "--format", "conll", *columns)
    records = tagged(folder / "run", file, "--input-format", "conll", *columns)
    plain = [Sentence.from_tokens(s.tokens, {"ner": s.tag_layer("ner")}).spans("ner") for s in sentences]
    gold = [renamed([(s.start_char, s.end_char, s.type) for s in spans]) for spans in plain]
    assert_equal(scores, gold, spans_of(records))


def test_predictions_are_passed_on_while_they_are_scored(folder: Path) -> None:
    model = load(folder / "run")
    seen: list[str] = []
    sentences = list(generate(10, seed=7, split="train"))

    def watch(predicted: Iterable[Sentence]) -> Iterable[Sentence]:
        for sentence in predicted:
            seen.append(sentence.text)
            yield sentence

    report = model.evaluate(sentences, watch=watch)
    assert seen == [sentence.text for sentence in sentences]
    assert report.headline("ner") == model.evaluate(sentences).headline("ner")
