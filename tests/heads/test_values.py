"""The kind `values`: numbers of tokens and of sentences go the whole way, from a recipe to backends and a report."""

import json
from pathlib import Path

import numpy as np
import pytest
from backends import BACKENDS, folder_for
from small_runs import make_recipe

import tagger
from tagger.errors import DataError, RecipeError
from tagger.running.run import Run
from tagger.text.sentence import Sentence, Values

WORDS = ("a", "bb", "ccc", "dddd")
HEADS = """
[heads.size]
kind = "values"

[heads.next]
kind = "values"
per = "sentence"
pooling = "{pooling}"
loss = "quantile"
level = 0.8
"""
DATA = '[data]\nformat = "jsonl"\ntrain = "train.jsonl"\ndev = "dev.jsonl"\ntest = "test.jsonl"\n'


def make_rows(number: int, seed: int) -> list[dict[str, object]]:
    """Sentences whose tokens have 100 times their length, and whose two numbers are the first and the last length."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for _ in range(number):
        words = [str(word) for word in rng.choice(WORDS, rng.integers(1, 6))]
        sizes = [100.0 * len(word) for word in words]
        whole = {"values": [sizes[0], sizes[-1] + 1e4], "whole": True}
        rows.append({"tokens": words, "values": {"size": sizes, "next": whole}})
    return rows


def train(folder: Path, *, pooling: str = "last", heads: str = HEADS, settings: str = "") -> Run:
    for seed, (split, number) in enumerate({"train": 60, "dev": 40, "test": 40}.items()):
        lines = "".join(f"{json.dumps(row)}\n" for row in make_rows(number, seed))
        (folder / f"{split}.jsonl").write_text(lines)
    path = make_recipe(folder, DATA, heads.format(pooling=pooling))
    text = (
        path.read_text()
        .replace("epochs = 2", "epochs = 12")
        .replace("hidden_size = 8\n", f"hidden_size = 16\n{settings}")
    )
    path.write_text(text)
    return tagger.train(path, output=folder / "run")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(tmp_path_factory.mktemp("values"))


def test_numbers_are_learned_and_scored(run: Run) -> None:
    report = run.report
    for layer in ("size", "next"):
        scores = report.scores[layer].to_dict()
        assert scores["r2"] > 0.8, layer  # type: ignore[operator]
        assert scores["mase"] < 0.5, layer  # type: ignore[operator]
        assert report.headline(layer) > 0.8
    assert report.scores["next"].to_dict()["level"] == 0.8
    assert "MAE" in report.to_text()
    table = report.to_dict()["scores"]["next"]["errors"]["numbers"]
    assert [row["number"] for row in table] == [1, 2]


@pytest.mark.parametrize("layer", ["size", "next"])
def test_intervals_hold_the_wanted_share_of_dev(run: Run, layer: str) -> None:
    facts = json.loads((run.folder / "report.json").read_text())["calibrated"][layer]
    assert facts["covered_after"] >= facts["level"]
    dev = [Sentence.from_tokens(row["tokens"]) for row in make_rows(40, 1)]  # type: ignore[arg-type]
    gold = [row["values"][layer] for row in make_rows(40, 1)]  # type: ignore[index]
    inside = []
    for values, found in zip(gold, run.tagger.predict(dev), strict=True):
        numbers, told = values["values"] if layer == "next" else values, found.values(layer)
        assert told.level == facts["level"]
        assert told.low is not None
        assert told.high is not None
        sides = zip(told.low, numbers, told.high, strict=True)
        inside += [low - 0.1 <= number <= high + 0.1 for low, number, high in sides]
    assert np.mean(inside) == pytest.approx(facts["covered_after"], abs=0.03)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_all_backends_say_the_same(tmp_path: Path, pooling: str) -> None:
    model = train(tmp_path, pooling=pooling).tagger.model
    sentences = [Sentence.from_tokens(row["tokens"]) for row in make_rows(9, 7)]  # type: ignore[arg-type]
    found = []
    for backend in BACKENDS:
        folder = folder_for(backend, model, tmp_path / backend)
        loaded = tagger.load(folder, backend=backend)
        found.append([s.values(layer) for s in loaded.predict(sentences) for layer in ("size", "next")])
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            assert (one.whole, one.level) == (two.whole, two.level)
            for key in ("values", "low", "high"):
                np.testing.assert_allclose(getattr(one, key), getattr(two, key), rtol=1e-4, atol=0.01)


def test_numbers_arrive_with_the_tokens_of_a_model_of_one_direction(tmp_path: Path) -> None:
    model = train(tmp_path, pooling="attention", settings="bidirectional = false\n").tagger
    running, words = model.incremental(), ["a", "dddd", "ccc"]
    for number, word in enumerate(words, 1):
        step, whole = running.feed(word), model.tag_tokens(words[:number])
        np.testing.assert_allclose(step.values["size"].values, whole.values("size").last.values, rtol=1e-5)
        np.testing.assert_allclose(step.values["next"].low, whole.values("next").low, rtol=1e-5)


def test_a_report_with_numbers_is_read_back(run: Run, tmp_path: Path) -> None:
    run.report.save(tmp_path / "report.json")
    run.report.save(tmp_path / "report.html")
    assert tagger.load_report(tmp_path / "report.json").to_dict() == run.report.to_dict()


def test_without_calibration_the_squared_error_has_no_intervals(tmp_path: Path) -> None:
    found = train(tmp_path, heads='[heads.size]\nkind = "values"\ncalibrate = false\n').tagger.tag_tokens(["a", "bb"])
    assert (found.values("size").low, found.values("size").level) == (None, None)


def test_too_few_numbers_to_calibrate_are_an_error_before_training(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"heads.next.calibrate: dev must have at least 199 known numbers .* got 40"):
        train(tmp_path, heads=HEADS.replace("0.8", "0.995"))


def test_numbers_of_another_kind_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'layer `next` must have numbers for each token.*per = "sentence"'):
        train(tmp_path, heads='[heads.next]\nkind = "values"\n')
    with pytest.raises(RecipeError, match=r"must have one tag per token.*got numbers; use kind = 'values'"):
        train(tmp_path, heads='[heads.size]\nkind = "tokens"\nscheme = "none"\n')


def test_unknown_numbers_are_neither_learned_nor_scored() -> None:
    from tagger.metrics.numbers.layer import ValueLayer

    gold = (Sentence.from_tokens(["a", "b", "c"], {"x": Values((1.0, None, 3.0))}),)
    predicted = (Sentence.from_tokens(["a", "b", "c"], {"x": Values((2.0, 50.0, 3.0))}),)
    scores = ValueLayer("x", gold, predicted).scores
    assert (scores.mae, scores.values, scores.unknown) == (0.5, 2, 1)
