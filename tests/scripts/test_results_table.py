"""The tables of results: what is collected from runs, what is refused, what is out of date, and what is written."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import results_data
import results_table as script
from small_recipes import NER, SMALL, SYNTHETIC

import tagger
from tagger.errors import DataError

PAGE = "# Page\n\n<!--scores-->\n<!--/scores-->\n\n<!--costs-->old<!--/costs-->\n\n<!--peers--><!--/peers-->\n\nend\n"
RECIPE = "# a comment\n" + SYNTHETIC + NER + '[heads.sentiment]\nkind = "sentence"\n' + SMALL
PEER = {
    "recipe": "small",
    "layer": "ner",
    "tool": "other 1.0",
    "settings": "C = 1",
    "test": 0.5,
    "dev": 0.75,
    "train_seconds": 61.2,
    "tokens": 1000,
    "seconds": 2.0,
    "our_seconds": 0.5,
    "model_bytes": 2_500_000,
    "busy": True,
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recipe, its documents, and a run of the recipe."""
    root = tmp_path_factory.mktemp("project")
    for folder in ("recipes", "docs", "runs"):
        (root / folder).mkdir()
    (root / "recipes" / "small.toml").write_text(RECIPE, encoding="utf-8")
    (root / "README.md").write_text("words\n<!--brief-->\n<!--/brief-->\nmore\n", encoding="utf-8")
    (root / "docs" / "results.md").write_text(PAGE, encoding="utf-8")
    tagger.train(root / "recipes" / "small.toml", overrides=["training.epochs=2"], output=root / "runs" / "small")
    return root


@pytest.fixture
def root(trained: Path, tmp_path: Path) -> Path:
    """The same folder as a copy, with the run as one of three seeds."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    run = tmp_path / "runs" / "small"
    for seed in (2, 10, 1):
        copy = tmp_path / "group" / "small" / f"seed-{seed}"
        shutil.copytree(run, copy)
        report = json.loads((run / "report.json").read_text(encoding="utf-8"))
        report |= {"seed": seed, "seconds": float(seed), "dev_scores": {"ner": seed / 100, "sentiment": 0.5}}
        report["scores"]["ner"]["f1"] = seed / 10
        (copy / "report.json").write_text(json.dumps(report), encoding="utf-8")
        recipe = (copy / "recipe.toml").read_text(encoding="utf-8").replace("seed = 1\n", f"seed = {seed}\n")
        (copy / "recipe.toml").write_text(recipe, encoding="utf-8")
    return tmp_path


def figures(root: Path) -> dict[str, Any]:
    return results_data.read_results(root)


def test_figures_of_all_seeds_are_collected_and_written_into_the_documents(root: Path) -> None:
    script.main(["--runs", str(root / "group")], root)
    entry = figures(root)["recipes"]["small"]
    assert {seed: run["test"]["ner"] for seed, run in entry["runs"].items()} == {"1": 0.1, "2": 0.2, "10": 1.0}
    assert entry["measures"] == {"ner": "strict F1", "sentiment": "accuracy"}
    assert entry["command"] == "tagger train recipes/small.toml --data DIR --seeds 1,2,10"
    assert entry["model_bytes"] == sum(path.stat().st_size for path in (root / "runs/small/model").iterdir())
    page = (root / "docs" / "results.md").read_text(encoding="utf-8")
    assert "| `small` | `ner` | strict F1 | 0.433 ± 0.493 | 0.043 ± 0.049 | 1, 2, 10 |" in page
    assert "| `small` | 4.3 s |  |  | " in page
    assert page.startswith("# Page\n\n<!--scores-->\n\n| recipe")
    assert page.endswith("Nothing is measured yet.\n\n<!--/peers-->\n\nend\n")
    assert "old" not in page
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert "|`small`|ner 0.433±0.493, sentiment " in readme
    script.main(["--check"], root)
    before = (root / "docs" / "results.json").read_bytes()
    script.main([], root)
    assert (root / "docs" / "results.json").read_bytes() == before


def test_seeds_are_added_to_those_that_were_collected_before(root: Path) -> None:
    for seed in ("2", "10"):
        shutil.move(root / "group" / "small" / f"seed-{seed}", root / "later" / "small" / f"seed-{seed}")
    script.main(["--runs", str(root / "group"), "--threads", "1", "--busy"], root)
    script.main(["--runs", str(root / "later"), "--threads", "1", "--add"], root)
    entry = figures(root)["recipes"]["small"]
    assert {seed: run["test"]["ner"] for seed, run in entry["runs"].items()} == {"1": 0.1, "2": 0.2, "10": 1.0}
    assert entry["command"] == "tagger train recipes/small.toml --data DIR --seeds 1,2,10 --threads 1"
    assert entry["busy"]  # some of its times were


def test_seeds_of_two_machines_name_both(root: Path) -> None:
    script.main(["--runs", str(root / "group")], root)
    found = figures(root)
    found["recipes"]["small"]["machine"]["processor"] = "Other"
    (root / "docs" / "results.json").write_text(json.dumps(found))
    script.main(["--runs", str(root / "group"), "--add"], root)
    here, both = script.machine(), figures(root)["recipes"]["small"]["machine"]
    assert both == {**here, "processor": f"Other and {here['processor']}"}
    script.main(["--runs", str(root / "group"), "--add"], root)
    assert figures(root)["recipes"]["small"]["machine"] == both


def test_seeds_are_not_added_to_figures_of_another_recipe(root: Path) -> None:
    given = ["--runs", str(root / "group"), "--add"]
    with pytest.raises(DataError, match=r"--add small: .* there are none or the recipe has changed since"):
        script.main(given, root)
    script.main(given[:2], root)
    found = figures(root)
    found["recipes"]["small"]["recipe"] = "hash of another recipe"
    (root / "docs" / "results.json").write_text(json.dumps(found))
    with pytest.raises(DataError, match="the recipe has changed since"):
        script.main(given, root)


def test_single_run_is_collected_and_its_speed_measured_beside_a_plain_network(root: Path) -> None:
    given = ["--runs", str(root / "runs"), "--only", "small"]
    script.main([*given, "--measure", "--data", str(root), "--repeats", "1"], root)
    entry = figures(root)["recipes"]["small"]
    assert entry["command"].endswith("--seed 1")
    assert min(entry["speed"][name] for name in ("tokens_per_second", "plain_tokens_per_second", "gflops")) > 0
    plain = tagger.load_recipe(root / "runs" / "plain" / "small" / "recipe.toml")
    assert (plain.encoder.hidden_size, plain.embeddings.dimension, list(plain.heads)) == (
        200,
        100,
        ["ner", "sentiment"],
    )
    assert "GFLOP/s" in (root / "docs" / "results.md").read_text(encoding="utf-8")
    assert "\\*" not in (root / "README.md").read_text(encoding="utf-8")
    script.main([*given, "--busy"], root)
    assert figures(root)["recipes"]["small"]["speed"] == entry["speed"]
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert re.search(r"\|`small`\|.*\|0:0[0-9]\\\*\|", readme)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda root: (root / "recipes/small.toml").unlink(), "has figures of `small`, but there is no such recipe"),
        (
            lambda root: (root / "recipes/small.toml").write_text(RECIPE + "average = 0.5\n"),
            "has figures of `small`, but it was changed after they were measured",
        ),
        (lambda root: (root / "README.md").write_text("<!--brief-->x<!--/brief-->"), "README.md: its tables differ"),
        (
            lambda root: (root / "README.md").write_text("<!--brief-->"),
            "README.md: must have <!--brief--> and, after it",
        ),
        (lambda root: (root / "docs/results.json").write_text("[]"), "expected the figures that"),
    ],
    ids=["no recipe", "changed recipe", "other table", "no place", "damaged"],
)
def test_what_is_out_of_date_is_named(change: Any, problem: str, root: Path) -> None:
    script.main(["--runs", str(root / "runs")], root)
    change(root)
    with pytest.raises(DataError) as found:
        script.main(["--check"], root)
    assert problem in str(found.value)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("pos.toml", "pos"),
        ("../recipes/pos.toml", "pos"),
        ("teachers/pos-seed-12", "pos"),
        ("/runs/pos/seed-1", "pos"),
        ("runs/pos", "pos"),
        ("labels.jsonl", "labels.jsonl"),
    ],
)
def test_a_teacher_has_the_same_name_as_recipe_and_as_run(path: str, name: str) -> None:
    assert script._model_name(path) == name


def test_comments_and_layout_of_a_recipe_do_not_matter(root: Path) -> None:
    script.main(["--runs", str(root / "runs")], root)
    path = root / "recipes" / "small.toml"
    path.write_text(RECIPE.replace("# a comment", "# Expected: more").replace("\n\n", "\n"), encoding="utf-8")
    script.main(["--check"], root)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--runs", "runs", "--only", "other"], "expected the folder of the runs of a recipe, but there is none"),
        (["--runs", "docs"], "docs: expected a folder with the name of a recipe, such as small"),
        (["--drop", "other"], "--drop other: docs/results.json has no figures of this recipe"),
    ],
)
def test_what_is_not_there_is_refused(
    given: list[str], sentence: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    with pytest.raises(DataError) as refused:
        script.main(given, root)
    assert sentence in str(refused.value)


def test_runs_of_another_recipe_and_runs_without_test_are_refused(root: Path) -> None:
    run = root / "runs" / "small"
    (root / "recipes" / "small.toml").write_text(RECIPE + "average = 0.5\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"expected a run of small\.toml, got another `training\.average`"):
        script.main(["--runs", str(run.parent)], root)
    (root / "recipes" / "small.toml").write_text(RECIPE, encoding="utf-8")
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    (run / "report.json").write_text(json.dumps({**report, "scores": {}}), encoding="utf-8")
    with pytest.raises(DataError, match="expected a run with scores on test, but it was stopped"):
        script.main(["--runs", str(run.parent)], root)
    (run / "report.json").unlink()
    with pytest.raises(DataError, match="expected a finished run of small"):
        script.main(["--runs", str(run.parent)], root)


def test_other_tools_stand_below_ours_and_are_dropped_with_the_recipe(root: Path) -> None:
    script.main(["--runs", str(root / "runs")], root)
    results, recipe = figures(root), root / "recipes" / "small.toml"
    results["peers"] = [{**PEER, "data": results_data.data_hash_of(recipe)}]
    script.write_results(results, root)
    lines = (root / "docs" / "results.md").read_text(encoding="utf-8").splitlines()
    ours, theirs = (line for line in lines if line.startswith("| `small` | `ner` | tagger | ") or "other 1.0" in line)
    assert ours.startswith("| `small` | `ner` | tagger | ")
    assert theirs == "| `small` | `ner` | other 1.0, C = 1 | 0.500 | 0.750 | 1 min 1 s\\* | 500 | 0.25 | 2.5 MB |"
    recipe.write_text(RECIPE + "average = 0.5\n", encoding="utf-8")
    assert sum("small" in found for found in results_data.problems(results, root)) == 1
    recipe.write_text(RECIPE.replace("sentences = 40", "sentences = 41"), encoding="utf-8")
    assert sum("small" in found for found in results_data.problems(results, root)) == 2
    script.main(["--drop", "small"], root)
    assert figures(root) == results_data.EMPTY


def test_time_of_a_first_run_that_computes_features_stands_alone() -> None:
    runs = {str(seed): {"seconds": seconds} for seed, seconds in enumerate((300.0, 59.0, 62.0))}
    one = {"1": runs["0"]}
    for features, busy, given, text in (
        ([], False, runs, "2 min 20 s"),
        (["bert"], False, runs, "5 min 0 s, then 1 min 0 s"),
        (["bert"], False, {**runs, "0": runs["1"]}, "1 min 0 s"),  # they were in the cache already
        (["bert"], False, one, "5 min 0 s"),
        ([], True, one, r"5 min 0 s\*"),
    ):
        assert results_data.training_of({"features": features, "busy": busy, "runs": given}) == text


def test_at_most_a_number_of_dev_tokens_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    sentences = [tagger.Sentence.from_tokens(["a"] * 4) for _ in range(5)]
    corpora = {"one": tagger.Corpus(sentences, sentences[:2]), "two": tagger.Corpus(sentences, sentences)}
    monkeypatch.setattr(script, "MOST_TOKENS", 13)
    assert len(script.some_of_dev(corpora)) == 3
    monkeypatch.setattr(script, "MOST_TOKENS", 1)
    assert len(script.some_of_dev(corpora)) == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--measure"], "--only, --add, --measure and --busy need --runs DIR"),
        (["--only", "small"], "--only, --add, --measure and --busy need --runs DIR"),
        (["--runs", ".", "--measure"], "--measure needs --data DIR"),
        (["--check", "--runs", "."], "--check goes with no other option"),
        (["--check", "--drop", "small"], "--check goes with no other option"),
        (["--runs", "nodir"], "argument --runs: must be an existing folder, got 'nodir'"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    given: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        script.parse_arguments(given)
    assert sentence in capsys.readouterr().err


def test_a_layer_of_several_corpora_has_a_row_for_each() -> None:
    scores = {"test": {"ner": 0.4, "upos": 0.9}, "dev": {"ner": 0.5, "upos": 0.8}}
    runs = {
        seed: {**scores, "corpora": {"a": {"ner": x}, "b": {"ner": 0.6, "upos": 0.9}}}
        for seed, x in (("1", 0.2), ("2", 0.4))
    }
    found = results_data.score_table(
        {"recipes": {"x": {"measures": {"ner": "strict F1", "upos": "accuracy"}, "runs": runs}}}
    )
    assert found.splitlines()[2:] == [
        "| `x` | `ner` | strict F1 | 0.400 ± 0.000 | 0.500 ± 0.000 | 1, 2 |",
        "| `x` | `ner` of `a` | strict F1 | 0.300 ± 0.141 |  | 1, 2 |",
        "| `x` | `ner` of `b` | strict F1 | 0.600 ± 0.000 |  | 1, 2 |",
        "| `x` | `upos` | accuracy | 0.900 ± 0.000 | 0.800 ± 0.000 | 1, 2 |",
    ]
