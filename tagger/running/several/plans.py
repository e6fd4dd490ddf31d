"""Which runs are made of a recipe: the same data with other seeds, or one run per fold of a cross-validation.

A run is described by an ordinary recipe, so that its folder tells how to make it again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tagger.config import DataConfig, Recipe, SplitConfig
from tagger.corpus.corpus import Corpus
from tagger.corpus.splitting import with_fold
from tagger.errors import RecipeError
from tagger.text.choices import MOST_SEED
from tagger.wording import quoted, shorten

MOST_FOLDS = 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """A run that is to be made.

    Args:
        folder: The folder of the run; its name is that of the run.
        recipe: The recipe of the run.
        settings: The other arguments of `train`.
    """

    folder: Path
    recipe: Recipe
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the run, such as `seed-1`."""
        return self.folder.name


def plan_seeds(recipe: Recipe, seeds: Sequence[int], output: Path) -> list[Plan]:
    """Return a run per seed. Generated sentences keep the seed of the recipe, and so do splits.

    Raises:
        RecipeError: The seeds are not different whole numbers from 0, or there is none.
    """
    numbers = [seed for seed in seeds if type(seed) is int and 0 <= seed <= MOST_SEED]
    if not seeds or len({*numbers}) < len(seeds):
        given = ",".join(map(str, seeds))
        raise RecipeError(f"seeds must be different whole numbers from 0, such as 1,2,3, got {shorten(given)}")
    fixed = _with_data(recipe, partial(_seeded, seed=recipe.seed))
    return [Plan(output / f"seed-{seed}", fixed.model_copy(update={"seed": seed})) for seed in seeds]


def plan_folds(recipe: Recipe, folds: int, output: Path, corpus: Corpus | Mapping[str, Corpus] | None) -> list[Plan]:
    """Return a run per fold of the train sentences, which is its test split.

    Args:
        recipe: The recipe.
        folds: The number of folds.
        output: The folder of all runs.
        corpus: Sentences made in Python, in place of the corpus of the recipe, or corpora by name.

    Raises:
        RecipeError: The number is not from 2 to 1,000, or a head has a teacher, if only through `keep`.
        DataError: The corpus has fewer documents than folds.
    """
    if type(folds) is not int or not 2 <= folds <= MOST_FOLDS:
        raise RecipeError(f"the number of folds must be from 2 to {MOST_FOLDS:,}, got {shorten(folds)}")
    for name, head in recipe.heads.items():
        if head.teacher is not None:
            raise RecipeError(
                f"heads.{name}.teacher: a recipe for folds must have no teacher, because that may have learned from "
                f"the sentences of a fold, got {quoted(head.teacher)}; remove it"
            )
    if recipe.keep is not None:
        raise RecipeError(
            "keep: a recipe for folds must not learn from the model in `start`, because that may have learned from the "
            f"sentences of a fold, got {recipe.keep}; remove the key"
        )
    plans = []
    for number in range(1, folds + 1):
        folder = output / f"fold-{number}-of-{folds}"
        if corpus is None:
            plans.append(Plan(folder, _with_data(recipe, partial(_folded, fold=(number, folds)))))
        else:
            plans.append(Plan(folder, recipe, {"corpus": _folds_of(corpus, recipe, (number, folds))}))
    return plans


def _with_data(recipe: Recipe, change: Callable[[DataConfig], dict[str, Any]]) -> Recipe:
    """Return a recipe with some keys of each corpus changed."""
    data = recipe.data and recipe.data.model_copy(update=change(recipe.data))
    corpora = recipe.corpora and {name: c.model_copy(update=change(c)) for name, c in recipe.corpora.items()}
    return recipe.model_copy(update={"data": data, "corpora": corpora})


def _seeded(data: DataConfig, seed: int) -> dict[str, Any]:
    return {"seed": seed} if data.format == "synthetic" and data.seed is None else {}


def _folded(data: DataConfig, fold: tuple[int, int]) -> dict[str, Any]:
    return {"split": _split_of(data, fold)}


def _split_of(data: DataConfig | None, fold: tuple[int, int]) -> SplitConfig:
    """Return the split of a corpus with a fold."""
    split = data.split if data is not None else None
    return SplitConfig(fold=fold) if split is None else split.model_copy(update={"fold": fold})


def _folds_of(
    corpus: Corpus | Mapping[str, Corpus], recipe: Recipe, fold: tuple[int, int]
) -> Corpus | Mapping[str, Corpus]:
    """Return corpora made in Python with one fold of their train sentences as their test splits."""
    if isinstance(corpus, Corpus):
        return _fold_of(corpus, _split_of(recipe.data, fold))
    configs = recipe.all_corpora()
    return {name: _fold_of(each, _split_of(configs.get(name), fold)) for name, each in corpus.items()}


def _fold_of(corpus: Corpus, split: SplitConfig) -> Corpus:
    splits, note = with_fold(corpus.splits(), split)
    return replace(corpus, train=splits["train"], test=splits["test"], notes=(*corpus.notes, note))
