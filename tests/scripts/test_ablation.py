"""The search over the parts of a recipe: which variants there are, what they are trained on, and what is compared."""

import json
from pathlib import Path
from typing import Any, NoReturn

import ablation as script
import pytest
from compared_reports import tag_report
from small_recipes import NER, SMALL, SYNTHETIC

import tagger
from tagger import Corpus, Sentence
from tagger.errors import RecipeError, TaggerError
from tagger.reporting.run_group import RunGroup

TWO = """
[corpora.one]
format = "conll"
columns = ["token", "ner"]
train = "one.conll"

[corpora.two]
format = "conll"
columns = ["token", "two"]
train = "two.conll"

[embeddings]
vectors = "vectors.txt"
max_words = 100
chars = "none"
word_dropout = 0.1
dropout = 0.0

[heads.ner]
kind = "tokens"
teacher = "teacher.toml"
teacher_weight = 0.5

[heads.two]
kind = "tokens"
constraints = false

[features.shape]
kind = "shape"

[training]
average = 0.99
refit = true
epochs = 3
clip_norm = "none"
"""


def corpora(*layers: str) -> dict[str, Corpus]:
    """One corpus for each layer, with its name."""
    found = {layer: [Sentence.from_tokens(["a"], {layer: ["O"]})] for layer in layers}
    return {layer: Corpus(sentences, sentences, sentences) for layer, sentences in found.items()}


def variants(folder: Path, text: str, *given: str, **known: Corpus) -> dict[str, tagger.Recipe]:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    options = script.parse_arguments([str(path), *given])
    found = script.variants(options, known or corpora("data"), tagger.load_recipe(path, options.set))
    return {variant.name: variant.recipe for variant in found}


def test_each_part_that_a_recipe_has_is_removed_alone(tmp_path: Path) -> None:
    layers = corpora("ner", "two")
    found = variants(tmp_path, TWO, one=layers["ner"], two=layers["two"])
    full = found.pop("full recipe")
    assert list(found) == [
        "without features.shape",
        "without embeddings.vectors",
        "without embeddings.word_dropout",
        "without heads.ner.teacher",
        "without training.average",
        "without corpora.one",
        "without corpora.two",
    ]
    assert not full.training.refit
    assert full.heads["ner"].teacher == (str((tmp_path / "teacher.toml").resolve()),)
    assert found["without embeddings.vectors"].embeddings == full.embeddings.model_copy(
        update={"vectors": (), "max_words": None}
    )
    assert found["without heads.ner.teacher"].heads["ner"].teacher_weight == 0.3
    assert found["without training.average"].training == full.training.model_copy(update={"average": 0.0})
    for gone, left in (("one", "two"), ("two", "ner")):
        assert list(found[f"without corpora.{gone}"].heads) == [left]
        assert gone not in found[f"without corpora.{gone}"].all_corpora()


@pytest.mark.parametrize(
    ("given", "seeds"), [("3", [1, 2, 3]), ("2", [1, 2]), ("1", [1]), ("0", [0]), ("3,5", [3, 5]), ("3,1", [3, 1])]
)
def test_single_number_of_seeds_counts_from_1_and_a_list_stays_a_list(given: str, seeds: list[int]) -> None:
    assert script.parse_arguments(["recipe.toml", "--seeds", given]).seeds == seeds


def test_number_of_seeds_is_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        script.parse_arguments(["recipe.toml", "--seeds", "1001"])
    assert "argument --seeds: must be a whole number from 1 to 1000, got '1001'" in capsys.readouterr().err


def test_characters_are_a_part_and_the_corpus_that_chooses_the_weights_is_none(tmp_path: Path) -> None:
    layers = corpora("ner", "two")
    text = TWO.replace('chars = "none"\n', "").replace("[training]\n", '[training]\nselect = "ner"\n')
    found = variants(tmp_path, text, one=layers["ner"], two=layers["two"])
    assert found["without embeddings.chars"].embeddings.chars == "none"
    assert "without corpora.two" in found
    assert "without corpora.one" not in found
    shared = corpora("ner")["ner"]
    assert list(variants(tmp_path, text, one=shared, two=shared)["without corpora.one"].heads) == ["ner"]


def test_more_variants_are_named_on_the_command_line(tmp_path: Path) -> None:
    given = ["--without", "training.learning_rate", "--without", "heads.ner.decoder=softmax"]
    given += ["--with", "encoder.cell=gru", "--set", "training.epochs=7"]
    given += ["--without", "training.refit=false"]
    found = variants(tmp_path, SYNTHETIC + NER + SMALL, *given)
    assert found["without training.refit=false"] == found["full recipe"]
    assert found["without training.learning_rate"].training.learning_rate == 0.005
    assert found["without heads.ner.decoder=softmax"].heads["ner"].model_dump()["decoder"] == "softmax"
    assert found["with encoder.cell=gru"].encoder.cell == "gru"
    assert {recipe.training.epochs for recipe in found.values()} == {7}
    assert list(variants(tmp_path, SYNTHETIC + NER + SMALL, *given, "--only", "encoder.cell=gru")) == [
        "full recipe",
        "with encoder.cell=gru",
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--only", "embeddings.char"], "--only embeddings.char: must be one of the parts embeddings.chars"),
        (["--without", "training.epoch"], "--without training.epoch: must be a key or a section that the recipe has"),
        (["--without", "features.x"], "--without features.x: must be a key or a section that the recipe has"),
        (
            ["--without", "training.epochs.x"],
            "--without training.epochs.x: must be a key or a section that the recipe has",
        ),
        (["--with", "encoder.cell=x"], "`encoder.cell`"),
        *(
            ([option, "training.refit=true"], f"{option} training.refit=true: a network that learned from dev cannot ")
            for option in ("--with", "--without")
        ),
        (
            ["--without", "embeddings.chars"],
            "--without embeddings.chars: must be a key or a section that the recipe has",
        ),
        (["--with", "training.epochs=3", "--with", "training.epochs=3"], "two variants have the same name"),
    ],
)
def test_variant_that_cannot_be_is_refused(given: list[str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as refused:
        variants(tmp_path, SYNTHETIC + NER + SMALL, *given)
    assert sentence in str(refused.value)


def test_runs_are_trained_once_without_test_and_compared_on_dev(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, figures = tmp_path / "recipe.toml", tmp_path / "figures.json"
    path.write_text(SYNTHETIC + NER + SMALL.replace("epochs = 2", "epochs = 1"), encoding="utf-8")
    given = [str(path), "--output", str(tmp_path / "runs"), "--seeds", "1", "--json", str(figures)]
    script.main(given)
    _, said = capsys.readouterr()
    assert "[1/2] full recipe, seed-1: dev ner" in said
    assert "test" not in said
    for run in (tmp_path / "runs").glob("*/seed-*"):
        assert json.loads((run / "report.json").read_text("utf-8"))["scores"] == {}
    full, other = json.loads(figures.read_text("utf-8"))["rows"]
    assert (full["variant"], other["variant"]) == ("full recipe", "without embeddings.chars")
    assert other["difference"] == pytest.approx(other["mean"] - full["mean"])
    assert other["low"] <= other["difference"] <= other["high"]

    def train(*_: object, **__: object) -> NoReturn:
        raise AssertionError("trained")

    monkeypatch.setattr("tagger.running.several.processes.train", train)
    script.main(given)
    assert json.loads(figures.read_text("utf-8"))["rows"] == [full, other]
    with pytest.raises(TaggerError, match=r"`training\.epochs` 1 instead of 2"):
        script.main([*given, "--set", "training.epochs=2"])


@pytest.mark.parametrize("missing", [{"failed": {"seed-3": "no data"}}, {"stopped": ["seed-3"]}])
def test_runs_that_failed_or_were_stopped_are_not_compared(
    missing: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: dict[str, dict[str, Any]] = {"seed-1": {}, "seed-2": {}}
    monkeypatch.setattr(tagger, "train_several", lambda *_, **__: RunGroup("x", "seeds", reports, {}, **missing))
    path = tmp_path / "recipe.toml"
    path.write_text(SYNTHETIC + NER, encoding="utf-8")
    with pytest.raises(TaggerError, match=r"^full recipe: not all runs have finished\n(no data|seed-3)"):
        script.main([str(path), "--output", str(tmp_path / "runs")])


@pytest.mark.parametrize("seeds", [1, 2])
def test_difference_is_that_of_the_variant_to_the_full_recipe(seeds: int, capsys: pytest.CaptureFixture[str]) -> None:
    gold, right, wrong = ["NOUN VERB"] * 20, "NOUN VERB", "NOUN NOUN"
    full = [tag_report(gold, [right] * (18 + seed) + [wrong] * (2 - seed)) for seed in range(seeds)]
    less = [tag_report(gold, [right] * (8 + seed) + [wrong] * (12 - seed)) for seed in range(seeds)]
    rows = [*script.rows_of(full, "full recipe", full, "upos"), *script.rows_of(full, "less", less, "mean")]
    assert list(script.rows_of(full, "less", less, "other")) == []
    _, row = script.with_holm(rows)
    assert row["difference"] == pytest.approx(-0.25)
    assert row["low"] < -0.25 < row["high"] < 0
    assert row["p_holm"] == row["p"]
    script.show([rows[0], row], list(range(seeds)))
    assert "-0.2500" in capsys.readouterr().out
