"""Series that are left out: the z-score, thresholds from the other series, and the table."""

import json
import math
import random
from pathlib import Path

import leave_one_series_out as script
import numpy as np
import pytest
from small_recipes import SMALL

import tagger

RECIPE = """
[data]
format = "frames"
train = ["a.csv", "b.csv"]
split = {group = "sentence", dev = 0.2}
frames = {windows = "labels.json", window = 40, hop = 20}
[features.numbers]
kind = "frames"
[heads.tags]
kind = "tokens"
scheme = "none"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two series of waves, with a jump of a few steps in each."""
    draw = random.Random(1)
    for name in "ab":
        rows = [f"{i},{math.sin(i / 5) + draw.gauss(0, 0.1) + (20 if 250 <= i < 255 else 0):.3f}" for i in range(300)]
        (tmp_path / f"{name}.csv").write_text("time,x\n" + "\n".join(rows) + "\n", encoding="utf-8")
    ranges = {"a.csv": [[250, 254]], "b.csv": [[250, 254]]}
    (tmp_path / "labels.json").write_text(json.dumps(ranges), encoding="utf-8")
    small = SMALL.replace("[embeddings]\n", "[embeddings]\nwords = false\n")
    (tmp_path / "recipe.toml").write_text(RECIPE + small, encoding="utf-8")
    return tmp_path


def test_alarms_are_steps_far_from_those_before_them(folder: Path) -> None:
    found = script.series_of(tagger.load_recipe(folder / "recipe.toml", ["data.frames.hop=40"]), folder)["a"]
    assert [step for window in found for step in window.tokens] == [str(i) for i in range(300)]
    distances = script.of_distance(found)
    values = np.concatenate([w.frames.values[:, 0] for w in found if w.frames]).astype(float)
    before = values[50:250]
    assert distances[250] == pytest.approx(abs(values[250] - before.mean()) / before.std())
    assert (distances[:200] == 0).all()
    alarms = script.alarms_of(found, distances, 4.0)
    assert alarms.windows == ((250, 255),)
    assert set(alarms.steps) <= set(range(250, 255))
    assert script.best_threshold({"a": found}, script.of_distance, (0.0, 4.0)) == 4.0


def test_the_table_has_both_detectors_for_each_series(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script.main([str(folder / "recipe.toml"), "--data", str(folder)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" above")[0].split("  ")[0] for line in lines] == [
        "left out",
        "a, model",
        "a, z-score",
        "b, model",
        "b, z-score",
        "all, model",
        "all, z-score",
    ]
    assert lines[-1].split()[-2:] == lines[2].split()[-2:]  # the same jump in both
