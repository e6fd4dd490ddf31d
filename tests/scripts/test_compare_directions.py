"""The comparison of reading directions: what it measures, on the generated sentences and by enumeration."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import compare_directions as script
import numpy as np
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


def test_randomisation_agrees_with_enumeration_of_all_exchanges() -> None:
    rng = np.random.default_rng(3)
    one, two = (np.stack([rng.integers(0, 5, 10), rng.integers(5, 9, 10)], axis=1) for _ in range(2))
    one[:, 0] += 1
    difference, p = script.randomisation_test(one, two)

    def score(counts: Any) -> float:
        return float(counts[:, 0].sum() / counts[:, 1].sum())

    shuffled = []
    for sides in product([False, True], repeat=10):
        swap = np.array(sides)[:, None]
        shuffled.append(score(np.where(swap, two, one)) - score(np.where(swap, one, two)))
    exact = np.mean(np.abs(shuffled) >= abs(difference) - 1e-12)
    assert difference == pytest.approx(score(one) - score(two))
    assert 0.01 < exact < 0.9
    assert p == pytest.approx(exact, abs=0.02)


def test_holm_multiplies_the_smallest_by_the_number_of_comparisons() -> None:
    rows = script._with_holm([{"p": 0.03}, {"p": 0.01}, {"p": 0.04}])
    assert [row["p_holm"] for row in rows] == pytest.approx([0.06, 0.03, 0.06])


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
