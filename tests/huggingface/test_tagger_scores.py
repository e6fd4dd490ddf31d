"""The metric for Hugging Face `evaluate`, loaded from its folder as a user does."""

from pathlib import Path
from typing import Any

import pytest

import tagger

evaluate = pytest.importorskip("evaluate", reason="an optional package of others, which only loads the metric")

GOLD = [["B-PER", "O", "B-LOC", "I-LOC"], ["B-PER", "O"]]
FOUND = [["B-PER", "O", "B-LOC", "O"], ["B-PER", "O"]]


@pytest.fixture
def metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("HF_MODULES_CACHE", str(tmp_path))
    return evaluate.load(tagger.metric_folder(), cache_dir=str(tmp_path))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_metric_gives_the_scores_of_the_library(metric: Any) -> None:
    found = metric.compute(predictions=FOUND, references=GOLD)
    report = tagger.score(
        [tagger.Sentence.from_tokens(["w"] * len(tags), {"scores": tags}) for tags in GOLD],
        [tagger.Sentence.from_tokens(["w"] * len(tags), {"scores": tags}) for tags in FOUND],
    ).to_dict()
    assert found == {**report["scores"]["scores"], "signature": report["signature"]}
    assert (found["f1"], found["interval"]["level"]) == (2 / 3, 0.95)
    tags = metric.compute(predictions=[["N", "V"]], references=[["N", "N"]])
    labels = metric.compute(predictions=["good", "bad"], references=["good", "good"])
    assert (tags["accuracy"], labels["accuracy"]) == (0.5, 0.5)
    assert metric.compute(predictions=FOUND, references=GOLD, scheme="bioes")["scheme"] == "bioes"
    with pytest.raises(ValueError, match="sentence 1: must have as many predicted tags as gold tags, got 1 for 2"):
        metric.compute(predictions=[["O"], ["O"]], references=[["O"], ["O", "O"]])
    with pytest.raises(tagger.RecipeError, match=r"`scheme`.*'bilou'.*'iobx'"):
        metric.compute(predictions=FOUND, references=GOLD, scheme="iobx")


def test_advice_to_install_the_library_names_its_package() -> None:
    script = Path(tagger.metric_folder()) / "tagger_scores.py"
    found = evaluate.loading.get_imports(str(script))
    assert {path for kind, name, path, _ in found if name == "tagger"} == {"tagger-bilstm"}
