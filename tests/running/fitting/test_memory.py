"""The estimate of a training's memory: below what trainings take, and above what no machine has."""

import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import pytest
from safetensors.torch import load_file
from tiny_transformers import HIDDEN, save_bert

import tagger
from tagger.config import TransformerConfig, parse_recipe
from tagger.encoding.vocabulary import Vocabulary
from tagger.errors import RecipeError
from tagger.features.feature import Given
from tagger.features.table import Features
from tagger.features.transformer import TransformerFeature
from tagger.heads.head import FLOAT
from tagger.running.fitting import memory
from tagger.running.fitting.memory import GIB, check_memory, estimate_memory, memory_limit

VOCABULARY = Vocabulary(["a", "b"], ["a", "b"], {"ner": ["O", "B-X", "I-X"], "mood": ["good", "bad"]}, 3)
MEASURE = """
import re, sys, tagger, tagger.running.fitting.steps as steps
from tagger.running.fitting.memory import estimate_memory
def keep(*given, device, **sizes): estimates.append(sum(estimate_memory(*given, **sizes).values()))
def peak(): return 1024 * int(re.search(r"VmHWM:\\s+([0-9]+) kB", open("/proc/self/status").read())[1])
estimates, peaks, steps.check_memory = [], [], keep
for overrides in ([], sys.argv[2:]):
    tagger.train(sys.argv[1], overrides=overrides)
    peaks.append(peak())
print(estimates[1] - estimates[0], peaks[1] - peaks[0])
"""
RECIPE = """
data = {format = "synthetic", sentences = 60}
embeddings = {dimension = 8, char_dimension = 8, char_hidden = 8}
encoder = {hidden_size = 8}
features = {ends = {kind = "affixes", lengths = [2], buckets = 8, dimension = 2}}
heads = {ner = {kind = "tokens"}, sentiment = {kind = "sentence"}}
training = {epochs = 1, batch_size = 60}
"""


def estimate(features: Features = MappingProxyType({}), **sections: object) -> dict[str, float]:
    heads = {"ner": {"kind": "tokens"}, "mood": {"kind": "sentence"}}
    values = {"data": {"format": "synthetic", "sentences": 10}, "heads": heads, **sections}
    return estimate_memory(parse_recipe(values, where="r"), VOCABULARY, [10] * 100, vectors=50, features=features)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
def test_training_takes_what_is_estimated_and_less_than_three_times_as_much(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(RECIPE)
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "r.toml")]
    command += ["encoder.layers=3", "encoder.hidden_size=600", "embeddings.char_hidden=3000"]
    command += ["features.ends.buckets=300000", "features.ends.dimension=30"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    estimated, taken = map(float, done.stdout.split())
    assert (
        estimated / 1.1 < taken < 3 * estimated
    )  # the peak of the small training hides some of what the large one takes


def test_estimate_grows_with_each_size_that_a_recipe_gives() -> None:
    base = sum(estimate().values())
    for section, key, value in [
        ("encoder", "hidden_size", 400),
        ("encoder", "layers", 3),
        ("embeddings", "char_hidden", 500),
        ("embeddings", "char_dimension", 500),
        ("training", "batch_size", 64),
        ("training", "average", 0.9),
    ]:
        assert sum(estimate(**{section: {key: value}}).values()) > base
    assert sum(estimate(encoder={"bidirectional": False}).values()) < base
    assert sum(estimate(training={"optimizer": "sgd"}).values()) < base
    assert sum(estimate(training={"accumulate": 2}).values()) < base


def test_training_that_cannot_fit_is_refused_in_one_sentence_that_names_the_keys(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(RECIPE)
    with pytest.raises(RecipeError) as refused:
        tagger.train(tmp_path / "r.toml", overrides=["encoder.hidden_size=10000", "encoder.layers=100"])
    said = str(refused.value)
    assert said.startswith("training needs at least ")
    assert said.endswith("GiB are for `encoder.hidden_size` and `encoder.layers`: choose smaller values there")
    assert "\n" not in said


def test_a_table_of_a_feature_that_cannot_fit_is_refused_before_it_is_allocated(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(RECIPE)
    with pytest.raises(RecipeError, match=r"GiB are for `features.ends`: choose smaller values there$"):
        tagger.train(tmp_path / "r.toml", overrides=["features.ends.buckets=1000000", "features.ends.dimension=10000"])


def test_the_encoder_of_a_feature_counts_with_its_copies_if_it_is_trained(tmp_path: Path) -> None:
    save_bert(tmp_path)
    weights = sum(tensor.numel() for tensor in load_file(tmp_path / "model.safetensors").values())
    sizes = []
    for trainable in (False, True):
        config = TransformerConfig(kind="transformer", model=str(tmp_path), trainable=trainable)
        feature = TransformerFeature.prepare("x", config, Given(tmp_path, None, print, "cpu"))
        sizes.append(estimate(features={"x": feature})["`features.x`"])
    assert 0 < sizes[0] < 500 * FLOAT  # the mix of layers
    pooler = HIDDEN * (HIDDEN + 1)  # which is not kept
    assert sizes[1] - sizes[0] == 5 * FLOAT * (weights - pooler)


def test_many_tags_are_refused_by_their_square(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "memory_limit", lambda device: 8 * GIB)
    values = {"data": {"format": "synthetic", "sentences": 10}, "heads": {"ner": {"kind": "tokens"}}}
    recipe = parse_recipe(values, where="r")
    vocabulary = Vocabulary([], [], {"ner": [f"B-{i}" for i in range(10_000)]}, 1)
    with pytest.raises(RecipeError, match="are for the 10,000 tags of `ner`"):
        check_memory(recipe, vocabulary, [10] * 100, vectors=50, features={}, device="cpu")


def test_limit_is_the_lowest_of_the_machine_and_of_the_control_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = memory_limit("cpu")
    assert 0 < whole < float("inf")
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    (tmp_path / "outer" / "memory.max").write_text("1048576\n")
    (tmp_path / "outer" / "inner" / "memory.max").write_text("max\n")
    (tmp_path / "own").write_text("0::/outer/inner\n")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    assert memory_limit("cpu") == 1048576
    (tmp_path / "memory" / "job").mkdir(parents=True)
    (tmp_path / "memory" / "job" / "memory.limit_in_bytes").write_text("4096\n")
    (tmp_path / "own").write_text("3:cpu,memory:/job\n2:cpuset:/outer\n")
    assert memory_limit("cpu") == 4096
    (tmp_path / "own").unlink()
    assert memory_limit("cpu") >= whole
