"""The values that a search tries: those that a recipe names, or the default ones."""

import re
from collections.abc import Mapping
from typing import Any, Protocol

from tagger.config import HOW_TO_TRAIN, Recipe, SearchConfig, parse_recipe
from tagger.errors import RecipeError

Value = str | int | float | bool
SEARCHED: Mapping[str, Mapping[str, Any]] = {  # if a recipe names nothing
    "training.learning_rate": {"low": 5e-4, "high": 2e-2, "log": True},
    "training.batch_size": {"values": (8, 16, 32, 64)},
    "training.average": {"values": (0.0, 0.99, 0.998)},
    "training.weight_decay": {"values": (0.0, 0.001, 0.01, 0.1)},
    "embeddings.dropout": {"low": 0.1, "high": 0.6},
    "embeddings.word_dropout": {"low": 0.0, "high": 0.2},
    "encoder.dropout": {"low": 0.1, "high": 0.6},
    "encoder.hidden_size": {"values": (100, 150, 200, 300)},
    "encoder.layers": {"values": (1, 2)},
}
# Sections and keys with which dev scores could not be compared.
NEVER = re.compile(
    r"(data|corpora|tune|seed|start)(\..*)?|training\.(select|refit|teacher_seeds)|heads\.[^.]+\.(layer|kind|teacher)|heads"
)


class Trial(Protocol):
    """What chooses a value: a trial of optuna."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Return one of some values."""

    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int:
        """Return a whole number of a range."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float:
        """Return a number of a range."""


def space_of(recipe: Recipe) -> dict[str, SearchConfig]:
    """Return the values to try by key: those that a recipe names, or the default ones and the recipe's own.

    Raises:
        RecipeError: A key is none of the recipe, or says which sentences there are, or a value is impossible for it.
    """
    if not recipe.tune:
        return {key: _with_own(SearchConfig(**spec), value_of(recipe, key)) for key, spec in _defaults(recipe).items()}
    for key, config in recipe.tune.items():
        if NEVER.fullmatch(key):
            raise RecipeError(
                f"tune.{key}: a search must not change the data, the seed or what is scored; remove the section"
            )
        for value in config.values or (config.low, config.high):
            changed(recipe, {key: value}, where=f"tune.{key}")
    return dict(recipe.tune)


def _defaults(recipe: Recipe) -> dict[str, Mapping[str, Any]]:
    """Return the default values to try, without those that the model to start from decides."""
    if recipe.start is None:
        return dict(SEARCHED)
    return {k: v for k, v in SEARCHED.items() if k.startswith("training") or k.partition(".")[2] in HOW_TO_TRAIN}


def _with_own(config: SearchConfig, own: Any) -> SearchConfig:
    """Return a default with the value of the recipe among those that are tried."""
    if config.values:
        return config if own in config.values else SearchConfig(values=(*config.values, own))
    assert config.low is not None
    assert config.high is not None
    if own is None or (config.log and own <= 0):
        return config
    return config.model_copy(update={"low": min(config.low, own), "high": max(config.high, own)})


def value_of(recipe: Recipe, key: str) -> Any:
    """Return the value that a key of a recipe has; None if it has none."""
    found: Any = recipe
    for name in key.split("."):
        found = found.get(name) if isinstance(found, dict) else getattr(found, name, None)
    return found


def own_values(recipe: Recipe, space: Mapping[str, SearchConfig]) -> dict[str, Value]:
    """Return the values of a recipe itself, as far as a search tries them."""
    found = {key: value_of(recipe, key) for key in space}
    return {key: value for key, value in found.items() if _has(space[key], value)}


def _has(config: SearchConfig, value: Any) -> bool:
    if config.values:
        return value in config.values
    return isinstance(value, int | float) and (config.low or 0) <= value <= (config.high or 0)


def chosen(trial: Trial, space: Mapping[str, SearchConfig]) -> dict[str, Value]:
    """Return the values that a trial has, each chosen now if it has none yet."""
    return {key: _chosen(trial, key, config) for key, config in space.items()}


def _chosen(trial: Trial, key: str, config: SearchConfig) -> Any:
    if config.values:
        return trial.suggest_categorical(key, config.values)
    low, high = config.low, config.high
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(key, low, high, log=config.log)
    assert low is not None
    assert high is not None
    return trial.suggest_float(key, low, high, log=config.log)


def changed(recipe: Recipe, values: Mapping[str, Any], *, where: str) -> Recipe:
    """Return a recipe with other values, and without what a search may try.

    Raises:
        RecipeError: A key is none of the recipe, or a value is impossible for it.
    """
    found: dict[str, Any] = recipe.model_dump(mode="json", exclude_unset=True, exclude={"tune"})
    for key, value in values.items():
        *sections, last = key.split(".")
        table = found
        for name in sections:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise RecipeError(f"{where}: must be a key of the recipe, such as training.learning_rate, got `{key}`")
        table[last] = value
    return parse_recipe(found, where=where)
