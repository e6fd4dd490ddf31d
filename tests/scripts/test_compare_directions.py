"""The comparison of reading directions: what it measures, on the generated sentences and by enumeration."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import compare_directions as script
import pytest

from tagger.errors import DataError
from tagger.text.sentence import Label, Sentence, TagLayer


def run_small(folder: Path, *more: str) -> dict[str, Any]:
    """Return what the script writes for one cell, one seed and tiny networks."""
    size = ["--sentences", "60", "--epochs", "1", "--hidden", "24", "--threads", "1"]
    files = ["--resume", str(folder / "runs.jsonl"), "--json", str(folder / "out.json")]
    script.main(["--tasks", "synthetic", "--cells", "gru", "--seeds", "1", *size, *files, *more])
    result: dict[str, Any] = json.loads((folder / "out.json").read_text(encoding="utf-8"))
    return result


def test_wide_forward_network_has_the_parameters_of_both_directions(tmp_path: Path) -> None:
    rows = {row["network"]: row for row in run_small(tmp_path)["summary"]}
    assert rows["forward-wide"]["parameters"] == pytest.approx(rows["both"]["parameters"], rel=0.01)
    assert rows["forward"]["hidden_size"] == rows["both"]["hidden_size"] == 24
    assert rows["forward"]["parameters"] < 0.9 * rows["both"]["parameters"]


def test_output_has_each_measure_of_each_network_and_each_comparison(tmp_path: Path) -> None:
    result = run_small(tmp_path)
    measures = {"accuracy: later words decide", "accuracy: other tokens"}
    assert {(row["measure"], row["network"]) for row in result["summary"]} == set(product(measures, script.NETWORKS))
    compared = set(product(measures, ("forward-wide", "forward")))
    assert {(row["measure"], row["against"]) for row in result["tests"]} == compared
    assert all(0 < row["p"] <= row["p_holm"] <= 1 for row in result["tests"])
    assert result["settings"]["synthetic"]["epochs"] == 1
    assert result["test_sentences"] == {"synthetic": 20}


def test_an_interrupted_experiment_resumes_with_the_same_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run_small(tmp_path)
    path = tmp_path / "runs.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    assert len(lines) == 3
    path.write_text("".join(lines[:2]) + lines[2][:40], encoding="utf-8")
    made: list[str] = []
    run_once = script.run_once
    monkeypatch.setattr(
        script, "run_once", lambda *run, progress: made.append(run[-1]) or run_once(*run, progress=progress)
    )
    again = run_small(tmp_path)
    assert made == ["forward"]
    timeless = [[{k: v for k, v in row.items() if "seconds" not in k} for row in r["summary"]] for r in (whole, again)]
    assert timeless[0] == timeless[1]
    assert whole["tests"] == again["tests"]


def test_runs_with_other_settings_are_refused(tmp_path: Path) -> None:
    run_small(tmp_path)
    with pytest.raises(DataError, match="other settings"):
        run_small(tmp_path, "--epochs", "2")


def test_interrupted_run_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object, step: int, *__: float) -> None:
        if step > 2:  # in the second epoch: training then returns what it has
            raise KeyboardInterrupt

    monkeypatch.setattr(script.Progress, "stepped", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_small(tmp_path, "--epochs", "3")
    assert not list(tmp_path.iterdir())


def test_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    run_small(tmp_path, "--picture", str(tmp_path / "out.svg"))
    text = (tmp_path / "out.svg").read_text(encoding="utf-8")
    assert text.startswith("<?xml")


def record(network: str, seed: int, *counts: tuple[int, int]) -> dict[str, Any]:
    return {"task": "mr", "cell": "gru", "network": network, "seed": seed, "counts": {"accuracy": list(counts)}}


def test_networks_are_compared_by_their_mean_scores_over_seeds() -> None:
    good, bad, none = [(1, 1)] * 8 + [(0, 1)] * 2, [(1, 1)] * 4 + [(0, 1)] * 6, [(0, 1)] * 10
    seeds = [
        record("both", 1, *good),
        record("forward", 1, *bad),
        record("both", 2, *good),
        record("forward", 2, *none),
    ]
    (row,) = script.compare(seeds)
    assert row["difference"] == pytest.approx(0.8 - (0.4 + 0.0) / 2)
    assert row["p"] == row["p_holm"] == pytest.approx(2 / 2**8, abs=0.005)  # all eight sentences speak for `both`
    assert row["interval"][0] < row["difference"] < row["interval"][1]
    assert row["p"] < row["p_seeds"] < 1
    (alone,) = script.compare(seeds[:2])
    assert alone["p_seeds"] is None
    assert alone["difference"] == pytest.approx(0.4)


def test_tokens_that_later_words_decide_are_counted_separately() -> None:
    tags = {"ner": ("B-person", "O", "O"), "upos": ("PROPN", "AUX", "VERB")}
    wrong = {"ner": ("B-location", "O", "O"), "upos": ("PROPN", "AUX", "NOUN")}
    gold = Sentence.from_tokens(
        ["Paris", "had", "left"], {n: TagLayer(t) for n, t in tags.items()}, meta={"later": "0 1"}
    )
    predicted = Sentence.from_tokens(gold.tokens, {n: TagLayer(t) for n, t in wrong.items()})
    assert list(script.later_tokens(gold, predicted).values()) == [(1, 2), (0, 1)]
    marked = script.marked(gold, script.mistakes(gold, predicted))
    assert marked == "Paris⟨B-person, not B-location⟩ had left⟨VERB, not NOUN⟩"


def test_a_wrong_label_is_shown_before_the_sentence() -> None:
    gold = Sentence.from_tokens(["fine"], {"sentiment": Label("positive")})
    predicted = Sentence.from_tokens(["fine"], {"sentiment": Label("negative")})
    assert script.label_accuracy(gold, predicted) == {"accuracy": (0, 1)}
    assert script.marked(gold, script.mistakes(gold, predicted)) == "⟨positive, not negative⟩ fine"
