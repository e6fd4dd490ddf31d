"""The command `tagger score`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tagger import generate, write_sentences

GOLD = "Ada\tB-PER\nleft\tO\n\nBo\tB-PER\nleft\tO\n"


class Outcome(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


SAME = {"f1", "precision", "recall", "macro", "weighted", "types", "gold_entities", "predicted_entities"} | {
    "correct_entities", "invalid_sequences", "accuracy", "macro_f1", "classes", "confusion", "interval"
}  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A gold file and a predicted one, in which one of two entities is right."""
    for name, content in (("gold.conll", GOLD), ("predicted.conll", GOLD.replace("Bo\tB-PER", "Bo\tB-LOC"))):
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path / "gold.conll", tmp_path / "predicted.conll"


def test_score_prints_a_report_and_notes(
    call: Callable[..., Outcome], files: tuple[Path, Path], tmp_path: Path
) -> None:
    code, out, err = call("score", *files, "--output", tmp_path / "report.json")
    assert code == 0
    assert out.startswith("ner: F1 0.5000")
    assert f"prediction: detected format conll with columns token, ner in {files[1]}\n" in err
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["scores"]["ner"]["f1"] == 0.5
    code, out, _ = call("score", *files, "--json")
    assert json.loads(out)["scores"]["ner"]["correct_entities"] == 1


def test_mistakes_end_in_one_sentence_and_their_code(call: Callable[..., Outcome], files: tuple[Path, Path]) -> None:
    gold, predicted = files
    rows = gold.with_suffix(".jsonl")
    rows.write_text('{"tokens": ["a"], "tags": {"ner": ["O"]}}\n', encoding="utf-8")
    for code, message, arguments in (
        (1, "no-such-file: ", [gold, "no-such-file"]),
        (2, "--unknown says nothing about jsonl; remove it", [rows, rows, "--unknown", "?"]),
        (2, "report.pdf: the name must end in .json, .html or .txt", [gold, predicted, "--output", "report.pdf"]),
        (1, "report.html: its folder must exist", [gold, "no-such-file", "--output", "no-such-folder/report.html"]),
        (1, "must have at least three columns", [gold]),
        (1, f"{gold}:4: gold and prediction must have the same text, got 'Bo' in 'Bo left' in gold", [gold, predicted]),
    ):  # fmt: skip
        if message.startswith(str(gold)):
            predicted.write_text(GOLD.replace("Bo", "Cy"), encoding="utf-8")
        found = call("score", *arguments)
        assert (found.code, found.err.count("\n")) == (code, 1)
        assert found.err.startswith("error: ")
        assert message in found.err


@pytest.mark.parametrize("output", ["jsonl", "conll"])
def test_predictions_of_a_model_have_the_scores_of_evaluate(
    call: Callable[..., Outcome], model: Path, tmp_path: Path, output: str
) -> None:
    gold, predicted = tmp_path / "gold.jsonl", tmp_path / f"predicted.{output}"
    write_sentences(gold, generate(60, seed=2, split="test"))
    evaluated = json.loads(call("evaluate", model, gold, "--json").out)["scores"]
    call("tag", model, gold, "--input-format", "jsonl", "--output-format", output, "--output", predicted)
    scored = json.loads(call("score", gold, predicted, "--json").out)["scores"]
    assert scored.keys() == evaluated.keys() == {"ner", "sentiment"}
    for name in scored:
        figures = {key: value for key, value in evaluated[name].items() if key in SAME}
        assert figures.items() <= scored[name].items()
        assert len(figures) > 3
        if output == "jsonl":
            assert scored[name]["calibration_error"] == pytest.approx(evaluated[name]["calibration_error"], abs=1e-5)


def test_wanted_precisions_replace_the_default_ones(call: Callable[..., Outcome], tmp_path: Path) -> None:
    row = {"tokens": ["Ada", "left", "Oslo"], "tags": {"ner": ["B-PER", "O", "B-LOC"]}}
    spans = [{"type": "PER", "start": 0, "end": 1, "score": 0.9}, {"type": "PER", "start": 2, "end": 3, "score": 0.45}]
    found = {**row, "tags": {"ner": ["B-PER", "O", "B-PER"]}, "spans": {"ner": spans}}
    files = [tmp_path / name for name in ("gold.jsonl", "predicted.jsonl")]
    for file, values in zip(files, (row, found), strict=True):
        file.write_text(json.dumps(values) + "\n", encoding="utf-8")
    wanted = ["--wanted-precision", "0.5", "--wanted-precision", "1"]
    reached = json.loads(call("score", *files, *wanted, "--json").out)["scores"]["ner"]["thresholds"][
        "wanted_precision"
    ]
    assert {name: (row["threshold"], row["kept"]) for name, row in reached.items()} == {"0.5": (0.0, 2), "1": (0.9, 1)}
    assert call("score", *files, "--wanted-precision", "1.5").code == 2
