"""The comparison of one network with several: which runs are trained, and where the single networks are."""

import json
from pathlib import Path
from typing import Any

import compare_joint as script
import pytest

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
        assert recipe.layers[layer].teacher == f"{script.single(runs[0], layer).name}.toml"
        assert script.single(runs[0], layer).parent == runs[0] / "teachers"


@pytest.mark.parametrize("missing", [{"failed": {"seed-3": "no data"}}, {"stopped": ["seed-3"]}])
def test_runs_that_failed_or_were_stopped_are_not_compared(
    missing: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tagger, "train_several", lambda *_, **__: group(**missing))
    with pytest.raises(TaggerError, match=r"not all runs have finished\n(no data|seed-3)"):
        script.train_missing(tmp_path, tmp_path, [1], None)


def test_the_score_of_a_layer_is_its_headline_on_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = {"ner": {"f1": 0.25, "precision": 0.5}, "upos": {"accuracy": 0.75}}
    monkeypatch.setattr(script, "describe_model", lambda _: json.loads(json.dumps({"scores": scores})))
    assert [script.score(tmp_path, layer) for layer in scores] == [0.25, 0.75]


def test_all_files_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(TaggerError) as refused:
        script.test_tokens(tmp_path)
    assert all(name in str(refused.value) for name in ("en_ewt-ud-train", "wnut17train"))
