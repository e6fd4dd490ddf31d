"""The scores of several runs together, compared with numpy."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagger.reporting.run_group import RunGroup, Spread

HEADLINES = {"ner": "f1", "topic": "accuracy"}


def report(seed: int, f1: float, accuracy: float | None, gold: str = "a1", version: str = "1") -> dict[str, Any]:
    scores: dict[str, Any] = {"ner": {"f1": f1, "precision": f1 / 2, "recall": 0.5, "types": {}}}
    if accuracy is not None:
        scores["topic"] = {"accuracy": accuracy, "macro_f1": 0.25}
    dev = {"ner": f1 + 0.1, "topic": 0.75}
    signature = {"layers": {}, "gold": gold, "seed": seed, "version": version}
    facts = {"seed": seed, "epoch": 2, "ended": "all epochs done", "seconds": 1.5, "signature": signature}
    return {**facts, "scores": scores, "dev_scores": dev}


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_figures_are_those_of_numpy(values: list[float]) -> None:
    found = Spread.of(values)
    wanted = [np.mean(values), np.std(values, ddof=1), min(values), np.median(values), max(values)]
    assert [found.mean, found.deviation, found.least, found.median, found.most] == pytest.approx(wanted, abs=1e-12)


def test_scores_are_summed_up_by_layer_and_split_and_dev_has_the_headline() -> None:
    group = RunGroup("small", "seeds", {f"seed-{k}": report(k, k / 10, 0.5) for k in (1, 2, 3)}, HEADLINES)
    figures = {
        (layer, split, name): (str(spread), len(spread.values))
        for layer, splits in group.scores.items()
        for split, scores in splits.items()
        for name, spread in scores.items()
    }
    assert figures == {
        ("ner", "test", "f1"): ("0.2000 ± 0.1000", 3),
        ("ner", "test", "precision"): ("0.1000 ± 0.0500", 3),
        ("ner", "test", "recall"): ("0.5000 ± 0.0000", 3),
        ("ner", "dev", "f1"): ("0.3000 ± 0.1000", 3),
        ("topic", "test", "accuracy"): ("0.5000 ± 0.0000", 3),
        ("topic", "test", "macro_f1"): ("0.2500 ± 0.0000", 3),
        ("topic", "dev", "accuracy"): ("0.7500 ± 0.0000", 3),
    }
    found = json.loads(json.dumps(group.to_dict(), allow_nan=False))
    f1 = found["scores"]["ner"]["test"]["f1"]
    assert f1.pop("values") == [0.1, 0.2, 0.3]
    assert f1 == pytest.approx({"mean": 0.2, "sd": 0.1, "min": 0.1, "median": 0.2, "max": 0.3})
    assert found["runs"]["seed-2"]["scores"]["ner"] == {"f1": 0.2, "precision": 0.1, "recall": 0.5}
    assert group.to_text().splitlines()[0] == "small: 3 runs, seeds 1, 2, 3"
    assert "| ner | test | f1 | 0.2000 ± 0.1000 | 0.1000 | 0.2000 | 0.3000 |" in group.to_markdown()
    assert "ner & test & f1 & 0.2000 $\\pm$ 0.1000 & 0.1000 & 0.2000 & 0.3000 \\\\" in group.to_latex()


def test_one_run_has_no_deviation_and_that_is_said() -> None:
    group = RunGroup("small", "seeds", {"seed-7": report(7, 0.25, None)}, {"ner": "f1"})
    assert group.to_dict()["scores"]["ner"]["test"]["f1"]["sd"] is None
    assert group.notes() == ["small: 1 run, seed 7", "one run has no standard deviation"]
    assert "±" not in group.to_text().replace("mean ± sd", "")


def test_without_a_test_split_there_are_dev_scores_alone_and_that_is_said() -> None:
    reports = {f"seed-{k}": {**report(k, 0.5, None), "scores": {}} for k in (1, 2)}
    group = RunGroup("small", "seeds", reports, HEADLINES)
    assert {layer: list(splits) for layer, splits in group.scores.items()} == {"ner": ["dev"], "topic": ["dev"]}
    assert "there is no test split, so these are scores on dev alone" in group.notes()


def test_what_is_missing_is_said_and_a_layer_may_be_missing_from_a_fold() -> None:
    reports = {"fold-1-of-3": report(1, 0.5, None), "fold-2-of-3": report(1, 0.25, 0.5)}
    group = RunGroup("small", "folds", reports, HEADLINES, {"fold-3-of-3": "train.conll:\n no\n data"}, ["fold-4"])
    assert group.scores["topic"]["test"]["accuracy"].values == (0.5,)
    assert group.notes()[0] == "small: 2 runs, folds 1, 2"
    assert group.notes()[2:] == [
        "fold-3-of-3 failed: train.conll: no data",
        "not finished: fold-4; the same command goes on with them",
    ]


def test_runs_on_other_test_sentences_or_by_another_version_are_not_summed_up_silently() -> None:
    reports = {"seed-1": report(1, 0.5, None), "seed-2": report(2, 0.5, None, "b2"), "seed-3": report(3, 0.5, None)}
    group = RunGroup("small", "seeds", reports, {"ner": "f1"})
    assert group.notes()[2:] == ["seed-2 is not comparable with seed-1: gold sentences a1 and b2; use --overwrite"]
    assert RunGroup("small", "folds", reports, {"ner": "f1"}).notes()[2:] == []
    reports["seed-3"] = report(3, 0.5, None, version="2")
    assert RunGroup("small", "folds", reports, {"ner": "f1"}).notes()[2:] == [
        "seed-3 is not comparable with seed-1: tagger 1 and 2; use --overwrite"
    ]
    assert group.to_dict()["signatures"]["seed-2"]["gold"] == "b2"


def test_folds_have_a_pooled_score_beside_the_mean() -> None:
    reports = {f"fold-{k}-of-2": report(1, k / 4, None) for k in (1, 2)}
    group = RunGroup("small", "folds", reports, {"ner": "f1"}, pooled={"ner": {"f1": 0.4, "types": {}}})
    rows = {(row[1], row[2]): row[-1] for row in group.table().rows}
    assert rows == {("test", "f1"): 0.4, ("test", "precision"): None, ("test", "recall"): None, ("dev", "f1"): None}
    assert group.to_dict()["pooled"] == {"ner": {"f1": 0.4}}
