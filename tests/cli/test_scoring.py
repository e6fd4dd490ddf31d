"""The command `tagger score`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

GOLD = "Ada\tB-PER\nleft\tO\n\nBo\tB-PER\nleft\tO\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A gold file and a predicted one, in which one of two entities is right."""
    for name, content in (("gold.conll", GOLD), ("predicted.conll", GOLD.replace("Bo\tB-PER", "Bo\tB-LOC"))):
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path / "gold.conll", tmp_path / "predicted.conll"


def test_score_prints_a_report_and_notes(call: Callable[..., object], files: tuple[Path, Path], tmp_path: Path) -> None:
    code, out, err = call("score", *files, "--output", tmp_path / "report.json")  # type: ignore[misc]
    assert code == 0
    assert out.startswith("ner: F1 0.5000")
    assert f"prediction: detected format conll with columns token, ner in {files[1]}\n" in err
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["scores"]["ner"]["f1"] == 0.5
    code, out, _ = call("score", *files, "--json")  # type: ignore[misc]
    assert json.loads(out)["scores"]["ner"]["correct_entities"] == 1


def test_mistakes_end_in_one_sentence_and_their_code(call: Callable[..., object], files: tuple[Path, Path]) -> None:
    gold, predicted = files
    rows = gold.with_suffix(".jsonl")
    rows.write_text('{"tokens": ["a"], "tags": {"ner": ["O"]}}\n', encoding="utf-8")
    for code, message, arguments in (
        (1, "no-such-file: ", [gold, "no-such-file"]),
        (2, "--unknown says nothing about jsonl; remove it", [rows, rows, "--unknown", "?"]),
        (2, "the name of a report must end in ", [gold, predicted, "--output", "report.pdf"]),
        (1, "must have at least three columns", [gold]),
        (1, f"{gold}:4: gold and prediction must have the same text, got 'Bo' in 'Bo left' in gold", [gold, predicted]),
    ):  # fmt: skip
        if message.startswith(str(gold)):
            predicted.write_text(GOLD.replace("Bo", "Cy"), encoding="utf-8")
        found = call("score", *arguments)
        assert (found.code, found.err.count("\n")) == (code, 1)  # type: ignore[attr-defined]
        assert found.err.startswith("error: ")  # type: ignore[attr-defined]
        assert message in found.err  # type: ignore[attr-defined]
