"""Scores of a model on sentences in other forms."""

import json
from pathlib import Path

import pytest
import robustness as script
from small_recipes import NER, SYNTHETIC
from small_runs import UPOS, make_recipe

import tagger


def test_each_layer_is_scored_in_each_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    longer = ["data.sentences=120", "training.epochs=5"]
    run = tagger.train(make_recipe(tmp_path, SYNTHETIC, NER, UPOS), output=tmp_path / "run", overrides=longer)
    script.main([str(tmp_path / "run"), "--json", str(tmp_path / "found.json")])
    rows = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))["rows"]
    found = {(row["layer"], row["form"]): row["score"] for row in rows}
    assert found.keys() == {(layer, form) for layer in ("ner", "upos") for form in (script.AS_THEY_ARE, *script.FORMS)}
    assert run.report is not None
    assert found["upos", script.AS_THEY_ARE] == run.report.headline("upos")
    assert found["upos", "upper"] < found["upos", script.AS_THEY_ARE]
    captured = capsys.readouterr()
    assert f"{found['upos', 'upper']:.4f}" in captured.out
    assert "[6/6] data, unpunctuated: ner " in captured.err
