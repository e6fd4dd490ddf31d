"""The comparison of one network with several: which runs are trained, and where the single networks are."""

from pathlib import Path
from typing import Any

import compare_joint as script
import pytest
from compared_reports import tag_report

import tagger
from tagger.errors import TaggerError
from tagger.reporting.run_group import RunGroup


def group(**changes: Any) -> RunGroup:
    return RunGroup(
        **{"name": "joint", "kind": "seeds", "reports": {"seed-1": {}, "seed-2": {}}, "headlines": {}, **changes}
    )


def test_the_joint_network_is_trained_with_each_seed_and_its_teachers_are_the_single_networks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, dict[str, Any]]] = []

    def train_several(recipe: Path, **arguments: Any) -> RunGroup:
        made.append((recipe.stem, arguments))
        return group()

    monkeypatch.setattr(tagger, "train_several", train_several)
    runs = script.train_missing(tmp_path, tmp_path / "data", [1, 2], 3)
    assert runs == [tmp_path / "joint-english" / name for name in ("seed-1", "seed-2")]
    [(name, arguments)] = made
    assert (name, arguments["seeds"], arguments["threads"]) == ("joint-english", [1, 2], 3)
    assert arguments["output"] == tmp_path / "joint-english"
    recipe = tagger.load_recipe(script.RECIPES / "joint-english.toml")
    for layer in script.SINGLE:
        assert recipe.layers[layer].teacher == (f"{script.single(runs[0], layer).name}.toml",)
        assert script.single(runs[0], layer).parent == runs[0] / "teachers"


@pytest.mark.parametrize("missing", [{"failed": {"seed-3": "no data"}}, {"stopped": ["seed-3"]}])
def test_runs_that_failed_or_were_stopped_are_not_compared(
    missing: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tagger, "train_several", lambda *_, **__: group(**missing))
    with pytest.raises(TaggerError, match=r"not all runs have finished\n(no data|seed-3)"):
        script.train_missing(tmp_path, tmp_path, [1], None)


@pytest.mark.parametrize("seeds", [1, 2])
def test_scores_over_seeds_are_shown_with_their_difference(
    seeds: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gold, right, wrong = ["NOUN VERB"] * 20, ["NOUN VERB"] * 18, ["NOUN NOUN"]
    runs = [tmp_path / f"seed-{seed}" for seed in range(seeds)]
    for number, run in enumerate(runs):
        script.single(run, "upos").mkdir(parents=True)
        tag_report(gold, [*right, *wrong * 2]).save(script.single(run, "upos") / "report.json")
        tag_report(gold, [*right[: 10 - number], *wrong * (10 + number)]).save(run / "report.json")
    found = script.compared(runs, "upos")
    assert found["single"]["values"] == pytest.approx([0.95] * seeds)
    assert found["joint"]["values"] == pytest.approx([0.75, 0.725][:seeds])
    assert found["difference"] == pytest.approx(found["joint"]["mean"] - 0.95)
    assert found["low"] < found["difference"] < found["high"] < 0
    tagging = {"tokens": 9, "joint": 1.0, "single": 2.0, "ratio": 2.0}
    script.show({"scores": {"upos": found}, "parameters": {"joint": 7, "upos": 5}, "tagging": tagging})
    assert "0.9500" in capsys.readouterr().out


def test_all_files_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(TaggerError) as refused:
        script.test_tokens(tmp_path)
    assert all(name in str(refused.value) for name in ("en_ewt-ud-train", "wnut17train"))
