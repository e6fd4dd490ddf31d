"""Which runs are made of a recipe: their recipes are ordinary ones, and their data are the same for all seeds."""

from pathlib import Path
from typing import Any

import pytest

from tagger.config import Recipe
from tagger.corpus.corpus import Corpus
from tagger.errors import DataError, RecipeError
from tagger.running.several.plans import plan_folds, plan_seeds
from tagger.text.sentence import Sentence

HEADS = {"ner": {"kind": "tokens"}}
GENERATED = {"format": "synthetic", "sentences": 20}
FILES = {"format": "conllu", "train": "train.conllu", "split": {"test": 0.1, "seed": 5}}


def test_seeds_change_neither_splits_nor_generated_sentences() -> None:
    corpora = {"made": GENERATED, "own": {**GENERATED, "seed": 9}, "read": FILES}
    plans = plan_seeds(Recipe(seed=4, corpora=corpora, heads=HEADS), [2, 10], Path("out"))
    assert [(plan.name, plan.folder, plan.recipe.seed) for plan in plans] == [
        ("seed-2", Path("out/seed-2"), 2),
        ("seed-10", Path("out/seed-10"), 10),
    ]
    wanted = Recipe(seed=4, corpora={**corpora, "made": {**GENERATED, "seed": 4}}, heads=HEADS)
    for plan in plans:
        assert plan.recipe.model_copy(update={"seed": 4}) == wanted


@pytest.mark.parametrize(
    ("seeds", "got"),
    [
        ([1, 2, 1], "1,2,1"),
        ([], "''"),
        ([-1], "-1"),
        ([2**63], "9223372036854775808"),
        ([1.5], "1.5"),
        ([True], "True"),
    ],
)
def test_wrong_seeds_are_refused(seeds: list[Any], got: str) -> None:
    with pytest.raises(
        RecipeError, match="seeds must be different whole numbers from 0, such as 1,2,3, got"
    ) as refused:
        plan_seeds(Recipe(data=GENERATED, heads=HEADS), seeds, Path("out"))
    assert got.strip("'") in str(refused.value)


def test_each_fold_is_a_recipe_that_says_so() -> None:
    plans = plan_folds(Recipe(data=FILES, heads=HEADS), 3, Path("out"), None)
    assert [plan.name for plan in plans] == ["fold-1-of-3", "fold-2-of-3", "fold-3-of-3"]
    wanted = [Recipe(data={**FILES, "split": {"test": 0.1, "seed": 5, "fold": [k, 3]}}, heads=HEADS) for k in (1, 2, 3)]
    assert [plan.recipe for plan in plans] == wanted
    assert plan_folds(Recipe(data=GENERATED, heads=HEADS), 2, Path(), None)[0].recipe.data.split.fold == (1, 2)


def test_a_corpus_made_in_python_is_cut_into_folds() -> None:
    sentences = [Sentence.from_tokens([str(i)]) for i in range(10)]
    plans = plan_folds(Recipe(heads=HEADS), 5, Path("out"), Corpus(sentences, test=sentences[:1]))
    tests = [plan.settings["corpus"].test for plan in plans]
    assert sorted(sentence.text for test in tests for sentence in test) == [str(i) for i in range(10)]
    for plan in plans:
        corpus = plan.settings["corpus"]
        assert {s.text for s in corpus.train} == {str(i) for i in range(10)} - {s.text for s in corpus.test}
    with pytest.raises(DataError, match="11 folds need at least 11"):
        plan_folds(Recipe(heads=HEADS), 11, Path("out"), Corpus(sentences))


@pytest.mark.parametrize(
    ("folds", "heads", "message"),
    [
        (1, HEADS, "the number of folds must be from 2 to 1,000, got 1"),
        (1001, HEADS, "the number of folds must be from 2 to 1,000, got 1001"),
        (2, {"ner": {"kind": "tokens", "teacher": "other.toml"}}, "heads.ner.teacher: a recipe for folds must have no"),
    ],
)
def test_wrong_folds_are_refused(folds: int, heads: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError) as refused:
        plan_folds(Recipe(data=GENERATED, heads=heads), folds, Path("out"), None)
    assert str(refused.value).startswith(message)


def test_a_model_that_is_kept_is_refused_for_folds() -> None:
    with pytest.raises(RecipeError, match=r"keep: a recipe for folds must not learn from the model .* got 0.3; remove"):
        plan_folds(Recipe(data=GENERATED, heads=HEADS, start="old", keep=0.3), 2, Path("out"), None)
